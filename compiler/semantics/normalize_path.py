"""Step 2 of "What happens to a request": the one normal form of a path, or the reason why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.normal_form import decode_unreserved, is_visible, merge_slashes, remove_dot_segments
from meshproof.compiler.patterns.refusal import PatternRefused

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ESCAPED_SLASH = re.compile("%(?:2[Ff]|5[Cc])")


@dataclass(frozen=True, slots=True)
class NormalPath:
    """A path in normal form, without the query."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The path has no normal form; `reason` is one lower-case clause."""

    reason: str


def normalize(raw: str) -> NormalPath | Refused:
    """The normal form of a path as it was sent, query included. What is normal is its own normal form."""
    reason = _refusal(raw)
    if reason is not None:
        return Refused(reason)
    path = raw.partition("?")[0]
    return NormalPath(merge_slashes(remove_dot_segments(decode_unreserved(path))))


def normalize_by(raw: str, mode: PathMode) -> NormalPath | Refused:
    """The path that is judged where the mesh says how: the language's normal form, or what Istio's proxies make."""
    if mode is PathMode.LANGUAGE:
        return normalize(raw)
    try:
        return NormalPath(istio_path(raw, IstioMode(mode.value)))
    except PatternRefused as refusal:
        return Refused(refusal.reason)


def _refusal(raw: str) -> str | None:
    # A fragment stands after the query, so the whole target is searched: `/a?x=1#` must not hide `x=1`.
    if "#" in raw:
        return "a path holds no fragment"
    path = raw.partition("?")[0]
    if not path.startswith("/"):
        return "a path begins with `/`"
    if not all(map(is_visible, path)):
        return "a path holds visible ASCII alone"
    if "%00" in path:
        return "`%00` is refused"
    if _BAD_ESCAPE.search(path):
        return "a `%` begins no escape"
    if "\\" in path or _ESCAPED_SLASH.search(path):
        return "a path holds no backslash, and no escaped slash or backslash"
    return None


def split_query(raw: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a path as it was sent, in order, undecoded; one without `=` has the empty value.

    Empty pieces (`a=1&&b=2`) are no parameters.
    """
    pieces = raw.partition("?")[2].split("&")
    pairs = (piece.partition("=") for piece in pieces if piece)
    return tuple((name, value) for name, _, value in pairs)
