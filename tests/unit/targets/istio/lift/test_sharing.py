"""What is made once for senders who agree, or found by name, is what asking for each of them would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.istio_routes import SUBSETS, an_object, shop, virtual_service

from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio.lift.hosts import ByHost, covers

NAMES = st.sampled_from(("*", "*.a", "*.b.a", "*a", "a", "b.a", "c.b.a", "*.", "", "x.c.b.a", ".a"))


@given(st.lists(st.tuples(st.integers(), st.lists(NAMES, max_size=3).map(tuple))), NAMES)
def test_what_covers_a_host_is_found_in_order(items: list[tuple[int, tuple[str, ...]]], host: str) -> None:
    asked = [item for item, names in items if any(covers(name, host) for name in names)]
    assert ByHost(items).covering(host) == asked


def test_a_mirror_to_a_version_that_some_senders_do_not_have_is_theirs_alone() -> None:
    private = an_object(
        "DestinationRule", "api", "host: api\nexportTo: [.]\nsubsets: [{name: v1, labels: {version: v1}}]", "shop"
    )
    copying = virtual_service(
        "hosts: [api]\nhttp: [{route: [{destination: {host: api}}], mirror: {host: api, subset: v1}}]"
    )
    assert _is_copied(shop(private, copying)) == {True, False}
    assert _is_copied(shop(SUBSETS, copying)) == {True}


def _is_copied(mesh: Mesh) -> set[bool]:
    """Whether the branches of the rule copy what they send."""
    branches = (branch for route in mesh.routes for branch in route.branches if not branch.is_implied)
    return {branch.settings.mirror is not None for branch in branches}
