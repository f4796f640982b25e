"""Virtual services: what is dialled, and the routes from there."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, every, lowered, routes, sound

from meshproof.compiler.ir.judgement import Judgement
from meshproof.targets.appmesh.model.route import GrpcRoute, HttpRoute, Route
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.residue.residuals import COOPERATIVE

SERVICES = "service a {}\nservice b { port http 80 -> 8080  versions v1, v2 }\nservice c { port grpc 90 }\n"
ALLOWED = SERVICES + "allow x: a -> b\nallow y: a -> c\n"
ROUTER = "b_app_svc_cluster_local"


def _http(one: Route) -> HttpRoute:
    assert one.spec.http_route is not None
    return one.spec.http_route


def _grpc(one: Route) -> GrpcRoute:
    assert one.spec.grpc_route is not None
    return one.spec.grpc_route


def test_callers_dial_the_declared_number_and_reach_the_port_of_the_workload() -> None:
    """Nothing is tried again, and no request ended, where the policy says nothing: App Mesh would do both."""
    found = sound(ALLOWED)
    (router,) = [one for one in every(found, VirtualRouter) if one.virtual_router_name == ROUTER]
    assert [one.port_mapping.port for one in router.spec.listeners or ()] == [80]
    (one,) = routes(found, ROUTER)
    route = _http(one)
    assert (route.match.port, route.match.prefix) == (80, "/")
    shares = [(target.virtual_node, target.weight, target.port) for target in route.action.weighted_targets]
    assert shares == [("b_app_v1", 1, 8080), ("b_app_v2", 1, 8080)]
    assert route.retry_policy is not None
    assert route.retry_policy.max_retries == 0
    assert route.timeout is not None
    assert route.timeout.per_request is not None
    assert route.timeout.per_request.value == 0


def test_what_nobody_may_call_is_provided_by_nobody() -> None:
    """A route there would only look as if."""
    (one,) = [each for each in every(sound(SERVICES), VirtualService) if each.virtual_service_name.startswith("b.")]
    assert one.spec.provider is None


def test_branches_are_routes_in_their_order() -> None:
    """A header that must not be something is one that is another, or is not there."""
    found = sound(
        ALLOWED
        + """route b:http {
        when header["x-canary"] != "true" and query["q"] == "1" => v1
        GET|HEAD /raw/** => v2
        otherwise => v1 95%, v2 5%
        timeout 20s
        retry 3 on connect-failure, gateway-error within 2s
        }"""
    )
    every_route = [_http(one) for one in routes(found, ROUTER)]
    matches = [one.match for one in every_route]
    asked = [[(each.name, each.invert, each.match is None) for each in one.headers or ()] for one in matches]
    assert asked == [[("x-canary", True, False)], [("x-canary", True, True)], [], [], []]
    assert [one.method for one in matches] == [None, None, "GET", "HEAD", None]
    assert [one.path.regex if one.path else None for one in matches][2:] == ["/raw(/.*)?", "/raw(/.*)?", None]
    assert [target.weight for target in every_route[-1].action.weighted_targets] == [95, 5]
    policy, timeout = every_route[0].retry_policy, every_route[0].timeout
    assert policy is not None
    assert timeout is not None
    assert timeout.per_request is not None
    assert (policy.max_retries, policy.http_retry_events, policy.tcp_retry_events) == (
        3,
        ("gateway-error",),
        ("connection-error",),
    )
    assert (timeout.per_request.value, policy.per_retry_timeout.value) == (20_000, 2_000)


def test_calls_of_grpc_are_routes_of_grpc() -> None:
    """With its own events to try again at."""
    found = sound(ALLOWED + "route c:grpc {\n otherwise => c\n retry 2 on unavailable, reset within 1s\n}")
    (one,) = routes(found, "c_app_svc_cluster_local")
    policy = _grpc(one).retry_policy
    assert policy is not None
    assert (policy.max_retries, policy.grpc_retry_events, policy.tcp_retry_events) == (2, ("unavailable",), None)
    assert [(each.subject, each.message) for each in found.losses] == [("c:grpc", "nothing is tried again on `reset`")]


@pytest.mark.parametrize(
    "branch",
    [
        'host "x.example" => v1',
        "otherwise => v1\n mirror v2 10%",
        'otherwise => v1\n set header "x" "y"',
        "POST /a => { redirect 302 path /b }",
        "GET /" + "{a}/" * 60 + "b => v1",
        'when header["' + "x" * 51 + '"] == "a" => v1',
    ],
)
def test_what_routes_lack_is_refused_at_the_branch(branch: str) -> None:
    """Nothing is left out in silence."""
    text = ALLOWED + f"route b:http {{\n {branch}\n}}"
    assert any(message.startswith("MP701") for message in errors(text).values())


def test_under_enforced_what_callers_keep_stops_the_compile() -> None:
    """Closed egress is their own proxies' doing."""
    found = lowered(ALLOWED, require=Judgement.ENFORCED)
    (refused,) = [one for one in found.diagnostics if one.severity == "error"]
    assert (refused.code, refused.subject) == ("MP701", "egress of m")
    assert "`--require cooperative`" in str(refused.help)


def test_under_cooperative_what_callers_keep_is_listed_and_not_called_enforced() -> None:
    """By name, among what is left over."""
    found = sound(ALLOWED)
    (told,) = [one for one in found.residuals if one.names == ("egress of m",)]
    assert (told.code, told.text) == ("R2", COOPERATIVE)
    assert "nobody enforces it" in told.text
