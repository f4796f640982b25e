"""Looking over manifests: how open everything is that they make. Importing this module loads z3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.report.model_overview import OpenGroup, OpenTo
from meshproof.compiler.verify.openness import Level, openness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.verify.analysis import Analysis

_SAID = (
    (Level.ANYONE, OpenTo.ANYONE),
    (Level.IDENTIFIED, OpenTo.IDENTIFIED),
    (Level.NOT_KNOWN, OpenTo.NOT_KNOWN),
    (Level.NAMED, OpenTo.NAMED),
    (Level.NOBODY, OpenTo.NOBODY),
)


def open_groups(analysis: Analysis) -> tuple[OpenGroup, ...]:
    """Workloads and gateways by how open they are, the most open first."""
    return tuple(_groups(analysis))


def _groups(analysis: Analysis) -> Iterator[OpenGroup]:
    found = openness(analysis)
    for are_gateways in (False, True):
        some = [one for one in found if isinstance(analysis.mesh.node(one.node), Gateway) is are_gateways]
        for level, said in _SAID:
            here = [one for one in some if one.level is level]
            if here:
                shown = here[0].request if level >= Level.IDENTIFIED else None
                yield OpenGroup(said, tuple(str(one.node) for one in here), are_gateways, shown)
