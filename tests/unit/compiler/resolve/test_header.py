"""The `mesh` block."""

from __future__ import annotations

from tests.strategies.policy_text import document_of

from meshproof.compiler.resolve import resolve


def test_a_policy_without_a_mesh_block_is_blamed_at_its_first_file() -> None:
    documents = [document_of("service b {}", "b.mesh"), document_of("service a {}", "a.mesh")]
    (found,) = resolve(documents).diagnostics

    assert found.code == "MP205"
    assert found.primary is not None
    assert found.primary.file == "a.mesh"


def test_no_document_at_all_is_no_policy() -> None:
    assert [found.code for found in resolve([]).diagnostics] == ["MP205"]


def test_what_the_block_says_is_in_the_mesh() -> None:
    text = 'mesh m { language 1 trust-domain "td" aliases "b", "a" trusts "z", "y" namespace n egress open }'
    (mesh,) = resolve([document_of(text)]).meshes

    assert (mesh.name, mesh.language, mesh.trust_domain, mesh.namespace) == ("m", 1, "td", "n")
    assert (mesh.aliases, mesh.trusts) == (("a", "b"), ("y", "z"))
    assert mesh.egress is not None
    assert mesh.egress.value == "open"
    assert mesh.environment is None


def test_an_environment_listed_twice_is_a_finding() -> None:
    text = 'mesh m { language 1 trust-domain "td" environments a, a }'
    found = resolve([document_of(text)])

    assert [one.code for one in found.diagnostics] == ["MP202"]
