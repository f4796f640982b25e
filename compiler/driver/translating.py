"""The judgement over a compile as findings: what was emitted, read back, is not what the policy says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.driver.diff_report import region_text
from meshproof.compiler.driver.translating_connections import connection_finding
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.outcome_text import decision_text
from meshproof.compiler.verify.semantic_diff_values import Change
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.verify.semantic_diff_values import DiffRegion, Undecided
    from meshproof.compiler.verify.translation import Translation
    from meshproof.compiler.verify.translation_gaps import Gap
    from meshproof.dsl.source import Span

MISTRANSLATED = "MP705"
NOT_PROVED = "MP710"
OTHERWISE = "MP723"
_WORDS = {
    Change.ALLOWED: "would let through what the policy refuses",
    Change.DENIED: "would refuse what the policy allows, and no listed loss says so",
    Change.REROUTED: "would send elsewhere what the policy routes, and no listed loss says so",
}


def translation_findings(source: Mesh, found: Translation, target: str) -> tuple[Diagnostic, ...]:
    """A finding for each region that is not as the policy says, and for whatever could not be compared.

    Each of them stops a compile: nothing is written of which it is not known that it means what the policy says.
    """
    return (
        *(_wrong(source, region, target, MISTRANSLATED) for region in found.looser),
        *(_wrong(source, region, target, OTHERWISE) for region in found.unexplained),
        *(_connection(source, gap, target) for gap in found.connections),
        *(_unknown(source, one, target) for one in found.undecided),
        *(() if found.sent is None else _unsent(source, found.sent, target)),
    )


_MISTAKE = "nothing is written; this is a mistake in Meshproof, not in the policy: please report it"
_ADVICE = {
    MISTRANSLATED: _MISTAKE,
    OTHERWISE: _MISTAKE,
    NOT_PROVED: "nothing is written; say it in another way, or give the solver more time with `--timeout`",
}


def _connection(source: Mesh, gap: Gap, target: str) -> Diagnostic:
    code = MISTRANSLATED if gap.is_looser else OTHERWISE
    return connection_finding(source, gap, target, code, _ADVICE[code])


def _wrong(source: Mesh, region: DiffRegion, target: str, code: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=problem(code).severity,
        message=f"{target} {_WORDS[region.change]}: {region_text(region)}",
        labels=_labels(source, region),
        notes=tuple(_notes(region, target)),
        help=_ADVICE[code],
        evidence=tuple(_evidence(region)),
        subject=region.places[0].old or "",
        fingerprint=f"{region.change}:{region_text(region)}",
    )


def _unsent(source: Mesh, sent: Translation, target: str) -> Iterator[Diagnostic]:
    """What is found only where callers' own proxies do what they are told; the rest has been said."""
    for region in sent.unexplained:
        found = _wrong(source, region, target, OTHERWISE)
        yield replace(found, message=f"proxies of callers {_WORDS[region.change]}: {region_text(region)}")
    for one in sent.undecided:
        yield _unknown(source, one, target)


def _unknown(source: Mesh, one: Undecided, target: str) -> Diagnostic:
    return Diagnostic(
        code=NOT_PROVED,
        severity=problem(NOT_PROVED).severity,
        message=f"whether {target} does what the policy says about `{one.subject}` is not known: {one.reason}",
        labels=(Label(source.origin.span, is_primary=True),),
        help=_ADVICE[NOT_PROVED],
        subject=one.subject,
        fingerprint=f"{one.subject}:{one.reason}",
    )


def _labels(source: Mesh, region: DiffRegion) -> tuple[Label, ...]:
    """The rules that decide the witness in the policy, else the destination."""
    decided = set(region.witness.old.determined_by) if region.witness is not None and region.witness.old else set()
    spans: list[Span] = [rule.origin.span for rule in source.rules if rule.id in decided]
    spans = spans or [node.origin.span for node in source.nodes if node.name == region.places[0].old]
    spans = spans or [source.origin.span]
    return tuple(Label(span, "", is_primary=index == 0) for index, span in enumerate(spans))


def _notes(region: DiffRegion, target: str) -> Iterator[str]:
    witness = region.witness
    if region.before is not None and region.after is not None:
        yield f"the policy: {_told(region.before.destinations, region.before.settings)}"
        yield f"{target}: {_told(region.after.destinations, region.after.settings)}"
    elif witness is not None and witness.old is not None and witness.new is not None:
        yield f"the policy says {decision_text(witness.old)}, {target} {decision_text(witness.new)}"


def _told(destinations: str, settings: tuple[str, ...]) -> str:
    return "; ".join((*((destinations,) if destinations else ()), *settings)) or "nothing besides"


def _evidence(region: DiffRegion) -> Iterator[Evidence]:
    if region.witness is not None:
        yield Evidence("request", json.dumps(request_to_json(region.witness.request), ensure_ascii=False))
