"""What authorization adds to a request: sidecars that differ in their policy alone, asked in turn in short rounds.

The way, the callers and what counts are those of `bench_proxy`. Two sidecars let whoever is authenticated do all; how
far they are from each other is what this way of measuring cannot see. The others have 50 and 1,000 rules for the one
workload, of which the one caller is met by one or by all. A figure is that of a round, beside the mean of the two in
that round (for either of the two: beside the other), and the median of all rounds; because a process may have luck with
where its memory lies, all are started anew several times.
`python benchmarks/bench_authorization.py [STARTS]` prints the table.
"""

from __future__ import annotations

import atexit
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import mean, median, quantiles

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from benchmarks import proxies  # noqa: E402 - after the root is on the path
from benchmarks.bench_proxy import Ground  # noqa: E402
from benchmarks.case import Case  # noqa: E402

POLICIES: dict[str, tuple[proxies.Rule, ...]] = {
    "allow all": (),
    "allow all, again": (),
    "50 rules, one of them the caller's": proxies.rules(50),
    "1,000 rules, one of them the caller's": proxies.rules(1_000),
    "50 rules, all of them the caller's": proxies.rules(50, is_of_one=True),
    "1,000 rules, all of them the caller's": proxies.rules(1_000, is_of_one=True),
}
ALIKE = ("allow all", "allow all, again")
MOST_MORE = 1.05
STARTS = 5
ROUNDS = 12


def started(stack: ExitStack) -> Ground:
    """The sidecars, before one service."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    ground = Ground(stack, folder)
    for number, (what, rules) in enumerate(POLICIES.items()):
        running = proxies.sidecar(folder, ground.service, rules, name=f"of-policy-{number}")
        ground.ways[what] = stack.enter_context(running)
    return ground


def cases() -> Iterator[Case]:
    """Each, beside the one whose policy is a line."""
    stack = ExitStack()
    atexit.register(stack.close)  # what is started here is asked when all cases are known
    ground = started(stack)
    first, *others = POLICIES
    yield Case(first, partial(ground.cost, first), is_own_time=True)
    for what in others:
        yield Case(what, partial(ground.cost, what), is_own_time=True, beside=first, times=1 / MOST_MORE)


def rounds() -> list[dict[str, float]]:
    """Of sidecars that are started for it: the seconds of CPU for a request to each, a line for each round."""
    with ExitStack() as stack:
        ground = started(stack)
        names = list(POLICIES)
        found = []
        for number in range(ROUNDS + 1):
            turn = names[number % len(names) :] + names[: number % len(names)]
            costs = {name: ground.cost(name) for name in turn}
            if number:  # the first one is for what is cached
                found.append(costs)
        return found


def main() -> None:
    """Print the table."""
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else STARTS
    found = [rounds() for _ in range(starts)]
    print("| sidecar | CPU a request, µs | beside those that allow all | middle half | medians of the starts |")
    print("|---|---|---|---|---|")
    for name in POLICIES:
        others = [like for like in ALIKE if like != name]
        beside = [[one[name] / mean(one[like] for like in others) for one in start] for start in found]
        every = [share for start in beside for share in start]
        low, middle, high = quantiles(every, n=4)
        cost = median(one[name] for start in found for one in start) * 1e6
        of_starts = ", ".join(f"{median(start):.3f}" for start in beside)
        print(f"| {name} | {cost:.1f} | {middle:.3f} | {low:.3f} to {high:.3f} | {of_starts} |")


if __name__ == "__main__":
    main()
