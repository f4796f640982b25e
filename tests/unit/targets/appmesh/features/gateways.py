"""Gateways of the policy: what they end, whom they judge, where they send."""

from __future__ import annotations

from tests.unit.targets.appmesh.features.case import HERE, KEPT, LOST, NOTED, REFUSED, SERVICES, UNTIL, Case

from meshproof.compiler.backend.features import Feature

_HOST = 'host "shop.example.com"'


def _gateway(entries: str = "port http 80 -> 8080", mark: str = "", hosts: str = '"shop.example.com"') -> str:
    named = f"hosts {hosts}  " if hosts else ""
    return f"{SERVICES}gateway edge {{ namespace ingress  {named}{entries} }} {mark}\n"


def _edge(
    rest: str, *, entries: str = "port http 80 -> 8080", mark: str = "", hosts: str = '"shop.example.com"'
) -> str:
    return _gateway(entries, mark, hosts) + "allow pub: internet -> edge\n" + rest


_SENDS = f"route edge {{ {_HOST} => b:http }}\n"
_CALLS = "allow x: edge -> b\n"


def _route(branch: str, *settings: str) -> str:
    first, second = ("", f" {HERE}") if not settings else (f" {HERE}", "")
    lines = "".join(f"    {one}\n" for one in (f"{branch}{second}", *settings))
    return _edge(f"route edge {{{first}\n{lines}}}\nallow x: edge -> {{ a, b }} {HERE if settings else ''}\n")


DOORS = (
    Case("a gateway", KEPT, _edge(_SENDS + _CALLS), (Feature.GATEWAY,)),
    Case(
        "a gateway for HTTPS",
        KEPT,
        _edge(_SENDS + _CALLS, entries='port https 443 -> 8443  certificate "shop-tls"'),
        (Feature.GATEWAY,),
        shows="shop-tls",
    ),
    Case(
        "two ports",
        KEPT,
        _edge(
            f"route edge:http {{ {_HOST} => b:http }}\nroute edge:more {{ {_HOST} => a:http }}\n"
            "allow x: edge -> { a, b }\n",
            entries="port http 80 -> 8080  port more http 81 -> 8081",
        ),
    ),
    Case("any host", KEPT, _edge(f"route edge {{ otherwise => b:http }}\n{_CALLS}", hosts='"*"')),
    Case(
        "HTTPS without a certificate",
        REFUSED,
        _edge(_SENDS + _CALLS, entries="port https 443 -> 8443", mark=HERE),
        (Feature.GATEWAY,),
    ),
    Case(
        "client-ca",
        REFUSED,
        _edge(_SENDS + _CALLS, entries='port https 443  certificate "c"  client-ca "p"', mark=HERE),
        (Feature.GATEWAY,),
    ),
    Case("passthrough", REFUSED, _edge("", entries="port tls 443 passthrough", mark=HERE), (Feature.GATEWAY,)),
    Case("connections at a gateway", REFUSED, _edge("", entries="port tcp 443", mark=HERE), (Feature.GATEWAY,)),
    Case(
        "tokens at a gateway",
        REFUSED,
        'issuer idp { url "https://idp.example.com" }\n'
        + _edge(_SENDS + _CALLS, entries="port http 80  accepts idp", mark=HERE),
        (Feature.GATEWAY, Feature.TOKEN),
    ),
    Case(
        "trusted-proxies",
        REFUSED,
        _edge(_SENDS + _CALLS, entries="port http 80  trusted-proxies 1", mark=HERE),
        (Feature.CLIENT_ADDRESS,),
    ),
    Case(
        "client.ip",
        REFUSED,
        _edge(_SENDS + f'allow x: edge -> b {{ when client.ip in "10.0.0.0/8" }} {HERE}\n'),
        (Feature.CLIENT_ADDRESS,),
    ),
    Case("a gateway without hosts", REFUSED, _edge(_CALLS, mark=HERE, hosts=""), (Feature.GATEWAY,)),
    Case("a gateway without routes", REFUSED, _edge(_CALLS, mark=HERE), (Feature.GATEWAY,)),
    Case(
        "a gateway that shares its account",
        REFUSED,
        _edge(_SENDS + _CALLS, entries='identity "spiffe://td/ns/app/sa/c"  port http 80', mark=HERE),
        (Feature.GATEWAY,),
    ),
    Case(
        "a gateway that is observed",
        LOST,
        f"namespace ingress {{ observe {UNTIL} }}\n" + _edge(_SENDS + _CALLS, mark=HERE),
        (Feature.OBSERVE,),
    ),
)

RULES = (
    Case(
        "a gateway that refuses",
        REFUSED,
        _gateway() + f"allow pub: internet -> edge {HERE}\n"
        f"deny y: internet -> edge {{ * /admin/** }} {HERE}\n{_SENDS}{_CALLS}",
        (Feature.GATEWAY,),
    ),
    Case(
        "a gateway that lets some in",
        REFUSED,
        _gateway() + f"allow pub: internet -> edge {{ GET /** }} {HERE}\n{_SENDS}{_CALLS}",
        (Feature.GATEWAY,),
    ),
    Case("a gateway that lets nobody in", REFUSED, _gateway(mark=HERE) + _SENDS + _CALLS, (Feature.GATEWAY,)),
    Case("callers inside", KEPT, _edge(f"{_SENDS}{_CALLS}allow w: a -> edge\n")),
    Case(
        "some of what comes", LOST, _edge(f"{_SENDS}allow x: edge -> b {{ GET /x }}\n", mark=HERE), (Feature.GATEWAY,)
    ),
    Case(
        "a service that no route leads to",
        LOST,
        _edge(f"{_SENDS}allow x: edge -> {{ a, b }} {HERE}\n"),
        (Feature.GATEWAY,),
    ),
    Case(
        "a host that no route is for",
        LOST,
        _edge(_SENDS + _CALLS, hosts='"shop.example.com", "x.example.com"', mark=HERE),
        (Feature.GATEWAY,),
    ),
)

ROUTES = (
    Case("a path of a gateway", REFUSED, _route(f"{_HOST} /api/** => b:http"), (Feature.ROUTE_MATCH,)),
    Case("a method of a gateway", REFUSED, _route(f"{_HOST} GET /** => b:http"), (Feature.ROUTE_MATCH,)),
    Case(
        "a condition of a gateway",
        REFUSED,
        _route(f'{_HOST} when header["x"] == "1" => b:http'),
        (Feature.ROUTE_MATCH,),
    ),
    Case("shares of a gateway", REFUSED, _route(f"{_HOST} => b:http 50%, a:http 50%"), (Feature.ROUTE_SPLIT,)),
    Case(
        "a rewrite of a gateway",
        REFUSED,
        _route(f"{_HOST} /** => b:http {{ rewrite path /x/** }}"),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "a redirect of a gateway",
        REFUSED,
        _route(f"{_HOST} /** => {{ redirect 302 path /x }}"),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "a mirror of a gateway",
        REFUSED,
        _route(f"{_HOST} => b:http {{ mirror a:http 10% }}"),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "headers of a gateway",
        REFUSED,
        _route(f'{_HOST} => b:http {{ set header "x" "y" }}'),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "a fault of a gateway",
        REFUSED,
        _route(f"{_HOST} => b:http {{ fault abort 503 10% }}"),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "cors of a gateway",
        REFUSED,
        _route(f'{_HOST} => b:http {{ cors {{ origins "https://x.example"  methods GET }} }}'),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case("a timeout of a gateway", KEPT, _edge(f"route edge {{ {_HOST} => b:http  timeout 2s }}\n{_CALLS}")),
    Case("retries of a gateway", KEPT, _edge(f"route edge {{ {_HOST} => b:http  retry 2 on refused }}\n{_CALLS}")),
    Case(
        "a limit of a gateway",
        REFUSED,
        _edge(f"route edge {{ {_HOST} => b:http  limit connections 10 }} {HERE}\n{_CALLS}"),
        (Feature.LIMITS,),
    ),
    Case(
        "ejection of a gateway",
        REFUSED,
        _edge(f"route edge {{ {_HOST} => b:http  eject after 5 errors for 30s up to 50% }} {HERE}\n{_CALLS}"),
        (Feature.LIMITS,),
    ),
    Case(
        "balance of a gateway",
        NOTED,
        _edge(f"route edge {{ {_HOST} => b:http  balance least-request }} {HERE}\n{_CALLS}"),
        (Feature.LIMITS,),
    ),
    Case(
        "moving shares of a gateway",
        NOTED,
        _edge(f'route edge {{ {_HOST} => b:http  weights by "x" }} {HERE}\n{_CALLS}'),
        (Feature.ROUTE_SPLIT,),
    ),
    Case(
        "a route of the service behind it",
        KEPT,
        _edge(
            f'{_SENDS}{_CALLS}allow z: a -> b\nroute b:http {{ when header["x"] == "1" => v2\n    otherwise => v1\n}}\n'
        ),
    ),
)

CASES = (*DOORS, *RULES, *ROUTES)
