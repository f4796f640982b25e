"""The first screen of a report about manifests: what they allow, then each finding as one line, by what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Look, Style, harmless, width_of, wrapped
from meshproof.compiler.report.model_overview import OpenTo
from meshproof.compiler.report.order import in_order
from meshproof.compiler.report.request_text import request_text
from meshproof.compiler.report.themes import THEMES, theme_of
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshproof.compiler.report.model import Finding, Report
    from meshproof.compiler.report.model_overview import OpenGroup, Overview

_MOST_NAMES = 4
_FEWEST_LISTED = 4
"""So many findings can be seen at a glance without a list of them."""
_STYLES = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING, Severity.INFO: Style.INFO}


def overview_lines(overview: Overview, identities: Mapping[str, str], look: Look) -> Iterator[str]:
    """What is allowed, and what was passed over."""
    yield look.paint("Who is let in", Style.STRONG)
    for group in overview.groups:
        yield from _group(group, identities, look)
    if not overview.groups:
        yield f"  {look.glyphs.gap} no file makes a workload, or names one"
    if overview.skipped:
        total = sum(count for _, count in overview.skipped)
        kinds = ", ".join(f"{count} {kind}" for kind, count in overview.skipped)
        what = "1 object is of a kind that is" if total == 1 else f"{total} objects are of kinds that are"
        text = harmless(f"{what} not judged: {kinds}")
        yield f"  {look.glyphs.gap} {wrapped(text, look.width, '    ')}"


def _group(group: OpenGroup, identities: Mapping[str, str], look: Look) -> Iterator[str]:
    noun = "gateway" if group.are_gateways else "workload"
    count = len(group.names)
    names = ", ".join(group.names if look.verbosity > 0 else group.names[:_MOST_NAMES])
    more = f" and {count - _MOST_NAMES} more" if look.verbosity <= 0 and count > _MOST_NAMES else ""
    text = f"{group.to.value}: {count} {noun}{'' if count == 1 else 's'}, {names}{more}"
    yield f"  {_sign(group, look)} {wrapped(harmless(text), look.width, '    ')}"
    if group.request is not None:
        request = harmless(request_text(group.request, identities))
        yield f"      {look.glyphs.hop} {wrapped(request, look.width, '        ')}"


def _sign(group: OpenGroup, look: Look) -> str:
    if group.to is OpenTo.NOT_KNOWN:
        return look.paint(look.glyphs.unsure, Style.WARNING)
    if group.to in {OpenTo.ANYONE, OpenTo.IDENTIFIED} and not group.are_gateways:
        return look.paint(look.glyphs.bad, Style.ERROR)
    return look.paint(look.glyphs.good, Style.GOOD)


def list_lines(report: Report, look: Look) -> Iterator[str]:
    """The findings in one line each, the worst first, by what they are about; nothing where they are few."""
    shown = [one for one in in_order(report.findings) if not one.diagnostic.is_waived]
    if len(shown) < _FEWEST_LISTED:
        return
    for theme in THEMES:
        here = [one for one in shown if theme_of(one.diagnostic.code) is theme]
        here.sort(key=lambda one: -one.diagnostic.severity.rank)
        if here:
            yield look.paint(theme.title, Style.STRONG)
            yield from (_line(one, report, look) for one in here)


def _line(finding: Finding, report: Report, look: Look) -> str:
    diagnostic = finding.diagnostic
    span = diagnostic.primary
    source = report.sources.get(span.file) if span else None
    place = f"{span.file}:{source.position(span.start).line}" if span and source else ""
    code = look.paint(diagnostic.code, _STYLES[diagnostic.severity])
    text = harmless(diagnostic.message)
    room = None if look.width is None else max(look.width - 9 - width_of(place), 40)
    if room is not None and width_of(text) > room:
        text = text[: room - 1].rstrip() + look.glyphs.cut
    return f"  {code} {text} {look.paint(harmless(place), Style.FAINT)}".rstrip()
