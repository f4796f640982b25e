"""Routes of doors tried one after the other, as a proxy would, and random policies and requests to try them with.

Nothing of the lowering is used: expressions are Python's, paths what Envoy makes of them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.targets.appmesh.lower.header_forms import HeaderForm, QueryForm
from meshproof.targets.appmesh.lower.route_match import RouteMatch

CALLER = "spiffe://td/ns/app/sa/web"
_STRAY = re.compile("[\udc80-\udcff]")
_METHODS = ("GET", "POST", "DELETE", "PURGE")
_PATTERNS = ("/", "/**", "/a", "/a/**", "/a/*", "/*/b", "/a/b", "/c/{id}/d", "/a/")
_PATHS = (
    "/",
    "//",
    "/a",
    "/a/",
    "/a/b",
    "/a//b",
    "/x/../a/b",
    "/%61/b",
    "/ab",
    "/a/b/c",
    "/c/1/d",
    "/c/%7B/d",
    "/c/{/d",
    "/a%2Fb",
    "/a/..%2fb",
    "/z/b",
    "/a/%5Cb",
    "/a/b?x=1",
    "/a?x=1&x=2",
    "/a?x=2&x=1",
    "/a?x",
    "/?y=1",
    "/c/1/d?x=2",
)
_VALUES = ("v", "va", "bv", "v,w", "", "w", "v\u00e9", "v\udc80", "\udc80v", "\udc80", "vv")
CONDITIONS = (
    'header["h"] == "v"',
    'header["h"] != "v"',
    'header["h"] startswith "v"',
    'header["h"] endswith "v"',
    'not header["h"] startswith "v"',
    'header["h"] matches re"v.*"',
    'not header["h"] matches re"v[a-z]"',
    'has header["h"]',
    'not has header["h"]',
    'header["h"] in ["v", "w"]',
    'header["k"] == "w"',
    'header["h"] == ""',
    'header["h"] != ""',
    'query["x"] == "1"',
    'query["x"] != "1"',
    'has query["x"]',
    'not has query["x"]',
    "path in /a/**",
    "not path in /a/**",
    "path in /",
    "not path in /",
    'path matches re"/a.*"',
    'not path matches re"/a/.*"',
    'path startswith "/a"',
    'not path endswith "b"',
    'method != "DELETE"',
    'method == "GET"',
    'method in ["GET", "PURGE"]',
)


def policy(dice: random.Random) -> str:
    """Rules for one caller and one port."""
    rules = [_rule(dice, "allow", f"a{index}") for index in range(dice.randint(1, 3))]
    rules += [_rule(dice, "deny", f"d{index}") for index in range(dice.randint(0, 2))]
    return "service web {}\nservice api { port http 8080 }\n" + "\n".join(rules)


def _rule(dice: random.Random, effect: str, name: str) -> str:
    lines = []
    if dice.random() < 0.7:
        methods = dice.choice(("GET", "POST", "DELETE", "GET|POST", "*"))
        lines.append(f"{methods} {dice.choice(_PATTERNS)}")
    if dice.random() < 0.6 or not lines:
        word = dice.choice(("when", "when", "unless"))
        joint = dice.choice((" and ", " or "))
        lines.append(f"{word} {joint.join(dice.sample(CONDITIONS, dice.randint(1, 2)))}")
    return f"{effect} {name}: web -> api {{\n" + "\n".join(lines) + "\n}"


def request(dice: random.Random) -> Request:
    """A request of the caller."""
    headers = tuple((dice.choice(("h", "h", "k")), dice.choice(_VALUES)) for _ in range(dice.randint(0, 2)))
    return Request(
        Peer(CALLER, "10.0.0.1"),
        NodeName("api"),
        8080,
        RequestProtocol.HTTP,
        method=dice.choice(_METHODS),
        host="api",
        path=dice.choice(_PATHS),
        headers=headers,
    )


def lets_through(routes: Sequence[RouteMatch], sent: Request, *, is_joined: bool) -> bool:
    """Whether the first route that takes the request lets it through; `is_joined`: header lines are one value."""
    try:
        path = istio_path(sent.path or "", IstioMode.MERGE_SLASHES)
    except PatternRefused:
        return False
    for route in routes:
        if _takes(route, sent, path, is_joined=is_joined):
            return route.is_allowed
    return False


def _takes(route: RouteMatch, sent: Request, path: str, *, is_joined: bool) -> bool:
    if route.method is not None and route.method != sent.method:
        return False
    if route.path is not None:
        is_same = path == route.path.text if route.path.is_exact else re.fullmatch(route.path.text, path) is not None
        if not is_same:
            return False
    headers = all(_takes_header(form, sent, is_joined=is_joined) for form in route.headers)
    return headers and all(_takes_query(form, sent) for form in route.queries)


def _takes_header(form: HeaderForm, sent: Request, *, is_joined: bool) -> bool:
    lines = [value for name, value in sent.headers if name == form.name]
    if is_joined and lines:
        lines = [",".join(lines)]
    if form.kind == "present":
        return bool(lines) != form.is_inverted
    if not lines:
        return False
    return any(_compares(form, line) for line in lines) != form.is_inverted


def _compares(form: HeaderForm, line: str) -> bool:
    match form.kind.value:
        case "exact":
            return line == form.value
        case "prefix":
            return line.startswith(form.value)
        case "suffix":
            return line.endswith(form.value)
        case _:
            # A byte that is no UTF-8 (`surrogateescape`) is taken by no expression of RE2.
            return not _STRAY.search(line) and re.fullmatch(form.value, line) is not None


def _takes_query(form: QueryForm, sent: Request) -> bool:
    pieces = (sent.path or "").partition("?")[2].split("&")
    values = [piece.partition("=")[2] for piece in pieces if piece.partition("=")[0] == form.name and piece]
    return bool(values) and (form.value is None or values[0] == form.value)
