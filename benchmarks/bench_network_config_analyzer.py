"""Beside network-config-analyzer, on its own ground: N services with three rules each, as manifests that both read.

Both are asked who may call whom, which rules can go without a change, and what a change adds and removes. Their answers
are compared, and the benchmark fails if they differ. What is timed is the work on files: each program has run on one
service before, in the same process, and what its start takes stands apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import meshproof_answers as ours
from benchmarks import network_config_analyzer as peer
from benchmarks.answers import Call, Calls, calls, pairs, probes
from benchmarks.case import Case
from benchmarks.istio_services import RULES, Service, edited, policies, services, topology

_TIMED = Path(__file__).resolve().parent / "timed_main.py"
_LARGEST = 50


def cases() -> Iterator[Case]:
    """What both take to start, then the questions at 10 and 25 and, in full, at 50 services."""
    python = peer.interpreter()
    folder = TemporaryDirectory()
    place = Path(folder.name)
    one = _written(place / "one", (Service("s0", ()),))
    yield Case("network-config-analyzer: start", partial(_start, folder, python, peer.ENTRY, peer.connectivity(one)))
    yield Case("meshproof graph: start", partial(_start, folder, sys.executable, ours.ENTRY, ours.graph(one)))
    for count in (10, 25, _LARGEST):
        for question in _questions(place, one, count):
            yield from question.cases(f"{count} x {RULES}", is_full=count == _LARGEST)


def _questions(place: Path, one: Path, count: int) -> Iterator[_Question]:
    before = services(count)
    after = edited(before)
    old, new = _written(place / f"old{count}", before), _written(place / f"new{count}", after)
    nothing = _written(place / f"none{count}", tuple(replace(service, rules=()) for service in before))
    names = tuple(service.name for service in before)
    asked = probes(before, after)

    def added_and_removed(both: tuple[Iterable[Calls], Iterable[Calls]]) -> tuple[set[Call], set[Call]]:
        return calls(both[0], asked), calls(both[1], asked)

    yield _Question(
        "connectivity",
        _Asked(
            "", peer.connectivity(one), peer.connectivity(old), lambda told: calls(peer.allowed(told, names), asked)
        ),
        (
            _Asked("graph", ours.graph(one), ours.graph(old), ours.linked, view=pairs, times=100),
            _Asked(
                "diff from nothing",
                ours.diff(one, one),
                ours.diff(nothing, old),
                lambda told: added_and_removed(ours.changes(told)),
                view=lambda allowed: (allowed, set()),
            ),
        ),
    )
    yield _Question(
        "redundancy",
        _Asked("", peer.redundancy(one), peer.redundancy(old), peer.redundant),
        (_Asked("check", ours.check(one), ours.check(old), ours.needless, times=100),),
    )
    yield _Question(
        "semantic diff",
        _Asked(
            "",
            peer.difference(one, one),
            peer.difference(old, new),
            lambda told: added_and_removed(peer.changes(told, names)),
        ),
        (
            _Asked(
                "diff",
                ours.diff(one, one),
                ours.diff(old, new),
                lambda told: added_and_removed(ours.changes(told)),
                times=20,
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command: its arguments for one service and for all, how to read what it prints, and as what it answers."""

    command: str
    small: list[str]
    large: list[str]
    read: Callable[[str], object]
    view: Callable[[Any], object] | None = None
    times: float | None = None


@dataclass(slots=True)
class _Question:
    """What the peer is asked first, and then commands of ours, whose answers have to be the same."""

    title: str
    peer: _Asked
    commands: tuple[_Asked, ...]
    answer: object = field(default=None)

    def cases(self, size: str, *, is_full: bool) -> Iterator[Case]:
        first = f"{size} {self.title}: network-config-analyzer"
        yield Case(first, self._ask_peer, is_own_time=True, rounds=1, is_full=is_full)
        for command in self.commands:
            yield Case(
                f"{size} {self.title}: meshproof {command.command}",
                partial(self._ask, command),
                is_own_time=True,
                rounds=3,
                beside=first,
                times=command.times if is_full else None,
                is_full=is_full,
            )

    def _ask_peer(self) -> float:
        seconds, printed = _timed(peer.interpreter(), peer.ENTRY, self.peer.small, self.peer.large)
        self.answer = self.peer.read(printed)
        return seconds

    def _ask(self, command: _Asked) -> float:
        seconds, printed = _timed(sys.executable, ours.ENTRY, command.small, command.large)
        found = command.read(printed)
        expected = self.answer if command.view is None else command.view(self.answer)
        if not expected or found != expected:
            raise AssertionError(f"{self.title}: {command.command} says {found}, network-config-analyzer {expected}")
        return seconds


def _timed(python: str, entry: str, small: list[str], large: list[str]) -> tuple[float, str]:
    """The CPU seconds of the command on the large input, after it has run on the small one; and what it printed."""
    command = [python, str(_TIMED), entry]
    done = subprocess.run(command, input=json.dumps([small, large]), check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    if told["status"] not in {None, 0, 1}:  # 1: there are findings, or differences
        raise AssertionError(f"{entry} {large}: {told} {done.stderr}")
    return told["seconds"], told["printed"]


def _start(_folder: TemporaryDirectory[str], python: str, entry: str, arguments: list[str]) -> None:
    """The whole command on one service. The folder is kept as long as the case is."""
    module, _, function = entry.partition(":")
    code = f"import sys, {module}; sys.argv = {['program', *arguments]}; sys.exit({module}.{function}())"
    subprocess.run([python, "-c", code], check=True, capture_output=True)


def _written(folder: Path, of: tuple[Service, ...]) -> Path:
    folder.mkdir()
    (folder / "topology.yaml").write_text(topology(of))
    (folder / "policies.yaml").write_text(policies(of))
    return folder
