"""What Envoy's connection manager makes of a path before filters see it."""

from __future__ import annotations

import re

from tests.e2e.istio.strings import Config

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")


class RefusedPathError(Exception):
    """The connection manager answers 400 itself."""


def seen_path(manager: Config, raw: str) -> str:
    """The path without its query, as the settings of the connection manager say."""
    path = re.split("[?#]", raw, maxsplit=1)[0]
    if manager.get("pathWithEscapedSlashesAction") == "UNESCAPE_AND_FORWARD":
        path = re.sub("%2[Ff]", "/", re.sub("%5[Cc]", r"\\", path))
    if manager.get("normalizePath"):
        path = _normal(path)
    return re.sub("//+", "/", path) if manager.get("mergeSlashes") else path


def _normal(path: str) -> str:
    if "%00" in path:
        raise RefusedPathError
    decoded = _ESCAPE.sub(_decoded, path).replace("\\", "/")
    kept: list[str] = []
    segments = decoded.split("/")[1:]
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment not in {".", ".."}:
            kept.append(segment)
            continue
        if segment == ".." and kept:
            kept.pop()
        if is_last:
            kept.append("")
    return "/" + "/".join(kept)


def _decoded(escape: re.Match[str]) -> str:
    found = chr(int(escape[1], 16))
    return found if _UNRESERVED.fullmatch(found) else escape[0]
