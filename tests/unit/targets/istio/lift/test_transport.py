"""What is said of connections beside the lifted mesh, where the workloads are known from a policy."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.transport import (
    ClientTls,
    LiftedClient,
    LiftedOutside,
    LiftedServer,
    LiftedTransport,
    TlsEnd,
)
from meshproof.compiler.ir.names import NodeName

KNOWN = mesh_of(
    """
gateway edge { namespace shop  hosts "a.example"  port https 443 -> 8443  certificate "cert" }
service web { namespace shop  port http 80 -> 8080 }
service api { namespace shop  port http 80 -> 8080 }
external bank { hosts "bank.example"  port https 443 originate }
"""
)
WEB, API, BANK = NodeName("web"), NodeName("api"), NodeName("bank")


def told(text: str) -> LiftedTransport:
    found = read(text, known=KNOWN).transport
    assert found is not None
    return found


def gateway(tls: str, protocol: str = "HTTPS", host: str = "./a.example") -> str:
    return f"""
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {{name: g, namespace: shop}}
    spec:
      selector: {{istio: edge}}
      servers:
      - port: {{number: 443, name: https, protocol: {protocol}}}
        hosts: ["{host}"]
        tls: {tls}
    """


@pytest.mark.parametrize(
    ("tls", "protocol", "end"),
    [
        ("{mode: SIMPLE, credentialName: c}", "HTTPS", TlsEnd.SERVER),
        ("{credentialName: c}", "HTTPS", TlsEnd.SERVER),
        ("{mode: MUTUAL, credentialName: c}", "HTTPS", TlsEnd.CLIENT),
        ("{mode: OPTIONAL_MUTUAL, credentialName: c}", "HTTPS", TlsEnd.OPTIONAL),
        ("{mode: ISTIO_MUTUAL}", "HTTPS", TlsEnd.MESH),
        ("{mode: PASSTHROUGH}", "TLS", TlsEnd.PASSED),
        ("{mode: SIMPLE, credentialName: c}", "HTTP", TlsEnd.PLAIN),
    ],
)
def test_servers_end_tls_in_their_way(tls: str, protocol: str, end: TlsEnd) -> None:
    (server,) = told(gateway(tls, protocol)).servers
    assert (server.end, server.number, server.workload, server.host) == (end, 443, 8443, "a.example")


def test_servers_say_whose_certificates_and_routes_count() -> None:
    tls = "{mode: MUTUAL, credentialName: cert, caCertCredentialName: ca}"
    (server,) = told(gateway(tls)).servers
    edge = NodeName("edge")
    assert server == LiftedServer(edge, 443, 8443, "a.example", "shop", TlsEnd.CLIENT, "cert", "ca")
    (server,) = told(gateway("{httpsRedirect: true}", "HTTP", "*/a.example")).servers
    assert (server.binds, server.is_redirecting) == (None, True)


def rule(host: str, policy: str, extra: str = "") -> str:
    return f"""
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {{name: r, namespace: shop}}
    spec:
      host: {host}
      trafficPolicy: {policy}
      {extra}
    ---
    """


def clients(text: str, node: NodeName) -> dict[str | None, LiftedClient]:
    return {one.version: one for one in told(text).clients if one.node == node and one.namespace == "shop"}


def test_senders_show_who_they_are_unless_a_rule_says_otherwise() -> None:
    host = "api.shop.svc.cluster.local"
    assert clients("{}", API) == {}
    assert clients("{}", NodeName("edge"))[None].tls is ClientTls.MESH
    assert clients(rule(host, "{tls: {mode: DISABLE}}"), API)[None].tls is ClientTls.NONE
    assert clients(rule(host, "{tls: {mode: SIMPLE}}"), API)[None].tls is ClientTls.STARTED
    subset = "subsets: [{name: v1, labels: {v: a}, trafficPolicy: {tls: {mode: DISABLE}}}]"
    found = clients(rule(host, "{tls: {mode: ISTIO_MUTUAL, sni: x}}", subset), API)
    assert {version: one.tls for version, one in found.items()} == {None: ClientTls.MESH, "v1": ClientTls.NONE}
    assert found[None].sni == "x"


ENTRY = """
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: e, namespace: shop}
    spec:
      hosts: [bank.example]
      ports: [{number: 443, name: https, protocol: HTTP, targetPort: 8443}]
      resolution: %s
      %s
    ---
"""
TLS = "{tls: {mode: SIMPLE, caCertificates: system, subjectAltNames: [bank.example]%s}}"


def test_tls_to_what_is_outside_is_checked_only_if_a_rule_has_all_of_it() -> None:
    entry = ENTRY % ("DNS", "")
    assert clients(entry, BANK)[None].tls is ClientTls.NONE
    found = clients(entry + rule("bank.example", TLS % ""), BANK)[None]
    assert (found.tls, found.is_checked, found.names) == (ClientTls.STARTED, True, ("bank.example",))
    for spoilt in (", insecureSkipVerify: true", ", credentialName: c"):
        assert not clients(entry + rule("bank.example", TLS % spoilt), BANK)[None].is_checked
    for spoilt in (TLS.replace("system", "/own.pem"), TLS.replace("SIMPLE", "MUTUAL")):
        assert not clients(entry + rule("bank.example", spoilt % ""), BANK)[None].is_checked


def test_where_connections_outside_go_is_told() -> None:
    assert told(ENTRY % ("DNS", "")).outside == (LiftedOutside(BANK, "bank.example", 443, 8443),)
    (found,) = told(ENTRY % ("NONE", "")).outside
    assert found.is_at_will
    (found,) = told(ENTRY % ("STATIC", "endpoints: [{address: 10.0.0.1}]")).outside
    assert (found.is_at_will, found.elsewhere) == (False, ("10.0.0.1",))


SIDECAR = """
    apiVersion: networking.istio.io/v1
    kind: Sidecar
    metadata: {name: s, namespace: shop}
    spec:
      workloadSelector: {labels: {app: web}}
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
"""


def test_which_senders_are_held_to_what_they_know_is_told() -> None:
    found = told(SIDECAR)
    assert (found.closed, found.is_closed_elsewhere) == (frozenset({WEB}), False)
    config = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: istio, namespace: istio-system}
    data: {mesh: "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}
    """
    found = told(config)
    assert (found.closed, found.is_closed_elsewhere) == (frozenset({WEB, API}), True)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (
            rule("api", "{connectionPool: {tcp: {idleTimeout: 1s}}}"),
            "spec.trafficPolicy.connectionPool.tcp.idleTimeout",
        ),
        (gateway("{mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_0}"), "minProtocolVersion"),
        (SIDECAR.replace("name: s,", "name: s, labels: {istio.io/rev: old},"), "the label istio.io/rev"),
        (rule("api", "{}", "workloadSelector: {matchLabels: {app: web}}"), "spec.workloadSelector.matchLabels.app"),
    ],
)
def test_whatever_else_is_there_is_told(text: str, field: str) -> None:
    (found,) = told(text).unread
    assert field in found


def test_what_is_read_and_what_every_object_has_is_not_told() -> None:
    noted = SIDECAR.replace("name: s,", "name: s, annotations: {a: b}, labels: {c: d},")
    assert told(noted).unread == ()
    assert told(ENTRY % ("DNS", "") + rule("bank.example", TLS % "")).unread == ()


def test_kinds_that_nobody_knows_are_told() -> None:
    assert told("{apiVersion: example.com/v1, kind: Thing, metadata: {name: x}}").unread == ("every Thing.example.com",)


def test_of_files_of_others_nothing_is_told() -> None:
    assert read(SIDECAR).transport is None
