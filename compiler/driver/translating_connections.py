"""What is done otherwise with connections, as findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.outcome_text import decision_text
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.verify.translation_gaps import Gap


def connection_finding(source: Mesh, gap: Gap, target: str, code: str, advice: str) -> Diagnostic:
    """One finding, at what the gap is about or else at the mesh."""
    spans = [node.origin.span for node in source.nodes if node.name == gap.subject]
    spans += [one.origin.span for one in source.namespaces if one.name == gap.subject]
    return Diagnostic(
        code=code,
        severity=problem(code).severity,
        message=f"at {gap.place} {target} {gap.emitted}, and the policy {gap.policy}",
        labels=(Label((*spans, source.origin.span)[0], is_primary=True),),
        notes=tuple(_notes(gap, target)),
        help=advice,
        evidence=tuple(_evidence(gap)),
        subject=gap.subject,
        fingerprint=f"{gap.place}:{gap.emitted}",
    )


def _notes(gap: Gap, target: str) -> Iterator[str]:
    shown = gap.witness
    if shown is None or shown.old is None or shown.new is None:
        return
    if (shown.old.is_allowed, shown.old.reason) != (shown.new.is_allowed, shown.new.reason):
        yield f"of such a request the policy says {decision_text(shown.old)}, {target} {decision_text(shown.new)}"


def _evidence(gap: Gap) -> Iterator[Evidence]:
    if gap.witness is not None:
        yield Evidence("request", json.dumps(request_to_json(gap.witness.request), ensure_ascii=False))
