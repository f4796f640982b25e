"""What callers' proxies do with requests to a service: shares, conditions, limits of time, retries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lift.composed.scenes import (
    DAY,
    EDGE,
    GATE,
    NO_LIMIT,
    NO_RETRY,
    PAY,
    WEB,
    door_route,
    edge,
    gate,
    read,
    takes,
    way,
    web,
)
from tests.unit.targets.appmesh.lift.scenes import listener, node, router, service

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import route as route_of

KNOWN = mesh_of("service web { port http 8080 }\nservice pay { port http 9000  versions v1, v2 }")
ANY: dict[str, Any] = {"prefix": "/", "port": 9000}
V1, V2 = "pay_app_v1", "pay_app_v2"


def _resources(*ways: Any, taking: dict[str, Any] | None = None) -> tuple[Any, ...]:  # noqa: ANN401  JSON
    listened = takes(9000, WEB) if taking is None else taking
    nodes = (node(V1, listened, shows=PAY), node(V2, listened, shows=PAY))
    return (*nodes, web(), service("pay.local", router="r"), router("r", 9000), *ways)


def _mesh(*resources: Any) -> Mesh:  # noqa: ANN401  JSON
    lifted = read(*resources, known=KNOWN)
    assert lifted.diagnostics == (), [one.message for one in lifted.diagnostics]
    assert lifted.mesh is not None
    return lifted.mesh


def _told(*resources: Any) -> list[str]:  # noqa: ANN401  JSON
    return [one.message for one in read(*resources, known=KNOWN).diagnostics]


def _sent(mesh: Mesh, path: str = "/", **headers: str) -> Any:  # noqa: ANN401
    request = {
        "source": {"identity": WEB},
        "destination": {"service": "pay"},
        "port": 9000,
        "protocol": "http",
        "method": "GET",
        "path": path,
        "host": "pay.local",
        "headers": [[name, value] for name, value in headers.items()],
    }
    found = route_of(mesh, request_from_json(json.dumps(request), mesh), DAY)
    assert found is not None
    return found


def test_the_same_share_for_all_versions_is_one_for_any_of_them() -> None:
    assert _mesh(*_resources(way("a", "r", ANY, **{V1: 1, V2: 1}))).routes == ()


def test_shares_are_those_of_versions() -> None:
    mesh = _mesh(*_resources(way("a", "r", ANY, **{V1: 9, V2: 1})))
    assert dict(_sent(mesh).destinations) == {"v1": 90, "v2": 10}


def test_the_first_route_that_matches_counts() -> None:
    canary = {**ANY, "headers": [{"name": "X-Canary", "match": {"exact": "yes"}}]}
    mesh = _mesh(*_resources(way("b", "r", ANY, 2, **{V1: 1}), way("a", "r", canary, 1, **{V2: 1})))
    assert dict(_sent(mesh).destinations) == {"v1": 100}
    assert dict(_sent(mesh, **{"x-canary": "yes"}).destinations) == {"v2": 100}


def test_routes_of_one_priority_are_not_understood() -> None:
    made = _resources(way("b", "r", ANY, 1, **{V1: 1}), way("a", "r", {**ANY, "method": "GET"}, 1, **{V2: 1}))
    assert _told(*made) == ["`pay.local` has routes of one priority on port 9000"]


def test_the_shortest_limit_counts() -> None:
    two, one = ({"perRequest": {"unit": "s", "value": value}} for value in (2, 1))
    both = {V1: 1, V2: 1}
    assert _sent(_mesh(*_resources(way("a", "r", ANY, limit=two, **both)))).timeout_ms == 2000
    listened = {**takes(9000, WEB), "timeout": {"http": one}}
    assert _sent(_mesh(*_resources(way("a", "r", ANY, limit=two, **both), taking=listened))).timeout_ms == 1000
    assert _sent(_mesh(*_resources(way("a", "r", ANY, limit={}, **both)))).timeout_ms == 15_000
    silent = {key: value for key, value in takes(9000, WEB).items() if key != "timeout"}
    assert _sent(_mesh(*_resources(way("a", "r", ANY, **both), taking=silent))).timeout_ms == 15_000


def test_the_limit_of_the_only_attempt_is_one_of_the_request() -> None:
    retry = {**NO_RETRY, "perRetryTimeout": {"unit": "s", "value": 3}}
    mesh = _mesh(*_resources(way("a", "r", ANY, retry=retry, **{V1: 1, V2: 1})))
    assert _sent(mesh).timeout_ms == 3000
    assert _sent(mesh).retry is None


@pytest.mark.parametrize(("each", "within"), [(0, None), (1, 1000), (5, None), (9, None)])
def test_retries_are_told_in_the_words_of_the_language(each: int, within: int | None) -> None:
    retry = {
        "maxRetries": 2,
        "perRetryTimeout": {"unit": "s", "value": each},
        "httpRetryEvents": ["stream-error", "gateway-error"],
        "tcpRetryEvents": ["connection-error"],
    }
    limit = {"perRequest": {"unit": "s", "value": 5}}
    found = _sent(_mesh(*_resources(way("a", "r", ANY, retry=retry, limit=limit, **{V1: 1, V2: 1})))).retry
    assert (found.attempts, found.conditions, found.within_ms) == (
        2,
        ("connect-failure", "gateway-error", "refused"),
        within,
    )


def test_what_app_mesh_tries_again_by_itself_is_not_understood() -> None:
    made = way("a", "r", ANY, **{V1: 1, V2: 1})
    del made["spec"]["httpRoute"]["retryPolicy"]
    assert _told(*_resources(made)) == ["`a` says nothing of retries, and App Mesh tries again by itself"]


def test_bounds_and_ejection_are_those_of_the_listener() -> None:
    listened = {
        **takes(9000, WEB),
        "connectionPool": {"http": {"maxConnections": 7, "maxPendingRequests": 3}},
        "outlierDetection": {
            "maxServerErrors": 5,
            "interval": {"unit": "s", "value": 10},
            "baseEjectionDuration": {"unit": "s", "value": 30},
            "maxEjectionPercent": 50,
        },
    }
    (found,) = _mesh(*_resources(way("a", "r", ANY, **{V1: 1, V2: 1}), taking=listened)).routes
    assert found.limits is not None
    assert (found.limits.connections, found.limits.pending, found.limits.requests) == (7, 3, None)
    assert found.ejection is not None
    assert (found.ejection.errors, found.ejection.for_ms, found.ejection.percent) == (5, 30_000, 50)


def test_versions_with_other_bounds_are_not_understood() -> None:
    made = _resources(way("a", "r", ANY, **{V1: 1, V2: 1}))
    made[1]["spec"]["listeners"] = [{**takes(9000, WEB), "connectionPool": {"http": {"maxConnections": 7}}}]
    assert _told(*made) == ["`pay` has versions with other bounds on port 9000"]


def _through(*inner: Any, door: Any) -> tuple[Any, ...]:  # noqa: ANN401  JSON
    """A door for `web`, and the routes before and behind it."""
    return (
        *_resources(door, taking=takes(9000, GATE)),
        *(service("direct.pay.local", router="d"), router("d", 9000), *inner),
        node("meshproof-gate-doors", takes(20000, WEB, own=GATE)),
        gate(takes(20000, WEB, own=GATE)),
        door_route("all", {"prefix": "/"}, "direct.pay.local"),
    )


def _door(**more: Any) -> Any:  # noqa: ANN401  JSON
    made = way("to-the-door", "r", ANY, **more)
    made["spec"]["httpRoute"]["action"]["weightedTargets"] = [
        {"virtualNode": "meshproof-gate-doors", "weight": 1, "port": 20000}
    ]
    return made


def test_behind_a_gate_its_routes_count_and_before_it_retries() -> None:
    retry = {"maxRetries": 3, "perRetryTimeout": {"unit": "s", "value": 0}, "httpRetryEvents": ["gateway-error"]}
    limit = {"perRequest": {"unit": "s", "value": 4}}
    behind = way("b", "d", ANY, limit=limit, **{V1: 3, V2: 1})
    found = _sent(_mesh(*_through(behind, door=_door(retry=retry))))
    assert dict(found.destinations) == {"v1": 75, "v2": 25}
    assert found.retry is not None
    assert (found.timeout_ms, found.retry.attempts, found.retry.within_ms) == (None, 3, 4000)
    whole = {"perRequest": {"unit": "s", "value": 4}}
    found = _sent(_mesh(*_through(behind, door=_door(retry=retry, limit=whole))))
    assert found.retry is not None
    assert (found.timeout_ms, found.retry.attempts, found.retry.within_ms) == (4000, 3, None)
    found = _sent(_mesh(*_through(behind, door=_door())))
    assert (found.timeout_ms, found.retry) == (4000, None)


def test_retries_before_and_behind_a_gate_are_not_understood() -> None:
    retry = {"maxRetries": 3, "perRetryTimeout": {"unit": "s", "value": 0}, "httpRetryEvents": ["gateway-error"]}
    made = _through(way("b", "d", ANY, retry=retry, **{V1: 1, V2: 1}), door=_door(retry=retry))
    assert _told(*made) == ["`b` tries again what was tried again before the gate"]


def test_callers_that_are_routed_otherwise_than_gates_are_not_understood() -> None:
    made = _through(way("b", "d", ANY, **{V1: 1, V2: 1}), door=_door())
    straight = way("c", "s", ANY, **{V1: 1})
    assert _told(*made, service("other.local", router="s"), router("s", 9000), straight) == [
        "`pay` is not reached alike by all callers of its port 9000"
    ]


def test_a_port_of_connections_has_shares_and_no_limits() -> None:
    known = mesh_of("service pay { port tcp 9000  versions v1, v2 }")
    nodes = tuple(node(one, takes(9000, WEB, protocol="tcp"), shows=PAY) for one in (V1, V2))
    made = way("a", "r", ANY, **{V1: 1, V2: 3})
    del made["spec"]["httpRoute"]
    targets = [{"virtualNode": V1, "weight": 1}, {"virtualNode": V2, "weight": 3}]
    made["spec"]["tcpRoute"] = {"match": {"port": 9000}, "action": {"weightedTargets": targets}}
    lifted = read(*nodes, service("pay.local", router="r"), router("r", 9000), made, known=known)
    assert lifted.diagnostics == ()
    assert lifted.mesh is not None
    (found,) = lifted.mesh.routes
    assert [(one.version, one.weight) for one in found.branches[0].targets] == [("v1", 25), ("v2", 75)]
    assert found.branches[0].settings.timeout_ms is None


def test_a_limit_of_zero_is_none() -> None:
    plain = listener(9000, timeout={"http": NO_LIMIT})
    assert _mesh(*_resources(way("a", "r", ANY, **{V1: 1, V2: 1}), taking=plain)).routes == ()


EDGED = mesh_of(
    "service web { port http 8080 }\nservice pay { port http 9000  versions v1, v2 }\n"
    'gateway edge { hosts "shop.example"  port http 80 }'
)


def _from_edge(path: str, *ways: Any) -> Any:  # noqa: ANN401
    nodes = tuple(node(one, takes(9000, EDGE), shows=PAY) for one in (V1, V2))
    sent = door_route("in", {"path": {"regex": "/a(/.*)?"}}, "in.local", port=80, of="edge_app", priority=1)
    no = door_route("no", {"path": {"exact": "/no"}}, "refused.invalid", port=80, of="edge_app", priority=2)
    services = (service("in.local", router="i"), router("i", 9000), service("refused.invalid"))
    lifted = read(*nodes, web(), edge(), *services, sent, no, *ways, known=EDGED)
    assert lifted.diagnostics == (), [one.message for one in lifted.diagnostics]
    assert lifted.mesh is not None
    request = {
        "source": {"identity": None},
        "destination": {"service": "edge"},
        "port": 80,
        "protocol": "http",
        "method": "GET",
        "path": path,
        "host": "shop.example",
    }
    return route_of(lifted.mesh, request_from_json(json.dumps(request), lifted.mesh), DAY)


def test_gateways_of_the_policy_send_where_their_routes_lead() -> None:
    limit = {"perRequest": {"unit": "s", "value": 4}}
    found = _from_edge("/a/b", way("w", "i", ANY, limit=limit, **{V1: 1, V2: 1}))
    assert (dict(found.destinations), found.timeout_ms, found.answer) == ({"pay:9000": 100}, 4000, None)
    shared = _from_edge("/a", way("w", "i", ANY, **{V1: 3, V2: 1}))
    assert sorted(share for _, share in shared.destinations) == [25, 75]
    assert _from_edge("/no", way("w", "i", ANY, **{V1: 1, V2: 1})).answer == 503
    nowhere = _from_edge("/b", way("w", "i", ANY, **{V1: 1, V2: 1}))
    assert nowhere is None or nowhere.destinations == ()
