"""Drift for people: what differs in meaning, then which objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report import diff_text
from meshproof.compiler.report.look import Look, Style, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.backend.target import LiftedObject
    from meshproof.compiler.report.model_drift import DriftReport


def render(report: DriftReport, look: Look) -> str:
    """The comparison as text, a line end at its end."""
    sections = [
        list(_objects("Objects that should run and do not", report.missing, Style.ERROR, look)),
        list(_objects("Objects on trial: they decide nothing", report.tried, Style.ERROR, look)),
        list(_objects("Objects that nobody asked for", report.foreign, Style.WARNING, look)),
    ]
    text = "".join("\n".join(lines) + "\n\n" for lines in sections if lines)
    verdict = "what runs is not what the policy says" if report.has_drifted else "what runs is what the policy says"
    return f"{text}{diff_text.render(report.difference, look)}{look.paint(verdict, Style.STRONG)}\n"


def _objects(title: str, objects: Sequence[LiftedObject], style: Style, look: Look) -> Iterator[str]:
    if objects:
        yield look.paint(title, style)
    for one in objects:
        yield f"  {one.kind} {harmless(f'{one.namespace}/{one.name}')}"
