"""Zones that rest on zones."""

from __future__ import annotations

from tests.strategies.policy_text import mesh_of, resolve_text

WORLD = "service a {}\nservice b {}\nservice c {}\n"


def test_order_of_declaration_does_not_matter() -> None:
    forward = mesh_of(WORLD + "zone x = { a }\nzone y = { x, b }")
    backward = mesh_of(WORLD + "zone y = { x, b }\nzone x = { a }")

    assert [zone.sources for zone in forward.zones] == [zone.sources for zone in backward.zones]
    assert [zone.destinations for zone in forward.zones] == [("a",), ("a", "b")]


def test_a_long_chain_of_plain_zones_is_fine() -> None:
    chain = "".join(f"zone z{i} = {{ z{i - 1}, b }}\n" for i in range(1, 2000))
    mesh = mesh_of(WORLD + "zone z0 = { a }\n" + chain)

    assert len(mesh.zones) == 2000
    assert mesh.zones[-1].destinations == ("a", "b")


def test_zones_nested_beyond_reason_are_a_finding() -> None:
    chain = "".join(f"zone z{i} = {{ z{i - 1} or b }} except {{ c and a }}\n" for i in range(1, 2000))
    found = resolve_text(WORLD + "zone z0 = { a }\n" + chain)

    assert [one.code for one in found.diagnostics] == ["MP215"]
    assert found.meshes == ()


def test_a_zone_in_itself_is_a_circle() -> None:
    (found,) = resolve_text(WORLD + "zone x = { x, a }").diagnostics

    assert found.message == "zones contain each other: `x` contains `x`"
    assert len(found.labels) == 1


def test_two_circles_are_two_findings() -> None:
    found = resolve_text("zone a = { b }\nzone b = { a }\nzone c = { d }\nzone d = { c }")

    assert [one.code for one in found.diagnostics] == ["MP215", "MP215"]
