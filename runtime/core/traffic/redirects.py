"""Answers that send the caller elsewhere."""

from __future__ import annotations

import re

from meshproof.compiler.ir.matchers import Matcher, Segments
from meshproof.compiler.ir.routing import Redirect
from meshproof.runtime.engine.segments import depth

_VISIBLE = re.compile(r"[!-~]+").fullmatch
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*)|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch
_REST = "/**"


class RedirectError(ValueError):
    """A redirect to what is no place. One lower-case sentence."""


def checked(redirect: Redirect) -> Redirect:
    """The redirect. Raises `RedirectError`."""
    if redirect.host is not None and not _HOST(redirect.host):
        raise RedirectError(f"a redirect goes to `{redirect.host}`, which is no host")
    if redirect.path is not None and not (redirect.path.startswith("/") and _VISIBLE(redirect.path)):
        raise RedirectError(f"a redirect goes to `{redirect.path}`, which is no path")
    return redirect


def location(redirect: Redirect, taken: Matcher | None, path: str, query: str | None) -> str | None:
    """Where to. `taken` is the path of the branch, `path` the normal path of the request; None where it is none.

    Without a host it is relative, so that nothing of what a caller says about itself is repeated.
    """
    mark = "" if query is None else f"?{query}"
    where = f"{_moved(redirect.path, taken, path)}{mark}"
    if not _VISIBLE(where) or where.startswith("//"):
        return None
    return where if redirect.host is None else f"http://{redirect.host}{where}"


def _moved(new: str | None, taken: Matcher | None, path: str) -> str:
    if new is None:
        return path
    if not new.endswith(_REST):
        return new
    start = new.removesuffix(_REST)
    kept = depth(taken.pattern) if isinstance(taken, Segments) else None
    rest = "" if kept is None else "".join(f"/{segment}" for segment in path[1:].split("/")[kept:])
    return f"{start}{rest}" or "/"
