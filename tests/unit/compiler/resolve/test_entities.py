"""Declarations: defaults, identities, layers and inheritance."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import MESH, mesh_of

from meshproof.compiler.ir.entities import Gateway, Layer, Need, Protocol, Service, TokenPlace
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName, SpiffeId


def service_of(text: str, name: str = "a") -> Service:
    node = mesh_of(text).node(NodeName(name))
    assert isinstance(node, Service)
    return node


def gateway_of(text: str) -> Gateway:
    node = mesh_of(text).node(NodeName("g"))
    assert isinstance(node, Gateway)
    return node


def test_a_service_has_its_defaults() -> None:
    service = service_of("service a { port http 80 }")

    assert (service.namespace, service.account, service.platform_name) == ("app", "a", "a")
    assert service.identity == SpiffeId("td", "/ns/app/sa/a")
    assert service.labels == (("app", "a"),)
    assert service.default_allow == ()


def test_a_service_says_otherwise() -> None:
    service = service_of('service a { namespace n account "my_sa" name "redis" labels { z: "1", app: "x" } tags t, s }')

    assert (service.namespace, service.account, service.platform_name) == ("n", "my_sa", "redis")
    assert service.identity.uri == "spiffe://td/ns/n/sa/my_sa"
    assert service.labels == (("app", "x"), ("z", "1"))
    assert service.tags == ("s", "t")


@pytest.mark.parametrize(
    ("declared", "name", "layer", "number", "workload"),
    [
        ("port http 80 -> 8080", "http", Layer.HTTP, 80, 8080),
        ("port grpc 50051", "grpc", Layer.HTTP, 50051, 50051),
        ("port http2 80", "http2", Layer.HTTP, 80, 80),
        ("port api https 443", "api", Layer.TCP, 443, 443),
        ("port tls 443", "tls", Layer.TCP, 443, 443),
        ("port tcp 5432", "tcp", Layer.TCP, 5432, 5432),
    ],
)
def test_ports_of_services(declared: str, name: str, layer: Layer, number: int, workload: int) -> None:
    (port,) = service_of(f"service a {{ {declared} }}").ports

    assert (port.name, port.layer, port.number, port.workload) == (name, layer, number, workload)


def test_the_proxy_that_ends_tls_sees_http() -> None:
    ports = gateway_of('gateway g { port https 443 -> 8443  port raw https 444 passthrough  certificate "c" }').ports

    assert [(port.workload, port.layer, port.is_passthrough) for port in ports] == [
        (444, Layer.TCP, True),
        (8443, Layer.HTTP, False),
    ]


def test_the_proxy_that_starts_tls_sees_http() -> None:
    mesh = mesh_of('external e { hosts "e"  port https 443 originate  port other https 444 }')

    assert [(port.layer, port.is_originated) for port in mesh.externals[0].ports] == [
        (Layer.HTTP, True),
        (Layer.TCP, False),
    ]


def test_a_gateway_has_its_defaults() -> None:
    gateway = gateway_of('gateway g { hosts "A.Example.", "*.b" port http 80 trusted-proxies 2 client-ca "ca" }')

    assert gateway.labels == (("istio", "g"),)
    assert gateway.hosts == ("a.example", "*.b")
    assert gateway.identity.uri == "spiffe://td/ns/app/sa/g"
    assert (gateway.trusted_proxies, gateway.certificate, gateway.client_ca) == (2, None, "ca")


def test_issuers_and_authorizers() -> None:
    mesh = mesh_of(
        'issuer i { url "https://i" audiences "b", "a" from cookie "t" strip }\n'
        'issuer j { url "https://j" jwks "https://j/k" from header "X-T" }\n'
        'authorizer o { address "o:1" timeout 200ms }\nauthorizer p { address "p:1" protocol http }\n'
        "service a { accepts j, i }"
    )
    first, second = mesh.issuers

    assert (first.audiences, first.place, first.is_stripped) == (("b", "a"), TokenPlace("cookie", "t"), True)
    assert (second.jwks, second.place, second.is_stripped) == ("https://j/k", TokenPlace("header", "x-t"), False)
    assert [(one.protocol, one.timeout_ms) for one in mesh.authorizers] == [("grpc", 200), ("http", None)]
    assert mesh.services[0].accepts == ("i", "j")


def test_needs_are_by_workload_port() -> None:
    mesh = mesh_of(
        'service a { calls b:http, e }\nservice b { port http 80 -> 8080 }\nexternal e { hosts "e" port tcp 1 }'
    )

    assert [(need.destination, need.port) for need in mesh.services[0].calls] == [("b", 8080), ("e", None)]
    assert isinstance(mesh.services[0].calls[0], Need)


def test_observe_is_inherited_and_overridden() -> None:
    mesh = mesh_of(
        'namespace app { owner "t" closed files "x/**" observe { because "all" until 2027-01-31 } }\n'
        'service a {}\nservice b { observe { because "own" owner "o" until 2027-02-28 } }\nservice c { namespace n }'
    )
    (namespace,) = mesh.namespaces
    a, b, c = mesh.services

    assert (namespace.owner, namespace.is_closed, namespace.files) == ("t", True, ("x/**",))
    assert a.observe is not None
    assert (a.observe.because, a.observe.until) == ("all", date(2027, 1, 31))
    assert b.observe is not None
    assert (b.observe.because, b.observe.owner) == ("own", "o")
    assert c.observe is None


def test_an_alias_is_read_as_our_trust_domain() -> None:
    mesh = mesh_of(
        'mesh m { language 1 trust-domain "td" aliases "old" namespace app egress open }\n'
        'service a { identity "spiffe://old/ns/app/sa/a" }',
        has_mesh=True,
    )

    assert mesh.services[0].identity.uri == "spiffe://td/ns/app/sa/a"
    assert (mesh.aliases, mesh.egress) == (("old",), Egress.OPEN)


def test_everything_is_sorted_and_has_an_origin() -> None:
    mesh = mesh_of("service b { port tcp 2  port x tcp 1 }\nservice a {}")

    assert [service.name for service in mesh.services] == ["a", "b"]
    assert [port.workload for port in mesh.services[1].ports] == [1, 2]
    assert mesh.services[1].origin.span.start == len(MESH)
    assert mesh.services[1].ports[0].protocol is Protocol.TCP
