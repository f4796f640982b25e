"""Which paths can be judged at a port, and how one is sent so that it is judged."""

from __future__ import annotations

from functools import lru_cache

from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.patterns import istio_universe, pattern
from meshproof.compiler.patterns.automaton import difference, intersection
from meshproof.compiler.patterns.istio_paths import IstioMode
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.patterns.universe import Universe, normal_paths

_DOT_PARAMETERS = pattern.Regex(r".*/\.\.?;.*")


def judged_paths(mode: PathMode, other: PathMode | None = None) -> Universe:
    """Every path that conditions may see; with another mode, every one that is judged as it is in both."""
    if other in {None, mode}:
        return normal_paths() if mode is PathMode.LANGUAGE else istio_universe.judged_paths(IstioMode(mode.value))
    return _common_paths(*sorted((mode, other or mode)))


def raw_path(path: str, mode: PathMode, other: PathMode | None = None) -> str:
    """What is sent for a path that is judged, by proxies in both modes."""
    for one in (mode, other):
        if one not in {None, PathMode.LANGUAGE, PathMode.NONE}:
            return istio_universe.raw_path(path, IstioMode(str(one)))
    return path  # what is judged in the other modes is judged if it is sent


@lru_cache(maxsize=16)
def _common_paths(one: PathMode, other: PathMode) -> Universe:
    """Without segments that begin with `.;` where one mode wants their dot escaped and the other keeps escapes."""
    found = intersection(judged_paths(one).language, judged_paths(other).language)
    if PathMode.NONE in {one, other}:
        found = difference(found, to_automaton(_DOT_PARAMETERS))
    return Universe(f"path in modes {one} and {other}", minimize(found), ("/other",))
