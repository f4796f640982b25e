"""What a run depends on besides the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import date


class Part(StrEnum):
    """What can be judged about a policy."""

    CHECKS = "checks"
    CLAIMS = "claims"
    TESTS = "tests"


class Progress(Protocol):
    """Is told what is being done; `done` of `total` where both are known."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note. Called often, so quick."""
        ...


def silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """How a policy is judged, as of `day`.

    `is_fast` leaves the solver out: claims and the checks that need it are then not judged at all. `only` keeps claims
    and tests to the blocks of these titles or names. With `is_strict` a claim that nothing could break is an error.
    `select` and `ignore` are beginnings of codes. `has_coverage` asks which rules no test line speaks of.
    With `is_cross_checked` each verdict is asked for again of other engines, over another encoding. With
    `is_recorded` the questions that each verdict rests on are kept.
    """

    day: date
    parts: frozenset[Part] = field(default_factory=lambda: frozenset(Part))
    is_fast: bool = False
    is_strict: bool = False
    audit_as_enforced: bool = False
    timeout_ms: int = 10_000
    jobs: int = 1
    only: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    has_coverage: bool = False
    is_cross_checked: bool = False
    is_recorded: bool = False
