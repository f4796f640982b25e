"""The request that someone asks about, as JSON or as a line of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.resolve import resolve_request
from meshproof.dsl.ast.tests import Case, CaseRequest
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse_line
from meshproof.dsl.problems import found
from meshproof.dsl.source import SourceFile, Span

if TYPE_CHECKING:
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.diagnostic import Diagnostic

PLACE = "<request>"


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of a text, or what is wrong with it; `source` is what the findings point into."""

    requests: tuple[Request, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: SourceFile


def requests_in(mesh: Mesh, text: str) -> Asked:
    """The requests of a JSON object, or of a test line, one for each member of its source."""
    source = SourceFile(PLACE, text)
    if text.lstrip().startswith("{") and ":" in text and "->" not in text.partition(":")[0]:
        return _of_json(mesh, source)
    parsed = parse_line(source)
    line = parsed.line.request if isinstance(parsed.line, Case) else parsed.line
    if not isinstance(line, CaseRequest):
        return Asked((), parsed.diagnostics or (_no_request(source),), source)
    requests, diagnostics = resolve_request(line, mesh)
    return Asked(requests or (), tuple(one for one in diagnostics if one.severity is Severity.ERROR), source)


def _of_json(mesh: Mesh, source: SourceFile) -> Asked:
    try:
        return Asked((request_from_json(source.text, mesh),), (), source)
    except JsonError as error:
        place = Span(PLACE, 0, len(source.text.rstrip()))
        return Asked((), (found("MP101", f"the request cannot be read: {error}", place),), source)


def _no_request(source: SourceFile) -> Diagnostic:
    message = "a claim is no request"
    return found("MP101", message, Span(PLACE, 0, len(source.text)), help="write `SOURCE -> SERVICE:PORT GET /path`")
