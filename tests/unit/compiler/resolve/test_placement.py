"""`files` of a namespace."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import MESH, document_of

from meshproof.compiler.resolve import resolve

WORLD = (
    MESH
    + """
namespace app { files "teams/pay/**", "own-*.mesh" }
service a { port http 80 }
service b { port http 80 namespace n }
"""
)


def codes(statement: str, file: str) -> list[str]:
    found = resolve([document_of(WORLD, "mesh.mesh"), document_of(statement, file)])
    return [one.code for one in found.diagnostics]


@pytest.mark.parametrize("file", ["teams/pay/x.mesh", "teams/pay/deep/er/x.mesh", "own-1.mesh"])
@pytest.mark.parametrize(
    "statement", ["allow a -> a", "allow r: a -> all", "route a { timeout 1s }", "mtls strict for a"]
)
def test_inside_of_the_files(statement: str, file: str) -> None:
    assert codes(statement, file) == []


@pytest.mark.parametrize("file", ["teams/payments/x.mesh", "x.mesh", "deep/own-1.mesh", "own-/x.mesh"])
@pytest.mark.parametrize(
    "statement",
    ["allow a -> a", "allow r: a -> all", "audit allow r: a -> a", "route a { timeout 1s }", "mtls strict for a:http"],
)
def test_outside_of_the_files(statement: str, file: str) -> None:
    assert codes(statement, file) == ["MP226"]


@pytest.mark.parametrize(
    "statement", ["deny r: a -> a", "audit deny r: a -> all", "allow a -> b", "route b { timeout 1s }"]
)
def test_denies_and_other_namespaces_may_stand_anywhere(statement: str) -> None:
    assert codes(statement, "x.mesh") == []


def test_a_mode_for_the_whole_mesh_is_one_for_the_namespace() -> None:
    assert codes("mtls permissive for all", "x.mesh") == ["MP226"]
