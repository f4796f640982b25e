"""Gates in front of services: what comes in at a door, by its first route, and is taken behind it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lift.composed.scenes import (
    AS_IT_IS,
    CALLERS,
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
    who,
)
from tests.unit.targets.appmesh.lift.scenes import listener, node, router, service

from meshproof.compiler.ir.mesh import Mesh

BEHIND = (web(), edge(), pay(takes(9000, GATE)), service("pay.direct", node="pay_app"), service("refused.invalid"))
DOOR = gate(takes(20000, WEB, own=GATE))


def _mesh(*routes: Any, door: Any = DOOR) -> Mesh:  # noqa: ANN401  JSON
    return understood(*BEHIND, door, *routes)


def test_who_may_come_in_at_a_door_may_what_its_routes_lead_to() -> None:
    mesh = _mesh(door_route("charge", {"path": {"exact": "/charge"}, "method": "POST"}))
    assert who(mesh, "/charge", method="POST") == [WEB]
    assert who(mesh, "/charge") == []
    assert who(mesh, "/charge/", method="POST") == []


def test_the_gate_itself_is_no_caller() -> None:
    assert who(_mesh()) == []


def test_without_the_gate_among_its_names_the_service_refuses_what_comes_through() -> None:
    made = (web(), edge(), pay(takes(9000, OLD)), service("pay.direct", node="pay_app"), DOOR)
    assert who(understood(*made, door_route("all", {"prefix": "/"}))) == [OLD]


def test_direct_callers_and_those_of_doors_come_to_one_port() -> None:
    made = (web(), edge(), pay(takes(9000, GATE, OLD)), service("pay.direct", node="pay_app"), DOOR)
    mesh = understood(*made, door_route("get", {"prefix": "/v1/", "method": "GET"}))
    assert who(mesh, "/v1/x") == [WEB, OLD]
    assert who(mesh, "/v2") == [OLD]


def test_the_first_priority_takes_what_it_matches() -> None:
    mesh = _mesh(
        door_route("no", {"path": {"regex": "/admin(/.*)?"}}, "refused.invalid", priority=1),
        door_route("yes", {"prefix": "/"}, priority=2),
    )
    assert who(mesh, "/") == [WEB]
    assert who(mesh, "/administrator") == [WEB]
    assert who(mesh, "/admin") == who(mesh, "/admin/x") == []


def test_a_later_refusal_refuses_nothing_that_was_taken() -> None:
    mesh = _mesh(
        door_route("no", {"path": {"regex": "/admin(/.*)?"}}, "refused.invalid", priority=2),
        door_route("yes", {"prefix": "/"}, priority=1),
    )
    assert who(mesh, "/admin") == [WEB]


def test_which_of_two_with_one_priority_is_asked_first_nobody_knows() -> None:
    mesh = _mesh(
        door_route("no", {"path": {"exact": "/admin"}}, "refused.invalid", priority=1),
        door_route("yes", {"prefix": "/"}, priority=1),
    )
    assert may(mesh, WEB, "/admin") is None
    assert may(mesh, WEB, "/") is True
    assert may(mesh, OLD, "/admin") is False


def test_of_two_with_one_priority_that_lead_to_one_place_either_will_do() -> None:
    mesh = _mesh(door_route("a", {"path": {"exact": "/a"}}, priority=1), door_route("all", {"prefix": "/"}, priority=1))
    assert may(mesh, WEB, "/a") is True


def test_no_priority_comes_after_every_other() -> None:
    mesh = _mesh(
        door_route("a", {"prefix": "/"}),
        door_route("b", {"path": {"exact": "/admin"}}, "refused.invalid", priority=1000),
    )
    assert who(mesh, "/admin") == []
    assert who(mesh, "/") == [WEB]


def test_doors_are_told_apart_by_their_ports() -> None:
    door = gate(takes(20000, WEB, own=GATE), takes(20001, OLD, own=GATE))
    mesh = _mesh(
        door_route("read", {"prefix": "/", "method": "GET"}),
        door_route("write", {"prefix": "/", "method": "POST"}, port=20001),
        door=door,
    )
    assert who(mesh) == [WEB]
    assert who(mesh, method="POST") == [OLD]


def test_a_route_without_a_port_is_one_of_every_door() -> None:
    door = gate(takes(20000, WEB, own=GATE), takes(20001, OLD, own=GATE))
    made = door_route("all", {"prefix": "/"})
    del made["spec"]["httpRoute"]["match"]["port"]
    assert who(_mesh(made, door=door)) == [WEB, OLD]


def test_a_door_that_asks_nobody_lets_everybody_through() -> None:
    mesh = _mesh(door_route("get", {"prefix": "/", "method": "GET"}), door=gate(listener(20000)))
    assert None in who(mesh)
    assert who(mesh, method="POST") == []


def test_a_permissive_door_lets_plaintext_through() -> None:
    door = gate(takes(20000, WEB, own=GATE, mode="PERMISSIVE"))
    assert who(_mesh(door_route("get", {"prefix": "/"}), door=door)) == [None, WEB]


def test_a_door_for_the_whole_authority_takes_everybody_of_it() -> None:
    mesh = _mesh(door_route("get", {"prefix": "/"}), door=gate(takes(20000, own=GATE)))
    assert who(mesh) == [one for one in CALLERS if one is not None and one.startswith("spiffe://td/")]


def test_a_node_that_shows_the_identity_of_the_gate_is_one_that_passes() -> None:
    made = (web(), edge(), pay(takes(9000, GATE)), service("pay.direct", node="pay_app"), DOOR)
    thief = node("old_app", shows=GATE)
    found = told(*made, thief)
    assert any("others have it too" in one for one in found)
    mesh = read(*made, thief).mesh
    assert mesh is not None
    assert may(mesh, GATE) is True


def test_an_address_of_the_gate_is_no_workload() -> None:
    address = node("meshproof-gate-doors", takes(20000, WEB, own=GATE))
    assert who(understood(*BEHIND, DOOR, address)) == []
    acting = node("meshproof-gate-doors", takes(20000, WEB, own=GATE), shows=GATE)
    assert any("others have it too" in one for one in told(*BEHIND, DOOR, acting))


def test_a_gate_with_the_identity_of_a_workload_is_not_trusted() -> None:
    made = (web(), edge(), pay(takes(9000, WEB)), service("pay.direct", node="pay_app"))
    door = gate(takes(20000, OLD, own=WEB), shows=WEB)
    assert any("others have it too" in one for one in told(*made, door))
    mesh = read(*made, door).mesh
    assert mesh is not None
    assert WEB in who(mesh)


def test_routers_behind_doors_have_their_own_say() -> None:
    made = (web(), edge(), pay(takes(9000, GATE)), service("pay.routed", router="r"), router("r", 9000), DOOR)
    ways = (
        way("a", "r", {"prefix": "/a", "port": 9000}, 1, pay_app=1),
        way("b", "r", {"prefix": "/b"}, 2, pay_app=1),
    )
    mesh = understood(*made, *ways, door_route("get", {"prefix": "/", "method": "GET"}, "pay.routed"))
    assert who(mesh, "/a") == who(mesh, "/b/c") == [WEB]
    assert who(mesh, "/c") == who(mesh, "/a", method="POST") == []


def test_a_share_may_go_to_each_of_several_services() -> None:
    door = gate(takes(20000, WEB, own=GATE), behind=(WEB,))
    made = (edge(), pay(takes(9000, GATE)), web(GATE), service("both", router="r"), router("r", 9000), door)
    one = way("a", "r", {"prefix": "/"}, web_app=1, pay_app=0)
    one["spec"]["httpRoute"]["action"]["weightedTargets"][0]["port"] = 8080
    mesh = understood(*made, one, door_route("all", {"prefix": "/"}, "both"))
    assert who(mesh) == []
    assert who(mesh, to="web", port=8080) == [WEB]


@pytest.mark.parametrize(
    ("rewrite", "match"),
    [
        ({}, {"prefix": "/v1"}),
        ({"hostname": {"defaultTargetHostname": "ENABLED"}}, {"prefix": "/v1"}),
        ({"prefix": {"value": "/v2/"}}, {"prefix": "/v1/"}),
        ({"path": {"exact": "/v2"}}, {"path": {"exact": "/v1"}}),
    ],
)
def test_rewriting_of_paths_is_not_understood(rewrite: dict[str, Any], match: dict[str, Any]) -> None:
    assert told(*BEHIND, DOOR, door_route("r", match, rewrite=rewrite)) == ["`r` rewrites the path of requests"]


def test_a_gate_takes_no_word_of_callers_for_the_virtual_service_that_they_call() -> None:
    """By the name of another one, as host, they would come past the routes of their own door."""
    assert told(*BEHIND, DOOR, door_route("r", {"path": {"exact": "/"}}, rewrite=AS_IT_IS)) == [
        "`r` lets callers name another virtual service by the host"
    ]
    assert told(*BEHIND, DOOR, door_route("r", {"path": {"exact": "/"}}, rewrite={})) == []


def test_what_is_not_plain_on_the_way_is_not_understood() -> None:
    everything = {"prefix": "/"}
    assert told(*BEHIND, DOOR, door_route("r", everything, "gone")) == [
        "`r` leads to the virtual service `gone`, which no file has"
    ]
    elsewhere = (node("other", listener(1)), service("other", node="other"))
    assert told(*BEHIND, DOOR, *elsewhere, door_route("r", everything, "other")) == [
        "`meshproof-gate` leads to `other`, which is no workload of the policy"
    ]
    http2 = door_route("r", everything)
    http2["spec"]["http2Route"] = http2["spec"].pop("httpRoute")
    assert told(*BEHIND, DOOR, http2) == ["`r` is one of http2, and port 20000 speaks http"]
    hosts = door_route("r", {**everything, "hostname": {"exact": "pay.local"}})
    assert told(*BEHIND, DOOR, hosts) == ["`r` asks for a host, which may come with a port or without"]


def test_a_gate_that_shows_nothing_is_not_understood() -> None:
    silent = gate(takes(20000, WEB, own=GATE))
    del silent["spec"]["backendDefaults"]
    assert told(*BEHIND, silent) == ["`meshproof-gate` shows no identity to the services behind it"]


def test_a_gate_that_takes_others_certificates_is_not_understood() -> None:
    door = gate(takes(20000, WEB, own=GATE), behind=(WEB,))
    others = "`meshproof-gate` takes others for the services behind it"
    assert told(*BEHIND, door, door_route("r", {"prefix": "/"})) == [
        "`meshproof-gate` does not take the certificate of `pay`",
        others,
    ]
    for others_too in ((), (PAY, OLD)):
        anybody = gate(takes(20000, WEB, own=GATE), behind=others_too)
        assert told(*BEHIND, anybody, door_route("r", {"prefix": "/"})) == [others]


def test_a_gate_that_shows_callers_another_certificate_is_not_understood() -> None:
    door = gate(takes(20000, WEB, own=OLD))
    assert told(*BEHIND, door) == [f"`meshproof-gate` shows the certificate `{OLD}` besides its own"]


@pytest.mark.parametrize(
    "listeners",
    [
        (takes(20000, WEB, OLD, own=GATE),),
        (takes(20000, own=GATE),),
        (takes(20000, WEB, own=GATE, mode="PERMISSIVE"),),
        (takes(20000, WEB, own=OLD),),
        (takes(20000, WEB, own=GATE), takes(20001, WEB, own=GATE)),
        (takes(20001, WEB, own=GATE),),
        (listener(20000),),
    ],
)
def test_an_address_of_a_gate_that_listens_otherwise_is_not_understood(listeners: tuple[Any, ...]) -> None:
    address = node("meshproof-gate-doors", *listeners)
    assert told(*BEHIND, DOOR, address) == ["`meshproof-gate-doors` is the address of a gate, and listens otherwise"]


def test_gateways_of_the_policy_send_what_their_routes_say() -> None:
    made = (web(), edge(), pay(takes(9000, EDGE, OLD)), service("pay.direct", node="pay_app"))
    mesh = understood(*made, door_route("shop", {"path": {"exact": "/pay"}}, port=80, of="edge_app"))
    assert who(mesh, "/pay") == [OLD, EDGE]
    assert who(mesh, "/") == [OLD]
    assert may(mesh, None, to="edge", port=80, host="shop.example") is True


def test_routes_to_nobody_refuse_at_gateways_of_the_policy() -> None:
    made = (web(), edge(), pay(takes(9000, EDGE)), *BEHIND[3:])
    mesh = understood(
        *made,
        door_route("no", {"prefix": "/admin"}, "refused.invalid", port=80, of="edge_app", priority=1),
        door_route("all", {"prefix": "/"}, port=80, of="edge_app", priority=2),
    )
    assert [may(mesh, None, path, to="edge", port=80) for path in ("/", "/admin")] == [True, False]
    assert [may(mesh, EDGE, path) for path in ("/", "/admin")] == [True, False]


BY_NAME = "lets callers name another virtual service by the host"
HOSTED = {"hostname": {"exact": "web.example"}}


def test_what_a_gateway_of_the_policy_refuses_names_no_virtual_service_by_the_host() -> None:
    made = (web(), edge(), pay(takes(9000, EDGE)), *BEHIND[3:])
    refusing = door_route("no", {"path": {"exact": "/"}}, "refused.invalid", port=80, of="edge_app", rewrite=AS_IT_IS)
    assert told(*made, refusing) == [f"`no` {BY_NAME}"]


@pytest.mark.parametrize(
    ("match", "is_told"),
    [
        ({}, True),
        ({"hostname": {"suffix": ".LOCAL"}}, True),
        ({"hostname": {"exact": "pay.local"}}, True),
        ({"hostname": {"exact": "shop.example"}}, False),
        ({"hostname": {"suffix": ".example"}}, False),
    ],
)
def test_a_host_of_a_gateway_of_the_policy_names_no_virtual_service(match: dict[str, Any], *, is_told: bool) -> None:
    """Of several behind it: of one alone its routes tell all that comes there."""
    made = (web(EDGE), edge(), pay(takes(9000, EDGE)), *BEHIND[3:])
    pays = door_route("pays", {"path": {"exact": "/"}, **match}, "pay.local", port=80, of="edge_app", priority=1)
    others = door_route("web", {"path": {"exact": "/w"}, **HOSTED}, "web.local", port=80, of="edge_app", priority=2)
    every = (*made, service("pay.local", node="pay_app"), service("web.local", node="web_app"))
    assert (f"`pays` {BY_NAME}" in told(*every, pays, others)) is is_told
    assert f"`pays` {BY_NAME}" not in told(*every, pays)


@pytest.mark.parametrize("hostname", [{"exact": "Shop.example"}, {"suffix": ".example"}])
def test_a_host_that_a_gateway_does_not_serve_takes_in_no_more_than_those_that_it_does(
    hostname: dict[str, Any],
) -> None:
    made = (web(), edge(), pay(takes(9000, EDGE)), *BEHIND[3:])
    mesh = understood(
        *made, door_route("all", {"prefix": "/a", "hostname": hostname}, port=80, of="edge_app", priority=1)
    )
    for host in ("shop.example", "elsewhere"):
        assert [may(mesh, EDGE, path, host=host) for path in ("/a", "/b")] == [True, False]


def test_a_service_with_the_identity_of_a_gateway_needs_no_route() -> None:
    known = mesh_of(
        "service web { port http 8080  account edge }\nservice pay { port http 9000 }\n"
        'gateway edge { hosts "shop.example"  port http 80 }'
    )
    made = (node("web_app", takes(8080, "nobody.invalid", own=EDGE), shows=EDGE), edge(), pay(takes(9000, EDGE)))
    assert may(understood(*made, known=known), EDGE) is True


def test_a_service_behind_a_gate_has_other_callers_identities_too() -> None:
    assert may(_mesh(door_route("all", {"prefix": "/"})), PAY) is False


def test_how_a_gateway_calls_the_services_behind_it_is_asked() -> None:
    for change, told_of in (
        ({"enforce": False}, "does not speak TLS to every service behind it"),
        ({"ports": [9000]}, "does not speak TLS to every service behind it"),
        ({"validation": names(PAY, trust="spiffe://other")}, "does not trust the authority of the services behind it"),
    ):
        door = gate(takes(20000, WEB, own=GATE))
        door["spec"]["backendDefaults"]["clientPolicy"]["tls"] |= change
        found = told(*BEHIND, door, door_route("r", {"prefix": "/"}))
        assert found == [f"`meshproof-gate` {told_of}"]


def test_an_address_of_a_gate_ends_no_requests() -> None:
    slow = takes(20000, WEB, own=GATE)
    slow["timeout"] = {"http": {"perRequest": {"unit": "s", "value": 1}}}
    found = told(*BEHIND, DOOR, node("meshproof-gate-doors", slow))
    assert found == ["`meshproof-gate-doors` is the address of a gate, and listens otherwise"]
