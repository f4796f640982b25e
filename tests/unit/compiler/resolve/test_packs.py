"""`use`: zones that a file asks for, and who brought it."""

from __future__ import annotations

from tests.strategies.policy_text import MESH, document_of

from meshproof.compiler.resolve import Resolution, resolve

OWN = MESH + "service a { port http 80 tags t }\nservice b { port http 80 }\nzone cde = tagged t\n"
PACK = 'zone cde "where cards are"\nprove "cards" { every request to cde is mtls }'


def resolve_files(**texts: str) -> Resolution:
    files = {name.replace("_", "/") + ".mesh": text for name, text in texts.items()}
    return resolve([document_of(text, file) for file, text in files.items()], packs={"pci": "pack/pci.mesh"})


def test_a_used_file_speaks_of_what_its_zones_are_bound_to() -> None:
    found = resolve_files(main=OWN + 'use "lib/x.mesh" { cde = { b } }', lib_x=PACK)

    assert found.diagnostics == ()
    claim = found.meshes[0].proofs[0].claims[0]
    assert [place.node for place in claim.statement.destinations] == ["b"]  # type: ignore[union-attr]


def test_a_binding_speaks_of_the_names_of_the_file_that_uses() -> None:
    found = resolve_files(main=OWN + 'use pack "pci" { cde = cde }', pack_pci=PACK)

    assert found.diagnostics == ()
    assert [place.node for place in found.meshes[0].proofs[0].claims[0].statement.destinations] == ["a"]  # type: ignore[union-attr]


def test_uses_may_be_nested_and_their_chain_is_kept() -> None:
    middle = 'zone cards "cards"\nuse "../deep/z.mesh" { cde = cards }'
    found = resolve_files(main=OWN + 'use "lib/y.mesh" { cards = { a, b } }', lib_y=middle, deep_z=PACK)

    assert found.diagnostics == ()
    (prove,) = found.meshes[0].proofs
    assert [span.file for span in prove.origin.chain] == ["lib/y.mesh", "main.mesh"]
    assert [place.node for place in prove.claims[0].statement.destinations] == ["a", "b"]  # type: ignore[union-attr]


def test_zones_that_are_asked_for_are_no_zones_of_the_policy() -> None:
    found = resolve_files(main=OWN + 'use pack "pci" { cde = { b } }', pack_pci=PACK)

    assert [(zone.name, zone.destinations) for zone in found.meshes[0].zones] == [("cde", ("a",))]


def test_a_zone_that_is_not_bound() -> None:
    found = resolve_files(main=OWN + 'use pack "pci"', pack_pci=PACK)

    (one,) = found.diagnostics
    assert (one.code, one.message) == ("MP224", "the zone `cde` is not bound")
    assert one.primary is not None
    assert one.primary.file == "main.mesh"
    assert one.labels[1].text == "where cards are"


def test_a_binding_that_is_not_asked_for() -> None:
    found = resolve_files(main=OWN + 'use pack "pci" { cdee = cde, cde = cde }', pack_pci=PACK)

    assert [(one.code, one.help) for one in found.diagnostics] == [("MP225", "did you mean `cde`?")]


def test_zones_that_rest_on_each_other_through_a_binding() -> None:
    found = resolve_files(main=OWN + "zone a1 = { a2 }\nzone a2 = { a3 }\nzone a3 = { a1 }")

    (one,) = found.diagnostics
    assert one.message == "zones contain each other: `a1` contains `a2` contains `a3` contains `a1`"
    assert len(one.labels) == 3
