"""Routes of services: conditions, shares, settings."""

from __future__ import annotations

from tests.unit.targets.appmesh.features.case import HERE, KEPT, LOST, NOTED, REFUSED, SERVICES, Case

from meshproof.compiler.backend.features import Feature


def _route(*branches: str, rest: str = "otherwise => v1", at: str = "b:http") -> str:
    """A route of `b`. What is spoken of is its first line, where it is no branch."""
    lines = "".join(f"    {one}\n" for one in (*branches, rest))
    return f"{SERVICES}allow x: a -> b\nroute {at} {{ {HERE}\n{lines}}}\n"


def _branch(branch: str) -> str:
    return f"{SERVICES}allow x: a -> b\nroute b:http {{\n    {branch} {HERE}\n    otherwise => v1\n}}\n"


def _setting(setting: str, rest: str = "otherwise => v1") -> str:
    """A setting of which the branch is told that it has it."""
    return f"{SERVICES}allow x: a -> b\nroute b:http {{\n    {rest} {HERE}\n    {setting}\n}}\n"


def _connections(*lines: str, is_branch: bool = False) -> str:
    first = "" if is_branch else f" {HERE}"
    branch = f" {HERE}" if is_branch else ""
    return f"{SERVICES}allow x: a -> c\nroute c {{{first}\n    otherwise => c{branch}\n    {'    '.join(lines)}\n}}\n"


MATCHES = (
    Case("a header of a route", KEPT, _branch('when header["x"] == "1" => v2'), (Feature.ROUTE_MATCH,)),
    Case("any other header of a route", KEPT, _branch('when header["x"] != "1" => v2'), (Feature.ROUTE_NEGATION,)),
    Case("methods and paths of a route", KEPT, _branch("GET|POST /x/** => v2"), (Feature.ROUTE_MATCH,)),
    Case("a query of a route", LOST, _branch('when query["x"] == "1" => v2'), (Feature.ROUTE_MATCH,)),
    Case("a query is there, of a route", KEPT, _branch('when has query["x"] => v2'), (Feature.ROUTE_MATCH,)),
    Case("any other query of a route", REFUSED, _branch('when query["x"] != "1" => v2'), (Feature.ROUTE_NEGATION,)),
    Case(
        "a query of a route by expression",
        REFUSED,
        _branch('when query["x"] matches re"1+" => v2'),
        (Feature.ROUTE_MATCH,),
    ),
    Case("a host of a route", REFUSED, _branch('host "x.example" => v2'), (Feature.ROUTE_MATCH, Feature.HOST)),
    Case("a method of a route without a name", REFUSED, _branch("M-SEARCH /x => v2"), (Feature.ROUTE_MATCH,)),
    Case("a path of a route, in words", REFUSED, _branch('when path matches re"/x+" => v2'), (Feature.ROUTE_MATCH,)),
    Case("a sender of a route", REFUSED, _branch("when source in namespace app => v2"), (Feature.ROUTE_MATCH,)),
    Case("an address of a route", REFUSED, _branch('when source.ip in "10.0.0.0/8" => v2'), (Feature.SOURCE_ADDRESS,)),
)

SHARES = (
    Case("shares", KEPT, _route(rest="otherwise => v1 95%, v2 5%"), (Feature.ROUTE_SPLIT,)),
    Case("equal shares", KEPT, _route(rest="otherwise => v1 50%, v2 50%"), (Feature.ROUTE_SPLIT,)),
    Case("any version", KEPT, _route(rest="otherwise => b"), (Feature.ROUTE_SPLIT,)),
    Case(
        "shares that somebody moves",
        NOTED,
        _route('weights by "argo-rollouts"', rest="otherwise => v1 95%, v2 5%"),
        (Feature.ROUTE_SPLIT,),
    ),
    Case("a closer route", KEPT, _route() + "route b { otherwise => v2  limit connections 10 }\n"),
)

SETTINGS = (
    Case("timeout", KEPT, _setting("timeout 2s"), (Feature.ROUTE_SETTINGS,)),
    Case("timeout of connections", REFUSED, _connections("timeout 2s", is_branch=True), (Feature.ROUTE_SETTINGS,)),
    Case("retry", KEPT, _setting("retry 2 on refused, connect-failure within 1s"), (Feature.ROUTE_SETTINGS,)),
    Case(
        "retry on what it does not know",
        LOST,
        f"{SERVICES}allow x: a -> b\nroute b:http {{\n    otherwise => v1\n"
        f"    retry 2 on reset, 503 within 1s {HERE}\n}}\n",
        (Feature.ROUTE_SETTINGS,),
    ),
    Case("mirror", REFUSED, _setting("mirror v2 10%"), (Feature.ROUTE_SETTINGS,)),
    Case("rewrite", REFUSED, _branch("/x/** => v2 { rewrite path /y/** }"), (Feature.ROUTE_SETTINGS,)),
    Case("redirect", REFUSED, _branch('/x => { redirect 302 host "y.example" path /y }'), (Feature.ROUTE_SETTINGS,)),
    Case("set header", REFUSED, _setting('set header "x" "y"'), (Feature.ROUTE_SETTINGS,)),
    Case("add header", REFUSED, _setting('add header "x" "y"'), (Feature.ROUTE_SETTINGS,)),
    Case("remove header", REFUSED, _setting('remove header "x"'), (Feature.ROUTE_SETTINGS,)),
    Case(
        "cors",
        REFUSED,
        _setting('cors { origins "https://x.example"  methods GET  headers "x"  credentials  max-age 1h }'),
        (Feature.ROUTE_SETTINGS,),
    ),
    Case("fault delay", REFUSED, _setting("fault delay 1s 10%"), (Feature.ROUTE_SETTINGS,)),
    Case("fault abort", REFUSED, _setting("fault abort 503 10%"), (Feature.ROUTE_SETTINGS,)),
    Case(
        "mirror of connections",
        REFUSED,
        f"{SERVICES}service d {{ port tcp 91  versions v1, v2 }}\n"
        f"allow x: a -> d\nroute d {{\n    otherwise => v1 {HERE}\n    mirror v2 10%\n}}\n",
        (Feature.ROUTE_SETTINGS,),
    ),
    Case(
        "mirror where nobody may call",
        REFUSED,
        f"{SERVICES}route b:http {{\n    otherwise => v1 {HERE}\n    mirror v2 10%\n}}\n",
    ),
    Case(
        "mirror behind a door",
        REFUSED,
        f"{SERVICES}allow x: a -> b {{ GET /x }}\nroute b:http {{\n    otherwise => v1 {HERE}\n    mirror v2 10%\n}}\n",
    ),
    Case(
        "several retries behind a door",
        LOST,
        f"{SERVICES}allow x: a -> b {{ GET /x }}\nroute b:http {{ {HERE}\n    GET /x => v1 {{ retry 1 on refused }}\n"
        "    otherwise => v2\n}\n",
        (Feature.ROUTE_SETTINGS,),
    ),
)

LIMITS = (
    Case("limit", KEPT, _route("limit connections 10, pending 5"), (Feature.LIMITS,)),
    Case("limit of connections", KEPT, _connections("limit connections 10"), (Feature.LIMITS,)),
    Case(
        "limit of calls",
        KEPT,
        f"{SERVICES}service g {{ port grpc 91 }}\nallow x: a -> g\nroute g {{ limit requests 10 }}\n",
        (Feature.LIMITS,),
    ),
    Case("limit that it does not know", NOTED, _route("limit requests 10"), (Feature.LIMITS,)),
    Case("limit of connections that it does not know", NOTED, _connections("limit requests 10"), (Feature.LIMITS,)),
    Case("eject", KEPT, _route("eject after 5 errors for 30s up to 50%"), (Feature.LIMITS,)),
    Case("balance", NOTED, _route("balance least-request"), (Feature.LIMITS,)),
    Case("balance in turns", NOTED, _route("balance round-robin"), (Feature.LIMITS,)),
    Case("balance by a header", NOTED, _route('balance hash header "x"'), (Feature.LIMITS,)),
)

CASES = (*MATCHES, *SHARES, *SETTINGS, *LIMITS)
