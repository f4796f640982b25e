"""What Istio's proxies make of a raw path, for each mode of `meshConfig.pathNormalization`.

The order is Istio's (ProxyPathNormalization in mesh/v1alpha1, Envoy's source/common/http/path_utility.cc). Where the
documentation is silent this is what Envoy 1.40.0 does over HTTP/1: `"<>^`{|}` come out as escapes, `.;x` and `..;x`
count as dot segments unless a dot was escaped, and a `%` that begins no escape stays.
"""

from __future__ import annotations

import re
from enum import StrEnum

from meshproof.compiler.patterns.normal_form import decode_unreserved, is_visible, merge_slashes, remove_dot_segments
from meshproof.compiler.patterns.refusal import PatternRefused

_ENCODED = re.compile(r'["<>^`{|}]')
_DOTS_WITH_PARAMETERS = re.compile(r"(?<=/)(\.\.?);[^/]*")
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_NEW_ESCAPE = re.compile("\0(?=[0-9A-Fa-f]{2})")
_ESCAPED_SLASH = re.compile(r"%(2[Ff]|5[Cc])")


class IstioMode(StrEnum):
    """A value of `pathNormalization.normalization`; BASE is Istio's default."""

    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


def istio_path(raw: str, mode: IstioMode) -> str:
    """The path, without its query, that a proxy judges and forwards.

    Raises PatternRefused if it answers 400. Not every result is a normal path of the language: only
    DECODE_AND_MERGE_SLASHES leaves no escaped slash, and even there raw `//` stays `//`.
    """
    path = raw.partition("#")[0].partition("?")[0]
    if not path.startswith("/"):
        raise PatternRefused("a path begins with `/`")
    for position, char in enumerate(path):
        if not is_visible(char):
            raise PatternRefused("a path holds visible ASCII alone", position)
    if mode is IstioMode.NONE:
        return path
    if mode is IstioMode.DECODE_AND_MERGE_SLASHES:
        path = _ESCAPED_SLASH.sub(lambda escape: chr(int(escape[1], 16)), path)
    # Parameters on dots are seen before all else, so `%2e%2e;` stays and `..;%00` does not (seen, not documented).
    path = _DOTS_WITH_PARAMETERS.sub(lambda dots: dots[1], path)
    if "%00" in path:
        raise PatternRefused("`%00` is refused", path.index("%00"))
    path = remove_dot_segments(_decode_without_new_escapes(path.replace("\\", "/")))
    path = _ENCODED.sub(lambda char: f"%{ord(char[0]):02X}", path)
    return path if mode is IstioMode.BASE else _merge(path)


def _merge(path: str) -> str:
    """Every run of slashes as one, except that a path of slashes alone comes out as `//` (seen, not documented)."""
    return "//" if len(path) > 1 and not path.strip("/") else merge_slashes(path)


def _decode_without_new_escapes(path: str) -> str:
    """Decode what is unreserved; a stray `%` that would become an escape by it is escaped itself (`%2%41`)."""
    marked = _STRAY_PERCENT.sub("\0", path)
    return _NEW_ESCAPE.sub("%25", decode_unreserved(marked)).replace("\0", "%")
