"""What can be said of a claim: proved, refuted with a witness, or unknown, which never passes for proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.verify.witness import Witness


class PremiseKind(StrEnum):
    """What a proof rests on besides the rules."""

    DAY = "day"
    MTLS = "mtls"
    TRUST = "trust"
    ISSUER = "issuer"
    AUTHORIZER = "authorizer"
    EXTERNAL = "external"
    STATION = "station"
    UNREACHABLE = "unreachable"
    ROUTE = "route"
    OBSERVE = "observe"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Premise:
    """One thing that a proof takes for granted, as one clause; `origin` is where the policy says it, if it does.

    `ports` are those at which it is, by name; none where it is of no port.
    """

    kind: PremiseKind
    text: str
    origin: Origin | None = None
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """It holds of every request, under the assumptions. `elapsed_ms` is what it took; equal proofs may differ in it."""

    assumptions: tuple[Premise, ...] = ()
    elapsed_ms: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Refuted:
    """It does not hold; the witness has been replayed."""

    witness: Witness


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither was found: a limit was reached, or it depends on what is not modelled."""

    reason: str


Verdict: TypeAlias = Proved | Refuted | Unknown


@dataclass(frozen=True, slots=True)
class Example:
    """The region has a request in it: this one, replayed."""

    witness: Witness


@dataclass(frozen=True, slots=True)
class Empty:
    """No request is in the region."""


Answer: TypeAlias = Example | Empty | Unknown
