"""From bytes to text."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.problems import found
from meshproof.dsl.source import SourceFile, Span

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, or why it has none (then the text is what can be shown of it)."""

    source: SourceFile
    problem: Diagnostic | None = None


def decode(path: str, data: bytes) -> Text:
    """The text of UTF-8 bytes; a byte order mark at the front is left out."""
    has_mark = data.startswith(_BYTE_ORDER_MARK)
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if data.startswith(_WIDE_MARKS):
        advice = "save it as UTF-8"
        return Text(SourceFile(path, ""), found("MP002", f"`{path}` is UTF-16", Span(path, 0, 0), help=advice))
    if b"\0" in data:
        problem = found(
            "MP003", f"`{path}` is no text: it holds a zero byte", Span(path, 0, 0), help="a policy is UTF-8 text"
        )
        return Text(SourceFile(path, ""), problem)
    try:
        return Text(SourceFile(path, data.decode(), has_mark))
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode(errors="replace"))
        return Text(
            SourceFile(path, data.decode(errors="replace")),
            found(
                "MP002",
                f"`{path}` is not UTF-8",
                Span(path, at, at + 1),
                f"the byte {data[error.start]:02x} begins no character",
                help="save it as UTF-8",
            ),
        )


def too_large(path: str, limit: int) -> Diagnostic:
    """The finding for a file beyond the limit."""
    advice = "split it, or raise `max-file-bytes` in `meshproof.toml`"
    return found("MP004", f"`{path}` is larger than {_size(limit)}", Span(path, 0, 0), help=advice)


def policy_too_large(path: str, limit: int) -> Diagnostic:
    """The finding for the file with which a policy goes beyond its limit."""
    message = f"with `{path}` the policy is larger than {_size(limit)}"
    advice = "judge parts of it on their own, or raise `max-policy-bytes` in `meshproof.toml`"
    return found("MP005", message, Span(path, 0, 0), help=advice)


def _size(limit: int) -> str:
    for unit, size in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if limit >= size and limit % size == 0:
            return f"{limit // size} {unit}"
    return f"{limit} bytes"
