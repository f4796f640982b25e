"""HTTPRoute, GRPCRoute and their parents, as Istio takes them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.istio_routes import JOB, SHOP, an_object, outcome, sent, shop

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import RequestProtocol

EDGE = "edge/gw-istio"
V1 = {"shop/old:9080": 100}
OLD = "backendRefs: [{name: old, port: 80}]"


def gateway(listeners: str = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}") -> str:
    return an_object("KubeGateway", "gw", f"gatewayClassName: istio\nlisteners: [{listeners}]", "edge")


def http_route(
    *rules: str, parents: str = "{name: gw, namespace: edge}", more: str = "", name: str = "r", **where: str
) -> str:
    spec = f"parentRefs: [{parents}]\nrules: [{', '.join(rules)}]\n{more}"
    return an_object("HTTPRoute", name, spec, **where)


def at_edge(mesh: Mesh, **fields: Any) -> object:  # noqa: ANN401  fields of a request
    return sent(mesh, EDGE, **{"port": 80, "host": "a.example", "identity": None, **fields})


def answering(status_code: int) -> str:
    """A filter that tells a rule apart from others."""
    return f"filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: {status_code}}}}}]"


CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("{path: {type: Exact, value: /a}}", {"path": "/a"}, True),
    ("{path: {type: Exact, value: /a}}", {"path": "/a/"}, False),
    # PathPrefix goes by whole segments, and a trailing slash is ignored.
    ("{path: {value: /a}}", {"path": "/a"}, True),
    ("{path: {value: /a/}}", {"path": "/a"}, True),
    ("{path: {value: /a}}", {"path": "/a/b"}, True),
    ("{path: {value: /a}}", {"path": "/ab"}, False),
    ("{path: {type: PathPrefix, value: '/a{x'}}", {"path": "/a{x/b"}, False),  # a brace arrives encoded
    ("{path: {type: RegularExpression, value: '/[ab]+'}}", {"path": "/abba?x"}, True),
    ("{path: {type: RegularExpression, value: '/[ab]+'}}", {"path": "/abc"}, False),
    ("{method: POST}", {"method": "POST"}, True),
    ("{method: POST}", {}, False),
    ("{headers: [{name: X-A, value: b}]}", {"headers": {"x-a": "b"}}, True),
    ("{headers: [{name: x-a, value: b}]}", {"headers": {"x-a": "bb"}}, False),
    ("{headers: [{name: x-a, type: RegularExpression, value: 'b+'}]}", {"headers": {"x-a": "bb"}}, True),
    ("{queryParams: [{name: q, value: '1'}]}", {"path": "/?q=1"}, True),
    ("{queryParams: [{name: q, value: '1'}]}", {"path": "/"}, False),
    ("{method: POST}, {path: {value: /x}}", {"path": "/x"}, True),
]


@pytest.mark.parametrize(("matches", "fields", "is_taken"), CASES)
def test_matches(matches: str, fields: dict[str, Any], is_taken: bool) -> None:
    mesh = shop(gateway(), http_route(f"{{matches: [{matches}], {OLD}}}"))
    assert at_edge(mesh, **fields) == (V1 if is_taken else None)


ORDERS = [
    ("{path: {value: /a}}", "{path: {type: Exact, value: /a}}", {"path": "/a"}),
    ("{path: {type: RegularExpression, value: '/a.*'}}", "{path: {value: /a}}", {"path": "/a"}),
    ("{path: {value: /a}}", "{path: {value: /a/b}}", {"path": "/a/b"}),
    ("{path: {value: /a}}", "{path: {value: /a}, method: GET}", {"path": "/a"}),
    ("{path: {value: /a}, headers: [{name: h, value: x}]}", "{path: {value: /a}, method: GET}", {"path": "/a"}),
    ("{headers: [{name: h, value: x}]}", "{headers: [{name: h, value: x}, {name: i, value: z}]}", {}),
    ("{}", "{queryParams: [{name: q, value: '1'}]}", {"path": "/?q=1"}),
]


@pytest.mark.parametrize(("later", "earlier", "fields"), ORDERS)
def test_the_order_is_by_the_matches_and_not_by_the_text(later: str, earlier: str, fields: dict[str, Any]) -> None:
    fields = {"headers": {"h": "x", "i": "z"}, **fields}
    one = http_route(f"{{matches: [{later}], {answering(301)}}}", f"{{matches: [{earlier}], {answering(302)}}}")
    assert at_edge(shop(gateway(), one), **fields) == 302
    apart = (
        http_route(f"{{matches: [{later}], {answering(301)}}}", name="a", created="2020-01-01T00:00:00Z"),
        http_route(f"{{matches: [{earlier}], {answering(302)}}}", name="b"),
    )
    assert at_edge(shop(gateway(), *apart), **fields) == 302


def test_of_equal_matches_the_older_route_and_then_the_first_rule_wins() -> None:
    young = http_route(f"{{{answering(301)}}}", name="a")
    old = http_route(f"{{{answering(302)}}}", f"{{{answering(307)}}}", name="b", created="2020-01-01T00:00:00Z")
    assert at_edge(shop(gateway(), young, old)) == 302


WEIGHTS = [
    ("[{name: old, port: 80}]", V1),
    (
        "[{name: old, port: 80, weight: 1}, {name: api, port: 80, weight: 3}]",
        {"shop/old:9080": 25, "shop/api:8080": 75},
    ),
    ("[{name: old, port: 80}, {name: api, port: 80}]", {"shop/old:9080": 50, "shop/api:8080": 50}),
    ("[{name: old, port: 80, weight: 0}]", 500),
    ("[]", 500),
    ("[{name: old, port: 80, namespace: batch}]", 500),  # nothing grants it
    ("[{name: x, kind: Secret}]", 500),
    ("[{name: old, port: 81}]", 503),
]


@pytest.mark.parametrize(("backends", "shares"), WEIGHTS)
def test_backends(backends: str, shares: object) -> None:
    assert at_edge(shop(gateway(), http_route(f"{{backendRefs: {backends}}}"))) == shares


GRANTS = [
    ("HTTPRoute", "batch", "{group: '', kind: Service}", V1),
    ("HTTPRoute", "web", "{group: '', kind: Service}", 500),
    ("GRPCRoute", "batch", "{group: '', kind: Service}", 500),
    ("HTTPRoute", "batch", "{group: '', kind: Service, name: api}", 500),
]


@pytest.mark.parametrize(("kind", "namespace", "to", "found"), GRANTS)
def test_grants_for_backends_in_other_namespaces(kind: str, namespace: str, to: str, found: object) -> None:
    origin = f"{{group: gateway.networking.k8s.io, kind: {kind}, namespace: {namespace}}}"
    grant = f"from: [{origin}]\nto: [{to}]"
    route = http_route("{backendRefs: [{name: old, port: 80, namespace: shop}]}", namespace="batch")
    assert at_edge(shop(gateway(), route, an_object("ReferenceGrant", "g", grant))) == found


SELECTING = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {%s}}}}"
ATTACHMENTS = [
    ("{name: http, port: 80, protocol: HTTP}", "{name: gw, namespace: edge}", False),  # the same namespace alone
    ("{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}", "{name: gw}", False),
    ("{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}",
     "{name: gw, namespace: edge, sectionName: other}", False),
    ("{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}",
     "{name: gw, namespace: edge, port: 81}", False),
    ("{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}}",
     "{name: gw, namespace: edge}", False),
    (SELECTING % "matchLabels: {kubernetes.io/metadata.name: shop}", "{name: gw, namespace: edge}", True),
    (SELECTING % "matchExpressions: [{key: team, operator: Exists}]", "{name: gw, namespace: edge}", False),
    ("{name: http, port: 80, protocol: HTTP, hostname: '*.example', allowedRoutes: {namespaces: {from: All}}}",
     "{name: gw, namespace: edge, sectionName: http}", True),
    ("{name: http, port: 80, protocol: HTTP, hostname: b.example, allowedRoutes: {namespaces: {from: All}}}",
     "{name: gw, namespace: edge}", False),
]  # fmt: skip


@pytest.mark.parametrize(("listener", "parents", "is_attached"), ATTACHMENTS)
def test_routes_attach_where_both_sides_say_so(listener: str, parents: str, is_attached: bool) -> None:
    mesh = shop(gateway(listener), http_route(f"{{{OLD}}}", parents=parents))
    assert at_edge(mesh) == (V1 if is_attached else None)


def test_hostnames_of_routes() -> None:
    mesh = shop(gateway(), http_route(f"{{{OLD}}}", more="hostnames: [a.example, '*.test']"))
    assert at_edge(mesh) == V1
    assert at_edge(mesh, host="x.test") == V1
    assert at_edge(mesh, host="b.example") is None


def test_filters() -> None:
    rule = """{matches: [{path: {value: /a}}], %s, filters: [
      {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: '1'}], remove: [x-b]}},
      {type: URLRewrite, urlRewrite: {hostname: b.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /z}}},
      {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [server]}},
      {type: RequestMirror, requestMirror: {backendRef: {name: old, port: 80}, percent: 20}}],
      timeouts: {request: 2s}}"""
    mesh = shop(gateway(), http_route(" ".join((rule % OLD).split())))
    found = outcome(mesh, EDGE, port=80, host="a.example", identity=None, path="/a/b?q")
    assert found is not None
    assert (found.path, found.rewrite_host, found.timeout_ms) == ("/z/b?q", "b.example", 2000)
    assert [(one.action.value, one.name) for one in found.headers] == [("remove", "x-b"), ("set", "x-a")]
    assert found.mirror is not None
    assert (found.mirror.target.node, found.mirror.percent) == ("shop/old", 20)


@pytest.mark.parametrize(
    ("match", "written", "path", "rewritten"),
    [
        ("{path: {value: /a}}", "{type: ReplacePrefixMatch, replacePrefixMatch: /}", "/a/b", "/b"),
        ("{path: {value: /a}}", "{type: ReplacePrefixMatch, replacePrefixMatch: /}", "/a", "/"),
        ("{path: {value: /}}", "{type: ReplacePrefixMatch, replacePrefixMatch: /x}", "/b", "/x/b"),
        ("{path: {value: /a}}", "{type: ReplaceFullPath, replaceFullPath: /x}", "/a/b", "/x"),
    ],
)
def test_rewritten_paths(match: str, written: str, path: str, rewritten: str) -> None:
    rewrite = f"filters: [{{type: URLRewrite, urlRewrite: {{path: {written}}}}}]"
    mesh = shop(gateway(), http_route(f"{{matches: [{match}], {OLD}, {rewrite}}}"))
    found = outcome(mesh, EDGE, port=80, host="a.example", identity=None, path=path)
    assert found is not None
    assert found.path == rewritten


def test_a_rule_with_another_filter_is_not_in_force() -> None:
    route = http_route(f"{{{OLD}, filters: [{{type: ExtensionRef, extensionRef: {{group: x, kind: Y, name: z}}}}]}}")
    assert at_edge(shop(gateway(), route)) is None
    assert any("none that Istio takes" in one.message for one in read(SHOP + gateway() + route).diagnostics)


@pytest.mark.parametrize(
    ("written", "timeout", "tries"),
    [
        ("", None, (2, None)),
        ("timeouts: {request: 3s}", 3000, (2, None)),
        ("timeouts: {backendRequest: 1s}", 1000, (2, None)),
        ("timeouts: {request: 3s, backendRequest: 1s}, retry: {codes: [503]}", 3000, (2, 1000)),
        ("retry: {attempts: 0}", None, None),
        ("retry: {attempts: 4}", None, (4, None)),
    ],
)
def test_time_and_tries(written: str, timeout: int | None, tries: object) -> None:
    mesh = shop(gateway(), http_route(f"{{{OLD}{', ' if written else ''}{written}}}"))
    found = outcome(mesh, EDGE, port=80, host="a.example", identity=None)
    assert found is not None
    assert found.timeout_ms == timeout
    assert (None if found.retry is None else (found.retry.attempts, found.retry.within_ms)) == tries


GRPC: list[tuple[str, str, bool]] = [
    ("{method: {service: s.S, method: Get}}", "/s.S/Get", True),
    ("{method: {service: s.S, method: Get}}", "/s.S/GetAll", False),
    ("{method: {service: s.S}}", "/s.S/Any", True),
    ("{method: {service: s.S}}", "/s.Sx/Any", False),
    ("{method: {method: Get}}", "/any.T/Get", True),
    ("{method: {method: Get}}", "/any.T/Put", False),
    ("{method: {type: RegularExpression, service: 's.[ST]', method: 'Get.*'}}", "/s.T/GetAll", True),
    ("{}", "/any.T/Put", True),
]


@pytest.mark.parametrize(("match", "path", "is_taken"), GRPC)
def test_methods_of_grpc(match: str, path: str, is_taken: bool) -> None:
    spec = f"parentRefs: [{{name: gw, namespace: edge}}]\nrules: [{{matches: [{match}], {OLD}}}]"
    mesh = shop(gateway(), an_object("GRPCRoute", "r", spec))
    found = at_edge(mesh, protocol=RequestProtocol.GRPC, method="POST", path=path)
    assert found == (V1 if is_taken else None)


SERVICE_PARENT = "{group: '', kind: Service, name: api, namespace: shop}"


def test_routes_in_the_mesh_by_their_service() -> None:
    mesh = shop(http_route(f"{{{OLD}}}", parents=SERVICE_PARENT))
    assert sent(mesh) == V1
    assert sent(mesh, identity=JOB) == V1
    other = shop(http_route(f"{{{OLD}}}", parents=SERVICE_PARENT.replace("shop}", "shop, port: 81}")))
    assert sent(other) == {"shop/api-v1:8080": 100}


def test_a_consumers_route_is_for_its_namespace_alone_and_comes_first() -> None:
    consumer = http_route(f"{{{answering(302)}}}", parents=SERVICE_PARENT, namespace="batch", name="c")
    producer = http_route(f"{{{answering(301)}}}", parents=SERVICE_PARENT, name="p", created="2020-01-01T00:00:00Z")
    mesh = shop(consumer, producer)
    assert sent(mesh) == 301
    assert sent(mesh, identity=JOB) == 302


def test_a_tls_route_goes_by_server_name() -> None:
    listener = (
        "{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}"
    )
    rules = "rules: [{backendRefs: [{name: old, port: 5432}]}]"
    spec = f"parentRefs: [{{name: gw, namespace: edge}}]\nhostnames: [a.example]\n{rules}"
    mesh = shop(gateway(listener), an_object("TLSRoute", "r", spec))
    tcp: dict[str, Any] = {"protocol": RequestProtocol.TCP, "method": None, "host": None, "path": None, "port": 443}
    assert at_edge(mesh, sni="a.example", **tcp) == {"shop/old:5432": 100}
    assert at_edge(mesh, sni="b.example", **tcp) is None
