"""What is told of connections: gateways' listeners, closed senders, and whom callers take for the ones they call."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.targets.appmesh.lift.composed.scenes import (
    EDGE,
    GATE,
    OLD,
    PAY,
    WEB,
    door_route,
    edge,
    gate,
    may,
    names,
    pay,
    read,
    takes,
    told,
    understood,
    way,
    web,
)
from tests.unit.targets.appmesh.lift.scenes import listener, node, router, sds, service, tls

from meshproof.compiler.backend.transport import LiftedServer, LiftedTransport, TlsEnd
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName

BASE = (pay(takes(9000, WEB)), service("pay.local", node="pay_app"))


def _transport(*resources: Any) -> LiftedTransport:  # noqa: ANN401  JSON
    lifted = read(*resources)
    assert lifted.diagnostics == (), [one.message for one in lifted.diagnostics]
    assert lifted.transport is not None
    return lifted.transport


def _mesh(kind: str | None = None) -> dict[str, Any]:
    return {"meshName": "shop", "spec": {} if kind is None else {"egressFilter": {"type": kind}}}


@pytest.mark.parametrize("kind", [None, "DROP_ALL"])
def test_senders_with_a_proxy_are_closed_unless_the_mesh_is_open(kind: str | None) -> None:
    made = (_mesh(kind), *BASE, web(), edge())
    assert _transport(*made).closed == {"pay", "web"}
    assert understood(*made).egress is Egress.CLOSED


def test_an_open_mesh_and_one_that_no_file_has_are_open() -> None:
    for made in ((_mesh("ALLOW_ALL"), *BASE, web(), edge()), (*BASE, web(), edge())):
        assert _transport(*made).closed == frozenset()
        assert understood(*made).egress is Egress.OPEN


def test_a_gateway_listens_for_the_hosts_whose_requests_it_sends_on() -> None:
    routes = (
        door_route("a", {"prefix": "/", "hostname": {"exact": "Shop.example"}}, "pay.local", port=80, of="edge_app"),
        door_route("b", {"prefix": "/b", "hostname": {"suffix": ".example"}}, "pay.local", port=80, of="edge_app"),
        door_route("c", {"prefix": "/"}, "refused.invalid", port=80, of="edge_app"),
    )
    found = _transport(*BASE, web(), edge(), service("refused.invalid"), *routes)
    made = LiftedServer(NodeName("edge"), 80, 80, "", "app", TlsEnd.PLAIN)
    assert [(one.host, one.end, one.number, one.workload, one.binds) for one in found.servers] == [
        (host, made.end, made.number, made.workload, made.binds) for host in ("*.example", "shop.example")
    ]


@pytest.mark.parametrize(
    ("made", "end"),
    [
        (listener(80, tls=tls("DISABLED", EDGE)), TlsEnd.PLAIN),
        (listener(80, tls=tls("STRICT", EDGE)), TlsEnd.SERVER),
        (listener(80, tls=tls("STRICT", EDGE, {"trust": sds("clients")})), TlsEnd.CLIENT),
        (listener(80, tls=tls("STRICT", EDGE, names())), TlsEnd.MESH),
    ],
)
def test_how_a_gateway_ends_tls(made: dict[str, Any], end: TlsEnd) -> None:
    one = edge()
    one["spec"]["listeners"] = [made]
    sent = door_route("a", {"prefix": "/"}, "pay.local", port=80, of="edge_app")
    (server,) = _transport(*BASE, web(), one, sent).servers
    assert server.end is end
    assert server.client_ca == ("clients" if end is TlsEnd.CLIENT else None)
    mesh = understood(*BASE, web(), one, sent)
    assert may(mesh, None, to="edge", port=80) is (end is not TlsEnd.MESH)
    if end is TlsEnd.MESH:
        assert may(mesh, WEB, to="edge", port=80) is True


def test_a_gateway_shows_the_outside_the_certificate_of_its_host_and_the_mesh_its_own() -> None:
    one = edge()
    one["spec"]["listeners"] = [listener(80, tls=tls("STRICT", "shop-tls"))]
    (server,) = _transport(
        *BASE, web(), one, door_route("a", {"prefix": "/"}, "pay.local", port=80, of="edge_app")
    ).servers
    assert (server.end, server.certificate) == (TlsEnd.SERVER, "shop-tls")
    one["spec"]["backendDefaults"]["clientPolicy"]["tls"]["certificate"] = sds("shop-tls")
    assert told(*BASE, web(), one) == [
        f"`edge_app` shows the certificate `shop-tls`, and the policy knows it as `{EDGE}`"
    ]


def test_gateways_that_take_plaintext_besides_or_tell_outsiders_apart_are_not_understood() -> None:
    both = edge()
    both["spec"]["listeners"] = [listener(80, tls=tls("PERMISSIVE", EDGE))]
    assert told(*BASE, web(), both) == ["`edge_app` takes TLS or not on 80"]
    apart = edge()
    validation = {"trust": sds("clients"), "subjectAlternativeNames": {"match": {"exact": ["a.example"]}}}
    apart["spec"]["listeners"] = [listener(80, tls=tls("STRICT", EDGE, validation))]
    assert told(*BASE, web(), apart) == ["`edge_app:80` tells callers from outside apart by their names"]


def _calling(policy: dict[str, Any] | None, to: str = "pay.local") -> Any:  # noqa: ANN401  JSON
    made = web()
    called: dict[str, Any] = {"virtualServiceName": to}
    if policy is not None:
        called["clientPolicy"] = policy
    made["spec"]["backends"] = [{"virtualService": called}]
    return made


def _tls(*answering: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    return {"tls": {"certificate": sds(WEB), "validation": names(*answering), **more}}


def test_callers_that_take_nobody_but_the_service_are_understood() -> None:
    assert understood(*BASE, _calling(_tls(PAY)), edge()).rules


@pytest.mark.parametrize("policy", [None, _tls(), _tls(OLD), _tls(PAY, OLD)])
def test_callers_that_take_others_for_the_service_are_not(policy: dict[str, Any] | None) -> None:
    assert told(*BASE, _calling(policy), edge()) == ["`web_app` calls `pay.local` and takes others for it too"]


@pytest.mark.parametrize(
    "policy", [{}, _tls(PAY, enforce=False), _tls(PAY, ports=[1]), {"tls": {"validation": names(PAY)}}]
)
def test_callers_that_do_not_say_who_they_are_are_not(policy: dict[str, Any]) -> None:
    assert told(*BASE, _calling(policy), edge()) == ["`web_app` calls `pay.local` without saying who it is"]


def test_where_nobody_has_an_identity_tls_finds_nobody() -> None:
    plain = (pay(listener(9000)), service("pay.local", node="pay_app"), edge())
    understood(*plain, _calling({}))
    assert told(*plain, _calling(_tls(PAY))) == ["`web_app` calls `pay.local` with TLS, which is not taken there"]


def test_behind_the_address_of_a_gate_its_identity_answers() -> None:
    made = (
        pay(takes(9000, GATE)),
        node("meshproof-gate-doors", takes(20000, WEB, own=GATE)),
        gate(takes(20000, WEB, own=GATE)),
        service("pay.local", router="r"),
        router("r", 9000),
        way("a", "r", {"prefix": "/"}, **{"meshproof-gate-doors": 1}),
        edge(),
    )
    understood(*made, _calling(_tls(GATE)))
    assert told(*made, _calling(_tls(PAY))) == ["`web_app` calls `pay.local` and takes others for it too"]
