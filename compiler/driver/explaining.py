"""Why a request is decided as it is: the rules that did, what they became in emitted files, and the nearest misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.backend import registry
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.deciding import route_of
from meshproof.compiler.driver.judge import names_of
from meshproof.compiler.driver.near_misses import near_misses
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.report.model_why import DecidingRule, Emitted, Explanation
from meshproof.compiler.semantics import decide
from meshproof.compiler.semantics.handshake import mode_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from meshproof.compiler.backend.artifact import SourceMap
    from meshproof.compiler.backend.target import Lowered
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.ir.request import Request


def explain(mesh: Mesh, requests: Sequence[Request], day: date) -> tuple[Explanation, ...]:
    """What is decided about each request, and why.

    Raises:
        MalformedRequest, MissingAnswer, NotModelled: a request has no decision as it was put.
    """
    emitted = () if mesh.is_lifted else _emitted(mesh, day)
    return tuple(_explanation(mesh, request, day, emitted) for request in requests)


def _explanation(mesh: Mesh, request: Request, day: date, emitted: tuple[Emitted, ...]) -> Explanation:
    decision = decide(mesh, request, day)
    is_undecided_by_rule = decision.reason is Reason.DEFAULT and not decision.is_allowed
    return Explanation(
        request=request,
        decision=decision,
        outcome=route_of(mesh, request, day),
        rules=tuple(
            DecidingRule(
                rule.id,
                rule.effect.value,
                rule.origin.span,
                tuple(one for one in emitted if one.piece.subject == rule.id),
                _written_in(rule.id) if mesh.is_lifted else "",
            )
            for rule in mesh.rules
            if rule.id in decision.determined_by
        ),
        nearest=near_misses(mesh, request, day, names_of((mesh,))) if is_undecided_by_rule else (),
        note=_note(mesh, request, decision, day),
    )


def _written_in(rule: RuleId) -> str:
    """The policy that a lifted rule is a part of; what stands for another object names that itself."""
    policy, _, index = written_name(rule).rpartition("[")
    return f"AuthorizationPolicy {policy}, rule {index.removesuffix(']')}" if ":" not in policy else policy


def _emitted(mesh: Mesh, day: date) -> tuple[Emitted, ...]:
    """What rules become in the files of the installed targets that can say the policy."""
    return tuple(Emitted(name, piece) for name in registry.names() for piece in _pieces(name, mesh, day))


def _pieces(target: str, mesh: Mesh, day: date) -> SourceMap:
    lowered: Lowered = registry.load(target).lower(mesh, CompileOptions(day))
    return () if has_errors(lowered.diagnostics) else lowered.source_map


def _note(mesh: Mesh, request: Request, decision: Decision, day: date) -> str:
    match decision.reason:
        case Reason.TRANSPORT:
            node = mesh.node(request.destination)
            mode = None if node is None else mode_of(mesh, node, request.port, day)
            foreign = (
                "an identity, which needs TLS" if mode is MtlsMode.DISABLED else "an identity of no trusted domain"
            )
            who = "no identity" if request.source.identity is None else foreign
            return ("" if mode is None else f"mTLS is {mode} there, and ") + f"the caller has {who}"
        case Reason.PATH:
            return "the path has two readings, or none, and is refused before any rule sees it"
        case Reason.TOKEN:
            return "the token cannot be verified by an issuer that the destination accepts"
        case Reason.ASK:
            return "who is asked did not say yes"
        case Reason.RULE:
            return "the rules below allow it" if decision.is_allowed else "the rules below refuse it"
        case Reason.DEFAULT:
            return "no rule allows it, and what no rule allows is refused" if not decision.is_allowed else "no rule is"
        case _:
            assert_never(decision.reason)
