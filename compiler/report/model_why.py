"""Why a request was decided as it was, as values that every renderer understands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.ir.judgement import Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from meshproof.compiler.backend.artifact import MapEntry
    from meshproof.compiler.ir.decision import Decision, RouteOutcome
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Emitted:
    """A piece of what one target was given for a rule."""

    target: str
    piece: MapEntry


@dataclass(frozen=True, slots=True)
class DecidingRule:
    """A rule that decided, where it stands, and the pieces of emitted objects that it became.

    `written_in` names the object of a lifted mesh that it is a part of.
    """

    rule: str
    effect: str
    span: Span
    emitted: tuple[Emitted, ...] = ()
    written_in: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a request would need for a rule to match: a field, what it must be, and what it is."""

    field: str
    needs: str
    has: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An allow that does not match, and everything that it lacks."""

    rule: str
    span: Span
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request, what is decided about it, by which rules, and which allows came closest if none did.

    `note` says in one clause what happened at the step that decided. `outcome` is a text where the route is not known:
    why.
    """

    request: Request
    decision: Decision
    outcome: RouteOutcome | str | None
    rules: tuple[DecidingRule, ...]
    nearest: tuple[NearMiss, ...]
    note: str


@dataclass(frozen=True, slots=True)
class WhyReport:
    """The answers about all requests that were asked about, as of a day, in one environment, under a judgement."""

    day: date
    environment: str | None
    answers: tuple[Explanation, ...]
    identities: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceFile] = field(default_factory=dict)
    judgement: Judgement = Judgement.ENFORCED
