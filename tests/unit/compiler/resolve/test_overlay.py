"""An overlay over a mesh that has names with slashes, as lifted ones do."""

from __future__ import annotations

from dataclasses import replace

from tests.strategies.policy_text import document_of, mesh_of

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.resolve import is_overlay, resolve_overlay

LIFTED = """
service "app/web" { account web  port http 80  tags t }
service "app/db" { account db  port tcp 5432 }
allow "app/r[0]": "app/web" -> "app/db"
"""


def lifted() -> Mesh:
    return mesh_of(LIFTED)


def test_it_adds_zones_claims_tests_and_waivers() -> None:
    text = (
        'zone data = { "app/db" }\nprove "p" { only "app/web" reaches data }\n'
        'test t { "app/web" -> "app/db" => allow by "app/r[0]" }\nwaive MP305 on "app/r[0]" because "x"'
    )
    found = resolve_overlay([document_of(text, "overlay.mesh")], lifted())
    (mesh,) = found.meshes

    assert found.diagnostics == ()
    assert [zone.name for zone in mesh.zones] == ["data"]
    assert mesh.proofs[0].claims[0].statement.destinations[0].node == "app/db"  # type: ignore[union-attr]
    assert mesh.tests[0].lines[0].requests[0].source.identity == "spiffe://td/ns/app/sa/web"
    assert mesh.waivers[0].subject == "app/r[0]"
    assert replace(mesh, zones=(), proofs=(), tests=(), waivers=()) == lifted()


def test_it_may_use_a_pack() -> None:
    pack = document_of('zone cde "cards"\nprove "p" { every request to cde is mtls }', "pack/pci.mesh")
    main = document_of('use pack "pci" { cde = tagged t }', "overlay.mesh")
    found = resolve_overlay([main, pack], lifted(), packs={"pci": "pack/pci.mesh"})

    assert found.diagnostics == ()
    assert found.meshes[0].proofs[0].claims[0].statement.destinations[0].node == "app/web"  # type: ignore[union-attr]


def test_other_statements_are_refused() -> None:
    documents = [document_of('zone z = all\nallow "app/web" -> "app/db"', "overlay.mesh")]
    found = resolve_overlay(documents, lifted())

    assert [one.code for one in found.diagnostics] == ["MP238"]
    assert found.meshes == ()
    assert not is_overlay(documents)
    assert is_overlay([document_of("zone z = all")])


def test_names_are_looked_up_in_the_mesh() -> None:
    found = resolve_overlay([document_of('prove "p" { only "app/wep" reaches "app/db" }')], lifted())

    assert [(one.code, one.help) for one in found.diagnostics] == [("MP201", "did you mean `app/web`?")]


def test_a_zone_may_not_take_the_name_of_a_workload() -> None:
    found = resolve_overlay([document_of('zone "app/web" = all')], lifted())

    assert [one.code for one in found.diagnostics] == ["MP202"]


def test_there_are_no_environments() -> None:
    found = resolve_overlay([document_of("zone z = all env prod")], lifted())

    assert [one.code for one in found.diagnostics] == ["MP210"]
