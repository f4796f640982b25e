"""What was found out about claims, as a report has it; a refutation is a finding too, at the line of the claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.assertions import CanCall, CanReach
from meshproof.compiler.report.model import Assumption, ClaimResult, ClaimVerdict, SecondOpinion
from meshproof.compiler.verify.verdict import Proved, Refuted, Unknown
from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.assertions import Claim, Prove
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.verify.claim_result import ClaimResult as Found
    from meshproof.compiler.verify.second_opinion import CrossCheck
    from meshproof.compiler.verify.witness import Hop, Witness

REFUTED = "MP601"
_ENCODINGS = ("strings", "classes")
"""Who says that a question cannot be put at all, where others are engines that were asked one."""


def claim_report(prove: Prove, claim: Claim, found: Found, second: SecondOpinion | None = None) -> ClaimResult:
    """The claim's line in a report, with what a second opinion was if one was asked for."""
    verdict, witness, reason = _verdict(found)
    return ClaimResult(
        name=prove.title,
        text=claim.text,
        span=claim.origin.span,
        verdict=verdict,
        is_vacuous=found.is_vacuous,
        assumptions=tuple(Assumption(premise.text, premise.ports) for premise in found.assumptions),
        witness=witness,
        reason=reason,
        controls=prove.controls,
        second_opinion=second,
    )


def second_opinion(found: CrossCheck) -> SecondOpinion:
    """A second opinion as a report has it. Who did not answer at some port is named even where others did."""
    engines = tuple(sorted({engine for _, engine in found.agreed})) if found.is_confirmed else ()
    return SecondOpinion(engines, tuple(dict.fromkeys(_silence(port, why) for port, why in found.unknown)))


def _silence(port: str, why: str) -> str:
    engine, separator, reason = why.partition(": ")
    if not separator:
        return why
    return f"{reason} at `{port}`" if engine in _ENCODINGS else f"{engine} did not decide at `{port}`: {reason}"


def _verdict(found: Found) -> tuple[ClaimVerdict, tuple[Request, ...], str]:
    match found.verdict:
        case Proved():
            return ClaimVerdict.PROVED, (), ""
        case Refuted(witness):
            return ClaimVerdict.REFUTED, witness.requests, ""
        case Unknown(reason):
            return ClaimVerdict.UNKNOWN, (), reason
        case _:
            assert_never(found.verdict)


def refutation(mesh: Mesh, prove: Prove, claim: Claim, witness: Witness) -> Diagnostic:
    """The finding that a claim does not hold: the request that shows it, and the rules that decided about it."""
    is_permission = isinstance(claim.statement, CanReach | CanCall)
    return Diagnostic(
        code=REFUTED,
        severity=problem(REFUTED).severity,
        message=f"`{prove.title}` does not hold: {_summary(witness, is_permission=is_permission)}",
        labels=(Label(claim.origin.span, "refuted", is_primary=True), *_blame(mesh, witness)),
        notes=tuple(_notes(witness)),
        help=_advice(witness, is_permission=is_permission),
        evidence=tuple(request_row(request) for request in witness.requests),
        subject=prove.title,
    )


def _summary(witness: Witness, *, is_permission: bool) -> str:
    if len(witness.hops) > 1:
        return f"there is a way in {len(witness.hops)} steps"
    if is_permission:
        return "a request that should be allowed is refused"
    if witness.decisions and not witness.decisions[-1].is_allowed:
        return "a request passes transport without an identity"
    return "a request gets through" if witness.requests else witness.note or "it is contradicted"


def _blame(mesh: Mesh, witness: Witness) -> Iterator[Label]:
    """The rules that decided, each at its place."""
    effects: dict[str, bool] = {}
    for decision in witness.decisions:
        for rule in decision.determined_by:
            effects.setdefault(rule, decision.is_allowed)
    for one in mesh.rules:
        if one.id in effects:
            yield Label(one.origin.span, "allows it" if effects[one.id] else "refuses it")


def _notes(witness: Witness) -> Iterator[str]:
    if len(witness.hops) > 1:
        yield "the way: " + "; ".join(_step(hop) for hop in witness.hops)
    if witness.note and witness.requests:
        yield witness.note
    if witness.decisions and not witness.blamed:
        reasons = ", ".join(dict.fromkeys(str(decision.reason) for decision in witness.decisions))
        yield f"no rule decides this request; it is decided at: {reasons}"


def _step(hop: Hop) -> str:
    by = "" if hop.decision is None or not hop.decision.determined_by else f" by `{hop.decision.determined_by[0]}`"
    kind = {"call": "calls", "mirror": "is mirrored to", "undeclared": "may reach"}[hop.kind.value]
    return f"`{hop.source}` {kind} `{hop.destination}`{by}"


def _advice(witness: Witness, *, is_permission: bool) -> str:
    if is_permission:
        return "add an allow that takes this request, or change the claim"
    if witness.blamed:
        return "narrow the rules above, or change the claim"
    return "change what lets it through, or the claim"
