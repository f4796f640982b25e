"""What was compiled, for people: the files, what is known of them, and what they do not enforce."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Look, Style, harmless, wrapped

if TYPE_CHECKING:
    from meshproof.compiler.backend.residual import Residual
    from meshproof.compiler.report.model import Compiled, Report

_MOST_NAMES = 2


def compiled_lines(compiled: Compiled, look: Look) -> list[str]:
    """The files, and what is known of them."""
    lines = [look.paint(f"Compiled for {compiled.target} into {harmless(compiled.folder)}", Style.STRONG)]
    lines += [f"  {harmless(file)}" for file in compiled.files]
    lines += [f"  {look.glyphs.gap} {wrapped(harmless(note), look.width, '    ')}" for note in compiled.notes]
    return lines


def residual_lines(compiled: Compiled, look: Look) -> list[str]:
    """What the target does not enforce: a point each, with the names that it is about if they are few."""
    if not compiled.residuals:
        return []
    width = max(len(one.code) for one in compiled.residuals)
    lines = [_head(f"What {compiled.title} does not enforce, or does otherwise", look)]
    for one in compiled.residuals:
        text = wrapped(harmless(f"{one.text} ({_names(one)})"), look.width, " " * (width + 4))
        lines.append(f"  {look.paint(one.code.ljust(width), Style.FAINT)}  {text}")
    return lines


def _names(one: Residual) -> str:
    if len(one.names) <= _MOST_NAMES:
        return ", ".join(one.names)
    return f"{len(one.names)}, such as {one.names[0]}"


def dial_lines(report: Report, compiled: Compiled, look: Look) -> list[str]:
    """Who dials another number than the policy says: a line for each port."""
    lines = [_head("Who dials another port than the policy says", look)]
    for (service, port), dials in groupby(compiled.dials, lambda one: (one.service, one.port)):
        said = ", ".join(f"{report.identities.get(one.caller, one.caller)} {one.dials}" for one in dials)
        lines.append(f"  {wrapped(harmless(f'{service}:{port}: {said}'), look.width, ' ' * 4)}")
    return lines if compiled.dials else []


def _head(text: str, look: Look) -> str:
    return look.paint(wrapped(text, look.width, ""), Style.STRONG)
