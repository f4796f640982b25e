"""Who has an identity at a port of a gateway, by how its servers end TLS."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.istio_lifting import DAY, HTTP, OTHER, TCP, WEB, allows, judged, lift, policy, read

from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import NotModelled
from meshproof.compiler.smt.region import Allowed, Identified, Outside, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.premises import premises_of
from meshproof.compiler.verify.verdict import Example

NODE = NodeName("istio-system/istio-ingressgateway")
ASKED = replace(HTTP, destination=NODE, destination_ip=None, port=8443)
STRANGER = "spiffe://foreign.example/ns/shop/sa/web"
KNOWN = 'rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]'
ANY = 'rules: [{from: [{source: {principals: ["*"]}}]}]'


def server(tls: str, protocol: str = "HTTPS", hosts: str = '["*"]', port: int = 8443, name: str = "one") -> str:
    ending = f", tls: {tls}" if tls else ""
    return f"{{port: {{number: {port}, name: {name}, protocol: {protocol}}}, hosts: {hosts}{ending}}}"


def edge(*servers: str, spec: str = KNOWN) -> Mesh:
    listed = ", ".join(servers)
    gateway = (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: front, namespace: shop}\n"
        f"spec: {{selector: {{istio: ingressgateway}}, servers: [{listed}]}}\n---\n"
    )
    return lift(gateway + policy(spec, namespace="istio-system"))


PLAIN = {
    "http": server("", "HTTP"),
    "simple": server("{mode: SIMPLE, credentialName: c}"),
    "by default": server("{credentialName: c}"),
}


@pytest.mark.parametrize("one", PLAIN.values(), ids=PLAIN.keys())
def test_nobody_has_an_identity_where_clients_show_no_certificate(one: str) -> None:
    mesh = edge(one)
    assert not allows(mesh, ASKED, identity=None)
    assert judged(mesh, ASKED).reason is Reason.TRANSPORT


def test_nobody_has_an_identity_in_tls_that_goes_through() -> None:
    mesh = edge(server("{mode: PASSTHROUGH}", "TLS"))
    asked = replace(TCP, destination=NODE, destination_ip=None, port=8443, sni="x.example")
    assert not allows(mesh, asked, identity=None)
    assert judged(mesh, asked).reason is Reason.TRANSPORT


def test_everybody_has_an_identity_behind_the_tls_of_the_mesh() -> None:
    mesh = edge(server("{mode: ISTIO_MUTUAL}"), spec="rules: [{}]")
    assert judged(mesh, ASKED, identity=None).reason is Reason.TRANSPORT
    assert allows(mesh, ASKED)
    assert allows(mesh, ASKED, identity=STRANGER)  # trust domains are looked at by sidecars alone
    named = edge(server("{mode: ISTIO_MUTUAL}"))
    assert [allows(named, ASKED, identity=one) for one in (WEB, OTHER, STRANGER)] == [True, False, False]


@pytest.mark.parametrize("mode", ["MUTUAL", "OPTIONAL_MUTUAL"])
def test_certificates_of_others_may_hold_an_identity(mode: str) -> None:
    mesh = edge(server(f"{{mode: {mode}, credentialName: c}}"))
    assert [allows(mesh, ASKED, identity=one) for one in (WEB, OTHER, STRANGER, None)] == [True, False, False, False]


@pytest.mark.parametrize(
    "spec",
    [
        ANY,
        'action: DENY\nrules: [{from: [{source: {notPrincipals: ["*"]}}]}]',
        "rules: [{from: [{source: {namespaces: [shop]}}]}]",
        'rules: [{when: [{key: source.principal, values: ["*"]}]}]',
    ],
)
def test_a_certificate_without_a_spiffe_id_may_be_a_principal(spec: str) -> None:
    mesh = edge(server("{mode: MUTUAL, credentialName: c}"), spec=spec)
    assert allows(mesh, ASKED)
    with pytest.raises(NotModelled, match="certificate without a SPIFFE ID"):
        judged(mesh, ASKED, identity=None)


def test_names_of_clients_that_a_server_asks_for() -> None:
    mesh = edge(server(f'{{mode: ISTIO_MUTUAL, subjectAltNames: ["{WEB}"]}}'), spec="rules: [{}]")
    assert allows(mesh, ASKED)
    with pytest.raises(NotModelled, match="subjectAltNames"):
        judged(mesh, ASKED, identity=OTHER)


def test_certificates_that_nobody_verifies_prove_nothing() -> None:
    mesh = edge(server("{mode: MUTUAL, credentialName: c, insecureSkipVerify: true}"))
    with pytest.raises(NotModelled, match="insecureSkipVerify"):
        judged(mesh, ASKED)


def test_what_goes_through_unchecked_is_under_no_policy() -> None:
    mesh = edge(server("{mode: AUTO_PASSTHROUGH}", "TLS", '["*.local"]', 15443))
    asked = replace(TCP, destination=NODE, destination_ip=None, port=15443)
    with pytest.raises(NotModelled, match="AUTO_PASSTHROUGH"):
        judged(mesh, asked, identity=None, sni="outbound_.80_._.api.shop.svc.cluster.local")


def test_servers_of_one_port_are_told_apart_by_the_name_that_is_asked_for() -> None:
    mutual = server("{mode: ISTIO_MUTUAL}", hosts='["*.in.example"]', name="in")
    mesh = edge(mutual, server("{mode: SIMPLE, credentialName: c}", hosts='["*"]', name="out"), spec="rules: [{}]")
    assert allows(mesh, ASKED, sni="a.in.example")
    assert allows(mesh, ASKED, identity=None, sni="b.example")
    with pytest.raises(NotModelled, match="server `in`"):
        judged(mesh, ASKED, identity=None, sni="a.in.example")
    with pytest.raises(NotModelled, match="server `out`"):
        judged(mesh, ASKED, sni="b.example")


def test_gateways_of_the_gateway_api_may_end_the_tls_of_the_mesh() -> None:
    def mesh(options: str) -> Mesh:
        return lift(
            f"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {{name: front, namespace: shop}}
            spec:
              gatewayClassName: istio
              listeners:
              - name: tls
                port: 8443
                protocol: HTTPS
                tls: {{mode: Terminate, options: {options}}}
            """
        )

    asked = replace(ASKED, destination=NodeName("shop/front-istio"))
    assert allows(mesh("{gateway.istio.io/tls-terminate-mode: ISTIO_MUTUAL}"), asked, identity=STRANGER)
    assert not allows(mesh("{gateway.istio.io/tls-terminate-mode: ISTIO_MUTUAL}"), asked, identity=None)
    assert allows(mesh("{gateway.istio.io/tls-terminate-mode: OPTIONAL_MUTUAL}"), asked, identity=None)
    assert judged(mesh("{}"), asked).reason is Reason.TRANSPORT


def test_a_port_of_which_no_server_is_known_takes_both() -> None:
    """The Service that leads to a gateway is often in other files."""
    mesh = edge(server("", "HTTP", port=80), spec=KNOWN)
    assert allows(mesh, ASKED)
    assert not allows(mesh, ASKED, identity=None)


def test_ports_of_an_installed_gateway_are_those_of_its_pods() -> None:
    """Where no file has its Service, 80 leads to 8080 and 443 to 8443."""
    mesh = edge(server("", "HTTP", port=80), server("{mode: ISTIO_MUTUAL}", port=443, name="two"), spec="rules: [{}]")
    for number in (80, 8080):
        assert allows(mesh, ASKED, port=number, identity=None)
        assert judged(mesh, ASKED, port=number).reason is Reason.TRANSPORT
    for number in (443, 8443):
        assert allows(mesh, ASKED, port=number)
        assert judged(mesh, ASKED, port=number, identity=None).reason is Reason.TRANSPORT


def test_a_proof_says_that_signers_keep_to_the_trusted_domains() -> None:
    analysis = Analysis(edge(server("{mode: ISTIO_MUTUAL}")), DAY)
    scope = analysis.scope(next(one for one in analysis.scopes() if one.port == ASKED.port))
    assert any("signs certificates of clients" in one.text for one in premises_of(analysis, (scope,)))


def test_the_solver_knows_who_comes_to_which_port() -> None:
    """What it finds is replayed by the interpreter."""
    servers = (
        server("", "HTTP", port=8080, name="plain"),
        server("{mode: ISTIO_MUTUAL}", name="mesh"),
        server("{mode: OPTIONAL_MUTUAL, credentialName: c}", port=9443, name="either"),
    )
    analysis = Analysis(edge(*servers, spec="rules: [{}]"), DAY)
    found = {}
    for number in (8080, 8443, 9443):
        scope = analysis.scope(next(one for one in analysis.keys if one.port == number))
        known, unknown = both(Allowed(), Identified()), both(Allowed(), Outside(Identified()))
        found[number] = [isinstance(scope.is_satisfiable(region), Example) for region in (known, unknown)]
    assert found == {8080: [False, True], 8443: [True, False], 9443: [True, True]}


def test_nodes_that_are_known_from_elsewhere_are_what_they_are() -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: front, namespace: shop}\n"
        f"spec: {{selector: {{istio: ingressgateway}}, servers: [{server('', 'HTTP')}]}}\n"
    )
    known = read(text).mesh
    assert known is not None
    assert {one.scope for one in known.mtls} - {one.scope for one in read(text, known=known).mesh.mtls}  # type: ignore[union-attr]
