"""Run the benchmarks of this folder and print medians, and ratios within one run (see README.md)."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.case import Case, Skipped  # noqa: E402 - after the root is on the path

MINIMUM_ROUNDS = 5


def main() -> int:
    """Run what is asked for; 1 if `--strict` and a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only files whose name holds one of these")
    parser.add_argument("--rounds", type=int, default=11, help="how often each case runs (default 11, at least 5)")
    parser.add_argument("--full", action="store_true", help="what takes minutes, too")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a goal is missed")
    options = parser.parse_args()
    _keep_bytecode()
    files = [path for path in sorted(HERE.glob("bench_*.py")) if _is_wanted(path, options.names)]
    if not files:
        print("no benchmark of that name", file=sys.stderr)
        return 2
    rounds = max(options.rounds, MINIMUM_ROUNDS)
    missed = sum(report(path, rounds, is_full=options.full) for path in files)
    return 1 if missed and options.strict else 0


def report(path: Path, rounds: int, *, is_full: bool) -> int:
    """Run the cases of one file in turn, print a line each, and return how many missed their goal."""
    title = path.stem.removeprefix("bench_")
    try:
        cases = tuple(case for case in _cases(path) if is_full or not case.is_full)
    except Skipped as reason:
        print(f"\n{title}: SKIPPED: {reason}", flush=True)
        return 0
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    for case in cases:
        if case.rounds is None:
            case.run()  # once for what is cached, uncounted
    for number in range(rounds):
        for case in cases:
            if case.rounds is None or number < case.rounds:
                times[case.name].append(cpu_seconds(case))
    print(f"\n{title} ({rounds} rounds, median CPU time)")
    medians = {name: median(taken) for name, taken in times.items()}
    missed = 0
    for case in cases:
        verdict, is_missed = _verdict(case, medians)
        missed += is_missed
        first = medians[cases[0].name]
        taken = medians[case.name]
        print(f"  {case.name:<60} {_readable(taken):>10}   x {taken / first if first else 1:.2f}{verdict}", flush=True)
    return missed


def _verdict(case: Case, medians: dict[str, float]) -> tuple[str, bool]:
    """What to say of a case beside its time, and whether it missed a goal."""
    taken = medians[case.name]
    said, is_missed = "", False
    if case.beside is not None:
        times = medians[case.beside] / taken
        is_missed = case.times is not None and times < case.times
        goal = "" if case.times is None else f" (goal {case.times:g}{': MISSED' if is_missed else ''})"
        said = f"   {times:.3g} times as fast{goal}"
    if case.goal is not None:
        is_missed = taken > case.goal
        said += f"   goal {_readable(case.goal)}{': MISSED' if is_missed else ''}"
    return said, is_missed


def cpu_seconds(case: Case) -> float:
    """The CPU time of one run, children included, without the garbage of others."""
    gc.collect()
    gc.disable()
    try:
        before = _cpu()
        told = case.run()
        if case.is_own_time:
            assert isinstance(told, float)
            return told
        return _cpu() - before
    finally:
        gc.enable()


def _keep_bytecode() -> None:
    """Let what is started keep compiled modules, as installed programs have them, whatever the shell asks for."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(HERE.parent / "build" / "bytecode")


def _cpu() -> float:
    """In microseconds where the kernel counts them; `os.times` counts hundredths of a second."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _cases(path: Path) -> Iterator[Case]:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield from module.cases()


def _is_wanted(path: Path, names: list[str]) -> bool:
    return not names or any(name in path.stem for name in names)


def _readable(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


if __name__ == "__main__":
    sys.exit(main())
