"""The policies that mutants for App Mesh are made of: small ones that use what it can say."""

from __future__ import annotations

import re

DIRECT = """
service web { port http 8080 }
service pay { port http 9000 }
service db { port tcp 5432 }
service old { }
allow a: web -> pay
allow b: { pay, old } -> db
allow c: old -> pay
"""
DOORS = """
service web { port http 8080 }
service pay { port http 80 -> 9000  versions v1, v2 }
service old { }
service job { }
allow a: web -> pay {
    GET /v1/**
    POST /charge
}
allow b: old -> web
allow c: old -> pay { GET /x/{id} }
allow e: job -> pay
deny d: anyone -> pay { GET /v1/secret }
route pay { otherwise => v1 90%, v2 10%  timeout 2s  retry 2 on connect-failure }
"""
TESTS = """
service web { port http 8080 }
service old { }
service pay { port http 9000 }
allow a: web -> pay {
    GET /a
    when header["h"] == "v" and query["x"] == "1"
}
allow b: web -> pay {
    POST /b/**
    when header["k"] startswith "w"
}
deny c: web -> pay { when header["h"] == "bad" }
allow d: old -> pay {
    * /c
    unless header["h"] == "bad"
}
"""
EDGE = """
service web { port http 8080 }
service pay { port grpc 9000 }
service shop { port http 8081 }
gateway edge { hosts "shop.example", "www.example"  port http 80 }
allow pub: internet -> edge
allow e: edge -> web { GET /shop/** }
allow f: edge -> shop
route edge {
    host "www.example" /** => web:http { timeout 3s }
    host "shop.example" /** => shop:http
}
allow a: web -> pay { POST /pay.Pay/Charge }
"""
ROUTED = """
service web { port http 8080 }
service api { port http 9000  port db tcp 5432  versions v1, v2 }
allow a: web -> api
route api:http {
    when header["x-canary"] == "true" => v2
    /beta/** => v2 50%, v1 50%
    otherwise => v1 95%, v2 5%
    timeout 2s
    limit connections 100, pending 50
    eject after 5 errors for 30s up to 50%
}
route api:db { otherwise => v1 }
"""
PLAIN = """
mesh m { language 1  trust-domain "td"  namespace app  egress closed }
service web { port http 8080 }
service open { port http 9000 }
service both { port http 9001 }
service some { port http 9002  port rest http 9003 }
mtls disabled for open:http { because "moving in" owner "t" }
mtls permissive for both:http { because "moving in" owner "t" }
mtls disabled for some:rest { because "moving in" owner "t" }
allow a: anyone -> { open, both, some:rest }
allow b: web -> some:http
"""
PORTS = """
service web { port http 8080 }
service api { port http 9000  port more grpc 9001  versions v1, v2 }
service old { }
allow a: web -> api
route api {
    when header["x-canary"] == "true" => v2
    otherwise => v1 95%, v2 5%
    timeout 2s
    retry 2 on unavailable, gateway-error
    limit requests 50
    balance round-robin
}
"""
"""One route for two ports, which lose different settings of it."""

POLICIES = {
    "direct": DIRECT,
    "doors": DOORS,
    "tests": TESTS,
    "edge": EDGE,
    "routed": ROUTED,
    "plain": PLAIN,
    "ports": PORTS,
}

_UNCALLED = "nobody may call `web` there, so no backend leads to its name, and no listener behind it takes anybody"
_REFUSALS = "two refusals, or two routes that let other requests through, are the same in either order"
_AT_ONCE = "the only attempt is ended by the limit of each, or requests behind a gate by the limit there"
_MORE_REFUSED = "what more is refused at these doors is let through by none of their routes"
_TO_NOBODY = "what is refused goes to a service that takes nobody of the gate, or that nobody provides"
_SAME_END = "the same requests come to the same nodes, without a router or by another"
_SLASH = "the prefix is a slash, which App Mesh makes of it"
_NO_LEAD = "a gateway or gate that no route leads there sends nothing there"
_ONE_LISTENER = "the gateway has no other listener"
_ONLY_EDGE = "the gateway alone calls `shop`, by a virtual service of its own"

EQUAL: dict[str, dict[str, str]] = {
    "ports": {
        r"limit_of_listener_changed: VirtualNode web_app:8080": _UNCALLED,
        r"provided_by_another: VirtualService web\.app\S* .*": _UNCALLED,
        r"provided_by_a_node: VirtualService web\.app\S* -> (old_app|web_app)": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
    },
    "direct": {
        r"limit_of_listener_changed: VirtualNode web_app:8080": _UNCALLED,
        r"provided_by_another: VirtualService web\.app\S* .*": _UNCALLED,
        r"provided_by_a_node: VirtualService web\.app\S* -> (db_app|old_app|web_app)": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
        r"provided_by_a_node: VirtualService db\.app\S* -> db_app": _SAME_END,
    },
    "doors": {
        r"another_workload_added: VirtualNode web_app:8080 \S*/meshproof-gate": _NO_LEAD,
        r"routes_swapped: GatewayRoute meshproof-gate-port-20000-1 .*": _REFUSALS,
        r"method_dropped: GatewayRoute meshproof-gate-port-20000-0": _MORE_REFUSED,
        r"route_at_another_port: GatewayRoute meshproof-gate-port-2000[01]-0 any": _MORE_REFUSED,
        r"sent_to_another_service: GatewayRoute meshproof-gate-port-2000[01]-0 -> web\.app\S*": _TO_NOBODY,
        r"provided_by_(another|a_node): VirtualService refused\.invalid -> web_app\S*": _TO_NOBODY,
        r"limit_changed: Route direct_pay_app\S*( by default)?": _AT_ONCE,
    },
    "tests": {
        r"another_workload_added: VirtualNode web_app:8080 \S*/meshproof-gate": _NO_LEAD,
        r"limit_of_listener_changed: VirtualNode web_app:8080": _UNCALLED,
        r"routes_swapped: GatewayRoute meshproof-gate-port-(20000-0|20000-2|20001-0) .*": _REFUSALS,
        r"(prefix_for_exact|any_path): GatewayRoute meshproof-gate-port-20001-[01]": _MORE_REFUSED,
        r"path_rewritten: GatewayRoute meshproof-gate-port-20000-[01] by default": _SLASH,
        r"route_at_another_port: GatewayRoute meshproof-gate-port-2000[01]-[01] any": _MORE_REFUSED,
        r"sent_to_another_service: GatewayRoute meshproof-gate-port-2000[01]-[01] -> web\.app\S*": _TO_NOBODY,
        r"provided_by_a_node: VirtualService refused\.invalid -> web_app": _TO_NOBODY,
        r"provided_by_another: VirtualService web\.app\S* .*": _UNCALLED,
        r"provided_by_a_node: VirtualService web\.app\S* -> (old_app|web_app)": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
    },
    "edge": {
        r"another_workload_added: VirtualNode pay_app:9000 \S*/edge": _NO_LEAD,
        r"another_workload_added: VirtualNode (shop|web)_app:\d+ \S*/meshproof-gate": _NO_LEAD,
        r"limit_of_listener_changed: VirtualNode web_app:8080": _AT_ONCE,
        r"limit_changed: Route edge-\w+_web_app\S*( by default)?": _AT_ONCE,
        r"route_dropped: GatewayRoute edge_app-port-80-2": "what no route takes is refused as well",
        r"routes_swapped: GatewayRoute edge_app-port-80-0 .*": "the two are for other hosts",
        r"path_rewritten: GatewayRoute edge_app-port-80-[02] by default": _SLASH,
        r"route_at_another_port: GatewayRoute (edge_app|meshproof-gate)\S* any": _ONE_LISTENER,
        r"sent_to_another_service: GatewayRoute edge_app-port-80-0 -> shop\.app\S*": _SAME_END,
        r"sent_to_another_service: GatewayRoute edge_app-port-80-2 -> web\.app\S*": _TO_NOBODY,
        r"provided_by_another: VirtualService edge-\S*\.shop\.app\S* -> shop_app\S*": _SAME_END,
        r"(route_dropped|share_\w+): Route shop_app\S*( .*)?": _ONLY_EDGE,
        r"(provider|resource)_dropped: VirtualService shop\.app\S*": _ONLY_EDGE,
        r"provided_by_another: VirtualService shop\.app\S* -> (?!edge-\w+_web_app)\S*": _ONLY_EDGE,
        r"router_without_port: VirtualRouter shop_app\S*": _ONLY_EDGE,
        r"provided_by_another: VirtualService web\.app\S* -> (?!edge-\w+_web_app)\S*": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
    },
    "routed": {
        r"limit_of_listener_changed: VirtualNode web_app:8080": _UNCALLED,
        r"limit_changed: Route api_app\S*( by default)?": _AT_ONCE,
        r"provided_by_another: VirtualService web\.app\S* .*": _UNCALLED,
        r"provided_by_a_node: VirtualService web\.app\S* -> (web_app)": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
    },
    "plain": {
        r"limit_of_listener_changed: VirtualNode web_app:8080": _UNCALLED,
        r"provided_by_another: VirtualService web\.app\S* .*": _UNCALLED,
        r"provided_by_a_node: VirtualService web\.app\S* -> (web_app)": _UNCALLED,
        r"resource_dropped: VirtualService web\.app\S*": _UNCALLED,
    },
}
"""Changes that are no mistakes: what comes of them is the same, and why."""


def reason_for_equal(policy: str, label: str) -> str | None:
    """Why a change means the same; None if it does not."""
    return next((why for form, why in EQUAL[policy].items() if re.fullmatch(form, label)), None)
