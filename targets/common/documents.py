"""Files of manifests as documents with places: UTF-8, of bounded size, YAML or JSON by what stands in them."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import SourceFile, Span
from meshproof.targets.common import json_tree, yaml
from meshproof.targets.common.tree import MapNode, Placed, TreeError

BYTES_MAX = 32 * 1024 * 1024
"""The largest file that is read: about five times all objects of a cluster of a thousand services."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Documents:
    """What one file holds, or why it was refused. `source` is its text, for whoever shows a place in it."""

    source: SourceFile
    trees: tuple[MapNode, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


_NO_TAGS: yaml.Tags = {}


def read_documents(file: str, content: bytes, tags: yaml.Tags = _NO_TAGS) -> Documents:
    """The documents of one file; `file` is its path as it is shown. A file is taken whole or refused with a place.

    `tags` are short forms that YAML may hold; see `targets.common.yaml.parse`.
    """
    if len(content) > BYTES_MAX:
        message = f"`{file}` is larger than {BYTES_MAX // (1024 * 1024)} MiB"
        return Documents(SourceFile(file, ""), (), (_error("MP004", message, Span(file, 0, 0)),))
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        readable = content[: error.start].decode()
        source = SourceFile(file, readable)
        message = f"byte {error.start} of `{file}` is no UTF-8"
        advice = "Kubernetes takes manifests in UTF-8 alone"
        return Documents(source, (), (_error("MP002", message, Span(file, len(readable), len(readable)), advice),))
    source = SourceFile(file, text.removeprefix(_BOM))
    try:
        trees = _parse(source, tags)
    except TreeError as error:
        span = Span(file, error.start, error.end)
        return Documents(source, (), (_error("MP124", error.message, span, error.advice),))
    stray = tuple(_no_object(tree) for tree in trees if not isinstance(tree, MapNode))
    return Documents(source, tuple(tree for tree in trees if isinstance(tree, MapNode)), stray)


def _parse(source: SourceFile, tags: yaml.Tags) -> tuple[Placed, ...]:
    """As JSON what looks like it. A flow mapping of YAML looks like it too, but then it is no JSON."""
    text, file = source.text, source.path
    if text.lstrip()[:1] not in {"{", "["}:
        return yaml.parse(text, file, tags=tags)
    try:
        return json_tree.parse(text, file)
    except TreeError:
        if file.endswith(".json"):
            raise
        return yaml.parse(text, file, tags=tags)


def _no_object(tree: Placed) -> Diagnostic:
    return _error("MP124", "a document is no object: it has no `kind`", tree.span)


def _error(code: str, message: str, span: Span, advice: str | None = None) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, labels=(Label(span, is_primary=True),), help=advice)
