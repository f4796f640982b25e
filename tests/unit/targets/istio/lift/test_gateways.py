"""Gateways: where they listen, which routes bind to them, and what they do with requests for a host."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.istio_routes import SHOP, an_object, deployment, outcome, sent, service, shop, virtual_service

from meshproof.compiler.ir.entities import Gateway, Layer, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import ClaimObject, RequestProtocol, Token

EDGE = "edge/ingress"
PODS = deployment("ingress", "edge", "ingress", app="ingress", istio="ingress") + service(
    "ingress", "{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}", "edge"
)
TCP: dict[str, Any] = {"protocol": RequestProtocol.TCP, "method": None, "host": None, "path": None, "identity": None}


def gateway(*servers: str, name: str = "gw", namespace: str = "edge") -> str:
    return an_object("Gateway", name, f"selector: {{istio: ingress}}\nservers: [{', '.join(servers)}]", namespace)


def server(hosts: str, port: int = 80, protocol: str = "HTTP", tls: str = "") -> str:
    more = f", tls: {tls}" if tls else ""
    return f"{{hosts: [{hosts}], port: {{number: {port}, name: p{port}-{protocol}, protocol: {protocol}}}{more}}}"


def bound(hosts: str, status: int, more: str = "", **fields: str) -> str:
    """Routes at the gateway that answer a status."""
    spec = f"hosts: [{hosts}]\ngateways: [edge/gw]\nhttp: [{{{more}directResponse: {{status: {status}}}}}]"
    return virtual_service(spec, **fields)


def at_edge(mesh: Mesh, host: str, **fields: Any) -> object:  # noqa: ANN401  fields of a request
    return sent(mesh, EDGE, **{"port": 8080, "host": host, "identity": None, **fields})


def the_gateway(mesh: Mesh) -> Gateway:
    return next(one for one in mesh.gateways if one.name == EDGE)


def test_ports_are_those_of_the_pods_and_hosts_those_of_the_servers() -> None:
    secured = server("b.example", 443, "HTTPS", "{mode: MUTUAL, credentialName: b-cert}")
    found = the_gateway(shop(PODS, gateway(server("a.example"), secured)))
    assert [(one.number, one.workload, one.protocol, one.layer) for one in found.ports] == [
        (80, 8080, Protocol.HTTP, Layer.HTTP),
        (443, 8443, Protocol.HTTPS, Layer.HTTP),
    ]
    assert found.hosts == ("a.example", "b.example")
    assert (found.certificate, found.client_ca) == ("b-cert", "b-cert-cacert")


@pytest.mark.parametrize(
    ("protocol", "tls", "layer"),
    [
        ("HTTPS", "{mode: SIMPLE, credentialName: c}", Layer.HTTP),
        ("HTTPS", "{mode: ISTIO_MUTUAL}", Layer.HTTP),
        ("HTTPS", "{mode: PASSTHROUGH}", Layer.TCP),
        ("TLS", "{mode: SIMPLE, credentialName: c}", Layer.TCP),
        ("TLS", "{mode: PASSTHROUGH}", Layer.TCP),
        ("TCP", "", Layer.TCP),
        ("GRPC", "", Layer.HTTP),
        ("HTTP2", "", Layer.HTTP),
    ],
)
def test_what_a_gateway_sees(protocol: str, tls: str, layer: Layer) -> None:
    (port,) = the_gateway(shop(PODS, gateway(server("'*'", 443, protocol, tls)))).ports
    assert port.layer is layer
    assert port.is_passthrough is ("PASSTHROUGH" in tls)


def test_the_selector_takes_pods_of_any_namespace() -> None:
    far = gateway(server("'*'"), namespace="elsewhere")
    assert [port.workload for port in the_gateway(shop(PODS, far)).ports] == [8080]
    assert not shop(PODS.replace("istio: ingress", "istio: other"), deployment("x", app="x")).gateways


HOSTS = [
    ("a.example", "a.example", "a.example", True),
    ("'*'", "a.example", "a.example", True),
    ("'*.example'", "a.example", "a.example", True),
    ("a.example", "'*.example'", "a.example", True),
    ("a.example", "'*.example'", "b.example", False),
    ("'*'", "'*'", "whatever", True),
    ("b.example", "a.example", "a.example", False),
    ("'*.b.example'", "'*.example'", "x.b.example", True),
    ("'*.b.example'", "'*.example'", "b.example", False),
    ("a.example", "a.example", "A.EXAMPLE:8080", True),  # case and port do not matter to routes
    ("shop/a.example", "a.example", "a.example", True),
    ("./a.example", "a.example", "a.example", False),  # the routes are in another namespace than the gateway
    ("'*/a.example'", "a.example", "a.example", True),
    ("batch/a.example", "a.example", "a.example", False),
]


@pytest.mark.parametrize(("of_server", "of_routes", "asked", "is_taken"), HOSTS)
def test_names_that_both_have(of_server: str, of_routes: str, asked: str, is_taken: bool) -> None:
    mesh = shop(PODS, gateway(server(of_server)), bound(of_routes, 418))
    assert at_edge(mesh, asked) == (418 if is_taken else None)


def test_the_closest_name_decides_and_nothing_falls_through() -> None:
    mesh = shop(
        PODS,
        gateway(server("'*'")),
        bound("'*'", 401, name="all"),
        bound("'*.example'", 402, name="wide"),
        bound("a.example", 403, "match: [{uri: {prefix: /x}}], ", name="one"),
    )
    assert at_edge(mesh, "b.test") == 401
    assert at_edge(mesh, "b.example") == 402
    assert at_edge(mesh, "a.example", path="/x") == 403
    assert at_edge(mesh, "a.example", path="/y") is None


def test_routes_of_several_objects_for_one_host_are_merged_in_order_of_age() -> None:
    young = bound("a.example", 401, "match: [{uri: {prefix: /}}], ", name="young", created="2026-01-01T00:00:00Z")
    old = bound("a.example", 402, "match: [{uri: {prefix: /x}}], ", name="old", created="2020-01-01T00:00:00Z")
    mesh = shop(PODS, gateway(server("a.example")), young, old)
    assert at_edge(mesh, "a.example", path="/x") == 402
    assert at_edge(mesh, "a.example", path="/y") == 401


@pytest.mark.parametrize(
    ("name", "is_bound"),
    [("edge/gw", True), ("gw.edge.svc.cluster.local", True), ("gw", False), ("mesh", False), ("edge/other", False)],
)
def test_names_of_gateways(name: str, is_bound: bool) -> None:
    text = virtual_service(f"hosts: [a.example]\ngateways: ['{name}']\nhttp: [{{directResponse: {{status: 418}}}}]")
    assert at_edge(shop(PODS, gateway(server("'*'")), text), "a.example") == (418 if is_bound else None)


def test_conditions_that_are_told_apart_when_proxies_are_configured() -> None:
    def with_match(match: str) -> object:
        return at_edge(shop(PODS, gateway(server("'*'")), bound("'*'", 418, f"match: [{match}], ")), "a.example")

    assert with_match("{port: 80}") == 418  # the number that is dialled
    assert with_match("{port: 8080}") is None
    assert with_match("{gateways: [edge/gw]}") == 418
    assert with_match("{gateways: [mesh]}") is None
    assert with_match("{sourceLabels: {app: ingress}}") == 418  # of the gateway itself
    assert with_match("{sourceLabels: {app: web}}") is None


def test_claims_of_tokens_at_gateways() -> None:
    match = "match: [{headers: {'@request.auth.claims.group': {exact: dev}}}], "
    authentication = (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: idp, namespace: edge}\n"
        "spec: {jwtRules: [{issuer: 'https://idp', jwksUri: 'https://idp/keys'}]}\n---\n"
    )
    mesh = shop(PODS, gateway(server("'*'")), bound("'*'", 418, match), authentication)
    claims = ClaimObject((("iss", "https://idp"), ("group", "dev")))
    assert at_edge(mesh, "a.example", token=Token(is_valid=True, claims=claims)) == 418
    assert at_edge(mesh, "a.example") is None


def test_https_redirect_takes_everything_for_its_hosts() -> None:
    moved = server("a.example", tls="{httpsRedirect: true}")
    mesh = shop(PODS, gateway(moved, server("b.example")), bound("'*.example'", 418))
    assert at_edge(mesh, "a.example") == 301
    assert at_edge(mesh, "b.example") == 418
    found = outcome(mesh, EDGE, port=8080, host="a.example", identity=None)
    assert found is not None
    assert found.redirect is not None
    assert found.redirect.scheme == "https"


def test_a_gateway_sends_to_services_and_tries_again_as_sidecars_do() -> None:
    text = virtual_service(
        "hosts: [a.example]\ngateways: [edge/gw]\nhttp: [{route: [{destination: {host: old, port: {number: 80}}}]}]"
    )
    found = outcome(shop(PODS, gateway(server("'*'")), text), EDGE, port=8080, host="a.example", identity=None)
    assert found is not None
    assert found.destinations == (("shop/old:9080", 100),)
    assert found.retry is not None


def test_tls_that_goes_through_is_routed_by_server_name() -> None:
    text = virtual_service(
        "hosts: [a.example]\ngateways: [edge/gw]\n"
        "tls: [{match: [{port: 443, sniHosts: [a.example]}], "
        "route: [{destination: {host: old, port: {number: 5432}}}]}]"
    )
    mesh = shop(PODS, gateway(server("'*.example'", 443, "TLS", "{mode: PASSTHROUGH}")), text)
    assert sent(mesh, EDGE, port=8443, sni="a.example", **TCP) == {"shop/old:5432": 100}
    assert sent(mesh, EDGE, port=8443, sni="b.example", **TCP) is None


def test_connections_are_routed_by_their_port() -> None:
    text = virtual_service(
        "hosts: ['*']\ngateways: [edge/gw]\n"
        "tcp: [{match: [{port: 80}], route: [{destination: {host: old, port: {number: 5432}}}]}]"
    )
    mesh = shop(PODS, gateway(server("'*'", 80, "TCP")), text)
    assert sent(mesh, EDGE, port=8080, **TCP) == {"shop/old:5432": 100}


def test_auto_passthrough_is_not_modelled() -> None:
    text = SHOP + PODS + gateway(server("'*.local'", 443, "TLS", "{mode: AUTO_PASSTHROUGH}"))
    assert any("AUTO_PASSTHROUGH" in one.message for one in read(text).diagnostics)
