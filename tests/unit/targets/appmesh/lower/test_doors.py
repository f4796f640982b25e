"""Doors: gates with a listener for each class of callers, and routes that are what the class may do."""

from __future__ import annotations

from tests.unit.targets.appmesh.lower.lowering import errors, every, listener, lowered, sound, taken

from meshproof.compiler.backend.residual import Dial
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute, HttpGatewayRoute
from meshproof.targets.appmesh.model.route import HttpRoute, Route
from meshproof.targets.appmesh.model.shared import Duration
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway

SERVICES = """
service web {}
service batch {}
service admin {}
service api { port http 8080 }
"""
GATE = "meshproof-gate"


def _parts(found: AppMeshLowered) -> list[HttpGatewayRoute]:
    own = sorted(every(found, GatewayRoute), key=lambda one: (one.virtual_gateway_name, one.spec.priority or 0))
    return [part for one in own if (part := one.spec.http_route or one.spec.http2_route) is not None]


def _said(found: AppMeshLowered) -> list[tuple[str, str]]:
    """Each route as method and path, `!` in front of what it refuses."""
    said = []
    for part in _parts(found):
        path = part.match.prefix or (part.match.path and (part.match.path.exact or part.match.path.regex)) or ""
        is_refused = part.action.target.virtual_service.virtual_service_name == "refused.invalid"
        said.append((("!" if is_refused else "") + (part.match.method or "*"), path))
    return said


def test_who_may_do_some_things_comes_in_by_a_door_and_the_service_takes_the_gate() -> None:
    found = sound(SERVICES + "allow web -> api { GET /v1 }")
    assert taken(listener(found, "api_app")) == (GATE,)
    (gate,) = every(found, VirtualGateway)
    (door,) = gate.spec.listeners
    assert (door.port_mapping.port, door.port_mapping.protocol) == (8080, "http")
    assert door.tls is not None
    assert door.tls.mode == "STRICT"
    assert door.tls.validation is not None
    assert door.tls.validation.subject_alternative_names is not None
    assert door.tls.validation.subject_alternative_names.match.exact == ("spiffe://td/ns/app/sa/web",)
    assert _said(found) == [("GET", "/v1")]


def test_callers_who_may_do_the_same_share_a_door_and_others_have_their_own() -> None:
    text = "allow a: { web, batch } -> api { GET /v1 }\nallow b: admin -> api { DELETE /v1 }"
    found = sound(SERVICES + text)
    (gate,) = every(found, VirtualGateway)
    names = [
        one.tls.validation.subject_alternative_names.match.exact
        for one in gate.spec.listeners
        if one.tls and one.tls.validation and one.tls.validation.subject_alternative_names
    ]
    assert sorted(map(len, names)) == [1, 2]
    assert {one.port_mapping.port for one in gate.spec.listeners} == {20000, 20001}


def test_who_may_do_everything_needs_no_door() -> None:
    found = sound(SERVICES + "allow a: admin -> api\nallow b: web -> api { GET /v1 }")
    assert set(taken(listener(found, "api_app"))) == {"admin", GATE}
    assert [one.port_mapping.port for gate in every(found, VirtualGateway) for one in gate.spec.listeners] == [20000]


def test_what_is_denied_stands_first_and_leads_to_nobody() -> None:
    found = sound(SERVICES + "allow a: web -> api { GET /** }\ndeny b: web -> api { * /admin/** }")
    assert [one for one, _ in _said(found)] == ["!*", "GET"]


def test_methods_of_grpc_are_paths_of_http2() -> None:
    text = (
        "service web {}\nservice api { port grpc 9000 }\nallow web -> api { POST /shop.Cart/Add\n POST /shop.Cart/Get }"
    )
    found = sound(text)
    (gate,) = every(found, VirtualGateway)
    assert gate.spec.listeners[0].port_mapping.protocol == "http2"
    assert _said(found) == [("POST", r"/shop\.Cart/Add|/shop\.Cart/Get")]


def test_paths_are_taken_by_segments() -> None:
    (said,) = _said(sound(SERVICES + "allow web -> api { GET /raw/** }"))
    assert said[1].startswith("/raw(?:/")


def test_routes_leave_the_path_as_it_is_and_name_the_virtual_service_as_the_host() -> None:
    """A host of the caller's might be the name of another virtual service, to which its door does not lead."""
    for part in _parts(sound(SERVICES + 'allow web -> api { when header["x"] == "1" }')):
        assert part.action.rewrite is not None
        assert part.action.rewrite.hostname is not None
        assert part.action.rewrite.hostname.default_target_hostname == "ENABLED"
        assert part.action.rewrite.prefix is not None
        assert part.action.rewrite.prefix.default_prefix == "DISABLED"


def test_more_than_a_mesh_may_have_is_an_error_at_the_rules() -> None:
    rules = "\n".join(f'allow r{index}: web -> api {{ when header["h{index}"] == "1" }}' for index in range(11))
    found = errors(SERVICES + rules)
    assert sorted(found) == sorted(f"r{index}" for index in range(11))
    assert "11 gateway routes" in found["r0"]
    settings = {"app-mesh.quota.gateway-routes": "11"}
    assert not errors(SERVICES + rules, settings)


def test_doors_go_to_another_gate_where_one_is_full() -> None:
    services = "".join(f"service s{index} {{ port http 8080 }}\n" for index in range(3))
    rules = "".join(
        f'allow r{index}{rule}: web -> s{index} {{ when header["h{rule}"] == "1" }}\n'
        for index in range(3)
        for rule in range(6)
    )
    found = sound("service web {}\n" + services + rules)
    gates = every(found, VirtualGateway)
    assert [one.virtual_gateway_name for one in gates] == [GATE, f"{GATE}-2", f"{GATE}-3"]
    assert {one.port_mapping.port for gate in gates for one in gate.spec.listeners} == {8080}


def test_what_no_route_can_say_is_an_error_at_the_rule() -> None:
    assert list(errors(SERVICES + "allow it: web -> api { PURGE /x }")) == ["it"]
    assert list(errors(SERVICES + 'allow it: web -> api { when host == "api" }')) == ["it"]
    assert list(errors(SERVICES + 'allow it: web -> api { when source.ip in "10.0.0.0/8" }')) == ["it"]


def test_who_has_to_dial_another_number_is_told() -> None:
    found = lowered(SERVICES + "allow a: admin -> api\nallow b: web -> api { GET /v1 }")
    assert found.dials == (Dial("api", 8080, "spiffe://td/ns/app/sa/web", 20000),)


def test_what_a_door_loses_is_said_of_each_rule_that_lets_somebody_in_by_it() -> None:
    rules = 'allow a: web -> api\nallow b: batch -> api\ndeny d: anyone -> api { unless query["x"] == "1" }'
    found = sound(SERVICES + rules)
    (gate,) = every(found, VirtualGateway)
    assert len(gate.spec.listeners) == 1
    first = "only the first value of the query parameter `x` is looked at"
    assert sorted(loss.subject for loss in found.losses if loss.message == first) == ["a", "b"]


def _outer(found: AppMeshLowered) -> HttpRoute:
    (one,) = (
        one.spec.http_route
        for one in every(found, Route)
        if one.spec.http_route is not None and one.virtual_router_name == "api_app_svc_cluster_local"
    )
    return one


def test_attempts_at_a_door_end_together_by_the_limit_of_the_route() -> None:
    """What tries again is the caller's hop, so the limit for all attempts is there."""
    text = SERVICES + "allow web -> api { GET /v1 }\n"
    one = _outer(sound(text + "route api { otherwise => api { timeout 2s  retry 2 on connect-failure } }"))
    assert one.timeout is not None
    assert one.timeout.per_request == Duration("ms", 2000)
    assert one.retry_policy is not None
    assert one.retry_policy.max_retries == 2


def test_what_is_tried_again_for_other_times_by_branches_is_not_tried_again() -> None:
    branches = "/slow => api { timeout 9s }\notherwise => api { timeout 2s }\nretry 2 on connect-failure"
    found = sound(SERVICES + f"allow web -> api {{ GET /v1 }}\nroute api {{\n{branches}\n}}")
    one = _outer(found)
    assert one.retry_policy is not None
    assert one.retry_policy.max_retries == 0
    assert [loss.settings for loss in found.losses if "any of its branches" in loss.message] == [("retry",)]
