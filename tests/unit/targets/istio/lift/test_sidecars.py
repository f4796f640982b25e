"""Sidecars and the outbound traffic policy: what senders' proxies know, and what they do with the rest."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import allows, config
from tests.strategies.istio_routes import JOB, WEB, an_object, outcome, sent, shop, virtual_service

from meshproof.compiler.ir.entities import Protocol
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics.errors import NotModelled

CLOSED = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"
AS_CALLED = {"shop/api-v1:8080": 100}
ROUTES = virtual_service("hosts: [api]\nhttp: [{directResponse: {status: 418}}]")
BANK = an_object(
    "ServiceEntry",
    "bank",
    "hosts: [api.bank.example]\nports: [{number: 443, name: https, protocol: HTTPS}]\nresolution: DNS",
)


def sidecar(spec: str, name: str = "default", namespace: str = "shop") -> str:
    return an_object("Sidecar", name, spec, namespace)


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (f"egress: [{{hosts: ['./*']}}]\n{CLOSED}", 418),
        (f"egress: [{{hosts: ['shop/api.shop.svc.cluster.local']}}]\n{CLOSED}", 418),
        (f"egress: [{{hosts: ['*/*.shop.svc.cluster.local']}}]\n{CLOSED}", 418),
        (f"egress: [{{hosts: ['batch/*']}}]\n{CLOSED}", 502),
        (f"egress: [{{hosts: ['~/*']}}]\n{CLOSED}", 502),
        (f"egress: [{{port: {{number: 9000, name: x, protocol: HTTP}}, hosts: ['./*']}}]\n{CLOSED}", 502),
        ("egress: [{hosts: ['~/*']}]", AS_CALLED),  # passed on to the address that was dialled
        ("egress: [{hosts: ['~/*']}]\noutboundTrafficPolicy: {}", 502),  # the first value is REGISTRY_ONLY
        (CLOSED, 418),
    ],
)
def test_what_a_proxy_knows(spec: str, found: object) -> None:
    mesh = shop(ROUTES, sidecar(spec))
    assert sent(mesh) == found
    assert sent(mesh, identity=JOB) == 418  # another namespace, without a Sidecar


def test_the_workloads_own_sidecar_comes_first_then_the_namespaces_then_the_roots() -> None:
    root = sidecar(f"egress: [{{hosts: ['~/*']}}]\n{CLOSED}", namespace="istio-system")
    near = sidecar(f"egress: [{{hosts: ['./*']}}]\n{CLOSED}")
    own = sidecar(f"workloadSelector: {{labels: {{app: web}}}}\negress: [{{hosts: ['~/*']}}]\n{CLOSED}", "own")
    assert sent(shop(ROUTES, root)) == 502
    assert sent(shop(ROUTES, root, near)) == 418
    assert sent(shop(ROUTES, root, near, own)) == 502
    assert sent(shop(ROUTES, root, near, own), identity="spiffe://cluster.local/ns/shop/sa/default") == 418


def test_whose_account_several_workloads_share_is_not_told_apart() -> None:
    own = sidecar(f"workloadSelector: {{labels: {{app: old}}}}\negress: [{{hosts: ['~/*']}}]\n{CLOSED}", "own")
    with pytest.raises(NotModelled):
        sent(shop(ROUTES, own), identity="spiffe://cluster.local/ns/shop/sa/default")
    assert sent(shop(ROUTES, own)) == 418


def test_who_shows_no_identity_may_be_any_sender() -> None:
    mesh = shop(ROUTES, sidecar(f"egress: [{{hosts: ['~/*']}}]\n{CLOSED}"))
    with pytest.raises(NotModelled):
        outcome(mesh, identity=None)
    assert sent(shop(ROUTES), identity=None) == 418


def test_a_virtual_service_comes_with_a_host_of_it() -> None:
    far = virtual_service("hosts: [api.shop.svc.cluster.local]\nhttp: [{directResponse: {status: 418}}]", "r", "batch")
    assert sent(shop(far, sidecar("egress: [{hosts: ['*/*']}]"))) == 418
    assert sent(shop(far, sidecar("egress: [{hosts: ['shop/*']}]"))) == AS_CALLED


def _goes_out(mesh: Mesh, identity: str) -> bool:
    request = Request(Peer(identity), NodeName("shop/bank"), 443, RequestProtocol.TCP)
    return allows(mesh, request)


def test_the_way_out_is_open_unless_said_otherwise() -> None:
    mesh = shop(BANK)
    assert mesh.egress is Egress.OPEN
    assert [(one.name, one.hosts) for one in mesh.externals] == [("shop/bank", ("api.bank.example",))]
    assert mesh.externals[0].ports[0].protocol is Protocol.HTTPS
    assert _goes_out(mesh, WEB)


def test_who_may_go_out_where_proxies_are_closed() -> None:
    mesh = shop(BANK, config("outboundTrafficPolicy: {mode: REGISTRY_ONLY}"), sidecar("egress: [{hosts: ['~/*']}]"))
    assert mesh.egress is Egress.CLOSED
    assert not _goes_out(mesh, WEB)  # its Sidecar does not bring the host
    assert _goes_out(mesh, JOB)
    private = shop(
        BANK.replace("resolution: DNS", "resolution: DNS\n  exportTo: [.]"),
        sidecar(CLOSED),
        sidecar(CLOSED, namespace="batch"),
    )
    assert _goes_out(private, WEB)
    assert not _goes_out(private, JOB)


def test_listeners_of_a_sidecar_make_its_workloads_unknown() -> None:
    text = "workloadSelector: {labels: {app: old}}\ningress: [{port: {number: 1234, protocol: HTTP, name: x}}]"
    mesh = shop(sidecar(text))
    with pytest.raises(NotModelled):
        allows(mesh, Request(Peer(WEB), NodeName("shop/old"), 9000, RequestProtocol.TCP))
    assert allows(mesh, Request(Peer(WEB), NodeName("shop/web"), 9000, RequestProtocol.TCP))
