"""Which paths Istio's proxies judge, for each mode of normalization, and a raw path for each of them.

`istio_paths` says what a proxy makes of a raw path; this is the set of all results.
"""

from __future__ import annotations

import re
from functools import lru_cache

from meshproof.compiler.patterns.automaton import Automaton, difference
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.istio_paths import IstioMode
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.universe import Universe

_VISIBLE = r"[!-\"$->@-~]"  # visible ASCII but `#` and `?`
_PLAIN = r"[!$&-;=@-\[\]_a-z~%]"  # and without what comes out escaped, and without the backslash
_UNRESERVED = r"%(?:2[DEde]|3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9AEae])"
_DOTS = r"(?:.*/)?\.\.?(?:/.*)?"
_DOT_PARAMETERS = re.compile(r"(?<=/)\.(?=\.?;)")


@lru_cache(maxsize=len(IstioMode))
def judged_paths(mode: IstioMode) -> Universe:
    """Every path that a proxy in this mode may judge."""
    if mode is IstioMode.NONE:
        return Universe("path as sent", minimize(_regex(f"/{_VISIBLE}*")), ("/other",))
    found = _without(_regex(f"/{_PLAIN}*"), f".*(?:{_UNRESERVED}|%00).*", f"/{_DOTS}", f".*/{_DOTS}")
    if mode is not IstioMode.BASE:
        found = _without(found, ".+//.*", "//.+")
    if mode is IstioMode.DECODE_AND_MERGE_SLASHES:
        found = _without(found, ".*%(?:2[Ff]|5[Cc]).*")
    return Universe(f"path in mode {mode}", minimize(found), ("/other",))


def raw_path(path: str, mode: IstioMode) -> str:
    """A raw path of which a proxy in this mode makes the given one: itself, unless a segment begins with `.;` or `..;`,
    which a proxy takes for dots if the first dot is not escaped.
    """  # noqa: D205
    return path if mode is IstioMode.NONE else _DOT_PARAMETERS.sub("%2e", path)


def _regex(text: str) -> Automaton:
    return automaton_of(parse_regex(text))


def _without(language: Automaton, *refused: str) -> Automaton:
    for text in refused:
        language = difference(language, _regex(text))
    return language
