"""Gateways of the policy: their routes hold what they may send on, and the services behind them take them in."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, every, listener, lowered, sound, taken

from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.naming import NOBODY, REFUSED

EDGE = """service web { port http 80 -> 8080 }
service api { port http 80 }
gateway edge { namespace app account edge
 hosts "shop.example", "*.cdn.example" port https 443 -> 8443 certificate "tls" }
route edge { host "shop.example" /** => web:http
 host "*.cdn.example" /** => api:http }
allow public: internet -> edge
"""


def _sent(found: AppMeshLowered) -> list[tuple[str, str | None, str | None, str]]:
    """Routes in their order: the host, the method, the path, and the virtual service."""
    told = []
    for one in sorted(every(found, GatewayRoute), key=lambda each: each.spec.priority or 0):
        route = one.spec.http_route
        assert route is not None
        assert route.match.port == 8443
        assert route.match.hostname is not None
        rewrite = route.action.rewrite
        assert rewrite is not None
        assert rewrite.hostname is not None
        service = route.action.target.virtual_service.virtual_service_name
        # A refused request may name no other virtual service as its host.
        assert rewrite.hostname.default_target_hostname == ("ENABLED" if service == REFUSED else "DISABLED")
        assert (rewrite.prefix is None) == (route.match.prefix is None)
        host = route.match.hostname.exact or f"*{route.match.hostname.suffix}"
        path = route.match.path.regex or route.match.path.exact if route.match.path else None
        told.append((host, route.match.method, path, service if service == REFUSED else service.split(".")[1]))
    return told


def test_a_gateway_sends_on_what_it_may() -> None:
    """What it may not goes to nobody, before the routes of another branch are asked."""
    found = sound(EDGE + "allow x: edge -> web { POST /buy }\nallow y: edge -> api")
    assert _sent(found) == [
        ("*.cdn.example", None, None, "api"),
        ("shop.example", "POST", "/buy", "web"),
        ("shop.example", None, None, REFUSED),
    ]
    assert taken(listener(found, "web_app")) == taken(listener(found, "api_app")) == ("edge",)
    assert ("R12", ("edge_app",)) in [(one.code, one.names) for one in found.residuals]
    (gateway,) = every(found, VirtualGateway)
    defaults = gateway.spec.backend_defaults
    assert defaults is not None
    assert defaults.client_policy is not None
    assert defaults.client_policy.tls is not None
    names = defaults.client_policy.tls.validation.subject_alternative_names
    assert names is not None
    assert names.match.exact == ("spiffe://td/ns/app/sa/api", "spiffe://td/ns/app/sa/web")
    assert [one.subject for one in found.losses if one.subject == "edge"]


def test_a_gateway_that_may_nothing_sends_nothing() -> None:
    """And nobody takes it in."""
    found = sound(EDGE)
    assert [one[-1] for one in _sent(found)] == [REFUSED, REFUSED]
    assert taken(listener(found, "web_app")) == (NOBODY,)


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        ("allow public: internet -> edge\n", "", "edge"),
        ("internet -> edge", "internet -> edge { GET /x }", "public"),
        ('"shop.example" /** => web:http', '"shop.example" /shop/** => web:http', "edge#1"),
        ("=> web:http", "=> web:http { rewrite path /v1/** }", "edge#1"),
        ('host "shop.example" /**', 'host "a.cdn.example" /**', "edge#1"),
        ("account edge", "account web", "edge"),
    ],
)
def test_what_no_gateway_route_says_is_refused(old: str, new: str, subject: str) -> None:
    """At the rule, the branch or the gateway."""
    assert old in EDGE
    found = errors(EDGE.replace(old, new) + "allow x: edge -> { web, api }")
    assert found.get(subject, "").startswith("MP701"), found


def test_objects_stand_where_the_pods_are() -> None:
    """A gateway elsewhere would have no pods in the namespace of the mesh."""
    settings = {"app-mesh.rendering": "kubernetes"}
    text = EDGE + "allow x: edge -> web"
    assert not lowered(text, settings).placement.elsewhere
    found = lowered(text.replace("namespace app account edge", "namespace other account edge"), settings)
    assert (found.placement.namespace, found.placement.elsewhere) == ("app", {"edge_other": "other"})


def test_a_branch_has_its_own_limits_of_time_and_versions() -> None:
    """They are no other branch's, and not those of callers inside the mesh."""
    text = EDGE.replace("service web { port http 80 -> 8080 }", "service web { port http 80 -> 8080  versions v1, v2 }")
    text = text.replace("=> web:http", "=> web:http { timeout 3s }")
    found = sound(text + "allow x: edge -> { web, api }")
    limits: dict[str, int] = {}
    for one in every(found, Route):
        if one.virtual_router_name.startswith("edge-"):
            assert one.spec.http_route is not None
            assert one.spec.http_route.timeout is not None
            assert one.spec.http_route.timeout.per_request is not None
            nodes = ",".join(each.virtual_node for each in one.spec.http_route.action.weighted_targets)
            limits[nodes] = one.spec.http_route.timeout.per_request.value or 0
    assert limits == {"web_app_v1,web_app_v2": 3000, "api_app": 0}


@pytest.mark.parametrize(
    ("hosts", "is_refused"), [('"*"', True), ('"*.cluster.local"', True), ('"*.local"', True), ('"shop.local"', False)]
)
def test_nobody_outside_names_a_virtual_service_by_the_host(hosts: str, is_refused: bool) -> None:
    """Behind its routes the gateway knows them by it: who names another comes past the routes to that one."""
    gateway = f'gateway edge {{ namespace app account edge hosts {hosts}, "api.example" port http 80 }}\n'
    routes = f'route edge {{ host {hosts} /** => web:http\n host "api.example" /** => api:http }}\n'
    services = "service web { port http 80 -> 8080 }\nservice api { port http 80 }\n"
    rules = "allow public: internet -> edge\nallow y: edge -> { web, api }"
    found = errors(services + gateway + routes + rules)
    assert ("edge" in found) is is_refused
    assert not is_refused or "takes the name in" in found["edge"]
