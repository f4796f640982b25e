"""The package network-config-analyzer of the project NP-Guard (Apache-2.0): installed apart, asked, and understood.

It has an environment of its own below `build/`, because its dependencies are none of this project's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.answers import Calls, NotUnderstood, passes
from benchmarks.case import Skipped

VERSION = "2.1.0"
ENTRY = "nca.nca_cli:nca_main"
_HOME = Path(__file__).resolve().parent.parent / "build" / f"network-config-analyzer-{VERSION}"
_PYTHON = _HOME / "bin" / "python"
_ASK = f'import importlib.metadata as m; assert m.version("network-config-analyzer") == "{VERSION}"'
_NAMES = re.compile(r"app in \((?P<names>[^()]+)\)")


def interpreter() -> str:
    """The Python that has the package; the environment is made when it is asked for first. Raises Skipped."""
    if not _has_package():
        _run(sys.executable, "-m", "venv", "--clear", str(_HOME))
        _run(str(_PYTHON), "-m", "pip", "install", "--quiet", f"network-config-analyzer=={VERSION}")
    return str(_PYTHON)


def connectivity(folder: Path) -> list[str]:
    """The arguments that ask who may call whom, and with what."""
    return ["--connectivity", str(folder), "-r", str(folder), "-o", "json"]


def redundancy(folder: Path) -> list[str]:
    """The arguments that ask which rules can go; the command line has no flag for that alone, so a file says it."""
    scheme = folder.parent / f"{folder.name}.scheme.yaml"
    entries = {
        "name": "it",
        "namespaceList": str(folder / "topology.yaml"),
        "podList": str(folder / "topology.yaml"),
        "networkPolicyList": [str(folder / "policies.yaml")],
    }
    query = {"name": "redundancy", "redundancy": ["it"], "outputConfiguration": {"outputFormat": "json"}}
    scheme.write_text(json.dumps({"networkConfigList": [entries], "queries": [query]}))
    return ["-s", str(scheme)]


def difference(old: Path, new: Path) -> list[str]:
    """The arguments that ask what the step from old to new adds and removes."""
    return ["--semantic_diff", str(new), "-r", str(new), "-b", str(old), "-rb", str(old), "-o", "json"]


def allowed(printed: str, names: Iterable[str]) -> tuple[Calls, ...]:
    """The calls between services of an answer about connectivity."""
    (explanation,) = _answer(printed)["explanation"]
    return tuple(_calls_of(explanation["TCP_rules"], frozenset(names)))


def redundant(printed: str) -> set[tuple[str, int]]:
    """The rules that can go, by service and place."""
    found: set[tuple[str, int]] = set()
    answer = _answer(printed)
    for explanation in answer.get("explanation", ()):
        if not explanation["description"].startswith("Ingress rules"):
            raise NotUnderstood(str(explanation))
        for entry in explanation["pairs"]:
            service = entry["policy"].rpartition("/")[2]
            found.update((service, int(number) - 1) for number in entry["ingress_rules_indexes"])
    return found


def changes(printed: str, names: Iterable[str]) -> tuple[tuple[Calls, ...], tuple[Calls, ...]]:
    """The calls that were added, and those that were removed."""
    known = frozenset(names)
    found: dict[str, tuple[Calls, ...]] = {"Added": (), "Removed": ()}
    for explanation in _answer(printed).get("explanation", ()):
        found[explanation["description"].split()[0]] = tuple(_calls_of(explanation["rules"], known))
    return found["Added"], found["Removed"]


def _answer(printed: str) -> Any:  # noqa: ANN401  JSON of a program
    start, end = printed.find("\n[") + 1, printed.rfind("\n]")
    if end < 0:
        raise NotUnderstood(printed)
    (answer,) = json.loads(printed[start : end + 2])
    return answer


def _calls_of(rules: Iterable[Any], names: frozenset[str]) -> Iterator[Calls]:
    """Those between pods: what leaves the mesh and what comes from outside of it is no call between services."""
    for rule in rules:
        if "src_pods" not in rule or "dst_pods" not in rule:
            continue
        callers, services = _pods(rule["src_pods"], names), _pods(rule["dst_pods"], names)
        for connection in rule["connection"]:
            if connection == "All connections":
                yield Calls(callers, services, None, lambda _: True)
                continue
            if not connection.keys() <= {"methods", "paths", "protocols"}:
                raise NotUnderstood(str(connection))
            methods = connection.get("methods")
            has_path = partial(_has_path, connection["paths"]) if "paths" in connection else lambda _: True
            yield Calls(callers, services, methods and frozenset(methods.split(", ")), has_path)


def _pods(texts: Iterable[str], names: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for text in texts:
        listed = _NAMES.fullmatch(text)
        chosen = names if text == "*" else listed["names"].split(",") if listed else (text,)
        if not names.issuperset(chosen):
            raise NotUnderstood(text)
        found.update(chosen)
    return frozenset(found)


def _has_path(text: str, path: str) -> bool:
    """Whether a path is in a set as it is written: paths with commas, or `(…)` joined by `|`, `&` or `-`."""
    if not text.startswith("("):
        if not re.fullmatch(r"[\w/.*-]+(, [\w/.*-]+)*", text):
            raise NotUnderstood(text)
        return any(passes(pattern, path) for pattern in text.split(", "))
    end = _closing(text)
    own, rest = _has_path(text[1:end], path), text[end + 1 :]
    if not rest:
        return own
    other = _has_path(rest[1:], path)
    match rest[0]:
        case "|":
            return own or other
        case "&":
            return own and other
        case "-":
            return own and not other
        case _:
            raise NotUnderstood(text)


def _closing(text: str) -> int:
    """Where the bracket ends that a text begins with."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place
    raise NotUnderstood(text)


def _has_package() -> bool:
    return (
        _PYTHON.exists()
        and subprocess.run([str(_PYTHON), "-c", _ASK], check=False, capture_output=True).returncode == 0
    )


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise Skipped(f"network-config-analyzer {VERSION} cannot be installed into {_HOME}: {last}")
