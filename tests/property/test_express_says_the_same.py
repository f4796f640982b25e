"""What is written of a policy means what the policy means: resolved again, and compared by the solver."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import assume, given, note
from tests.strategies.meshes import DAY, meshes

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.express import Expressed, Wording, express, in_order, text_of, without_unasked
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.verify.correspondence import Correspondence
from meshproof.compiler.verify.semantic_diff import DiffOptions, semantic_diff
from meshproof.compiler.verify.semantic_diff_values import DiffRegion
from meshproof.dsl.format import format_source
from meshproof.dsl.source import SourceFile

WORDING = Wording("written", lambda _: "it was so", date(2099, 1, 1))


def _taken(mesh: Mesh, written: Expressed) -> Mesh:
    """The mesh without the rules and routes that are listed as not taken."""
    gone = {one.subject for one in written.untaken}
    old, _ = without_unasked(mesh)
    return replace(
        old,
        rules=tuple(one for one in old.rules if one.id not in gone),
        routes=tuple(one for one in old.routes if one.id not in gone),
    )


def _is_about(region: DiffRegion, ports: set[tuple[str, int]]) -> bool:
    places = {(place.new, place.port) for place in region.places if place.new is not None and place.port is not None}
    return not places.isdisjoint(ports)


@given(meshes())
def test_what_is_written_means_the_same_but_for_what_is_listed(mesh: Mesh) -> None:
    written = express(mesh, WORDING)
    text = text_of(in_order(written.parts), "written", lambda _: ())
    assert format_source(SourceFile("", text)).text == text
    policy = policy_of_texts({"written.mesh": text})
    note(text)
    # Random policies hold a little that the language has other words for, or none: a driver lists that (ADR 0112).
    assume(policy.is_judgeable)
    (new,) = policy.meshes
    known = {node.name for node in new.nodes}
    pairs = ((old, NodeName(name)) for old, name in written.names.nodes.items() if name in known)
    found = semantic_diff(
        _taken(mesh, written), new, DAY, DiffOptions(correspondence=Correspondence(tuple(sorted(pairs))))
    )
    # What is said of ports that nothing declares has no words; neither has a server name on a port without TLS.
    spoken = {
        (node.name, port.workload)
        for old in mesh.nodes
        for node in new.nodes
        for port in node.ports
        if written.names.nodes.get(old.name) == node.name
        and any(one.workload == port.workload and one.protocol.value == port.protocol.value for one in old.ports)
    }
    assert [region for region in found.regions if _is_about(region, {(str(n), p) for n, p in spoken})] == []
