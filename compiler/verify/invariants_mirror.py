"""The claim that copies of traffic stay where they should: `no mirror from D leaves Z`."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.compiler.ir.assertions import NoMirrorLeaves
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.chain import hop_of
from meshproof.compiler.verify.claim_result import Holds, Outcome
from meshproof.compiler.verify.graph import Edge, mirroring
from meshproof.compiler.verify.premises import premises_of
from meshproof.compiler.verify.verdict import Refuted
from meshproof.compiler.verify.witness import replayed_chain


def check_no_mirror(analysis: Analysis, claim: NoMirrorLeaves) -> Outcome:
    """No branch that takes a request to the destinations, or sends one on to them, copies it out of the zone."""
    graph = analysis.graph()
    for key, branch in mirroring(analysis):
        mirror = branch.settings.mirror
        if mirror is None or mirror.target.node in claim.zone or not _is_meant(claim.destinations, key, branch):
            continue
        target = PortKey(mirror.target.node, mirror.target.port or key.port)
        edge = Edge(graph.declared[key.node], graph.declared[mirror.target.node], target, branch.id)
        hop = hop_of(graph, edge)
        note = f"a copy goes to `{mirror.target.node}`, outside of {claim.zone_text}"
        return Refuted(replayed_chain(analysis.mesh, analysis.day, (hop,), note))
    is_vacuous = set(claim.zone) >= _names(analysis.mesh)
    return Holds(premises_of(analysis, ()), is_vacuous)


def _is_meant(destinations: Iterable[Destination], key: PortKey, branch: Branch) -> bool:
    """Whether the branch takes what is sent to a destination, or (at a gateway) sends on to one."""
    ends = [(key.node, key.port), *((target.node, target.port) for target in branch.targets)]
    return any(
        node == place.node and (place.ports is None or port is None or port in place.ports)
        for place in destinations
        for node, port in ends
    )


def _names(mesh: Mesh) -> set[str]:
    return {node.name for node in mesh.nodes}
