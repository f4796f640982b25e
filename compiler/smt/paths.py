"""Which paths can be judged at a port, and how one is sent so that it is judged."""

from __future__ import annotations

from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.patterns import istio_universe
from meshproof.compiler.patterns.istio_paths import IstioMode
from meshproof.compiler.patterns.universe import Universe, normal_paths


def judged_paths(mode: PathMode) -> Universe:
    """Every path that conditions may see."""
    return normal_paths() if mode is PathMode.LANGUAGE else istio_universe.judged_paths(IstioMode(mode.value))


def raw_path(path: str, mode: PathMode) -> str:
    """What is sent for a path that is judged."""
    return path if mode is PathMode.LANGUAGE else istio_universe.raw_path(path, IstioMode(mode.value))
