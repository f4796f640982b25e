"""mTLS statements by scope."""

from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.mtls import MeshScope, MtlsMode, MtlsScope, NamespaceScope, PortScope, ServiceScope
from meshproof.compiler.ir.names import NodeName

WORLD = (
    "service a { port http 80  port metrics http 9090 }\nservice b { port http 80 -> 8080  tags t }\nzone z = { b }\n"
)
A, B = NodeName("a"), NodeName("b")


def scopes_of(text: str) -> list[MtlsScope]:
    """All but the mesh's own."""
    return [policy.scope for policy in mesh_of(WORLD + text).mtls if policy.scope != MeshScope()]


def test_without_any_statement_the_mesh_is_strict() -> None:
    (policy,) = mesh_of(WORLD).mtls

    assert (policy.scope, policy.mode, policy.until) == (MeshScope(), MtlsMode.STRICT, None)


def test_each_place_of_a_statement_is_a_scope() -> None:
    assert scopes_of("mtls strict for a") == [ServiceScope(A)]
    assert scopes_of("mtls strict for b:http") == [PortScope(B, 8080)]
    assert scopes_of("mtls strict for namespace app") == [NamespaceScope("app")]
    assert scopes_of('mtls strict for namespace app of "td"') == [NamespaceScope("app")]
    assert scopes_of("mtls strict for { a, b:http }") == [ServiceScope(A), PortScope(B, 8080)]
    assert scopes_of("mtls strict for all:http") == [PortScope(A, 80), PortScope(B, 8080)]
    assert scopes_of("mtls strict for all except a:http") == [PortScope(A, 9090), PortScope(B, 8080)]
    assert scopes_of("mtls strict for all except a") == [ServiceScope(B)]
    assert scopes_of("mtls strict for z") == [ServiceScope(B)]
    assert scopes_of("mtls strict for tagged t or namespace n") == [NamespaceScope("n"), ServiceScope(B)]


def test_all_is_the_mesh() -> None:
    (policy,) = mesh_of(WORLD + 'mtls permissive for all { because "x" owner "y" until 2027-01-31 }').mtls

    assert (policy.scope, policy.mode) == (MeshScope(), MtlsMode.PERMISSIVE)
    assert (policy.because, policy.owner, policy.until) == ("x", "y", date(2027, 1, 31))


def test_defaults_of_mesh_and_namespace_are_statements() -> None:
    mesh = mesh_of(
        'mesh m { language 1 trust-domain "td" namespace app mtls disabled { because "lab" until 2027-01-31 } }\n'
        "namespace app { mtls strict }\n" + WORLD,
        has_mesh=True,
    )

    assert [(policy.scope, policy.mode) for policy in mesh.mtls] == [
        (MeshScope(), MtlsMode.DISABLED),
        (NamespaceScope("app"), MtlsMode.STRICT),
    ]
    assert mesh.mtls[0].because == "lab"


def test_one_statement_may_name_a_port_twice() -> None:
    assert scopes_of("mtls strict for { b:http, b:8080 }") == [PortScope(B, 8080)]
