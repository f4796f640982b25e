"""Every field and key, with its own rule for `*`: istio.md, sections 1.1, 1.2, 4, 5 and 6."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import HTTP, NODE, TCP, WEB, allows, api, config, policy, token

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import NotModelled


def _from(field: str, *values: str) -> Mesh:
    return api(policy(f"rules: [{{from: [{{source: {{{field}: {list(values)}}}}}]}}]"))


def _to(field: str, *values: str, settings: tuple[tuple[str, str], ...] = ()) -> Mesh:
    return api(policy(f"rules: [{{to: [{{operation: {{{field}: {list(values)}}}}}]}}]"), settings=settings)


def _when(key: str, *values: str, field: str = "values", settings: tuple[tuple[str, str], ...] = ()) -> Mesh:
    return api(policy(f'rules: [{{when: [{{key: "{key}", {field}: {list(values)}}}]}}]'), settings=settings)


def _id(path: str, domain: str = "cluster.local") -> str:
    return f"spiffe://{domain}/{path}"


PRINCIPALS = [
    ("cluster.local/ns/shop/sa/web", WEB, True),
    ("cluster.local/ns/shop/sa/web", _id("ns/shop/sa/web2"), False),
    ("spiffe://cluster.local/ns/shop/sa/web", WEB, False),
    ("cluster.local/ns/shop/*", WEB, True),
    ("cluster.local/ns/sho*", WEB, True),
    ("cluster.local/ns/ops/*", WEB, False),
    ("*/sa/web", WEB, True),
    ("*/sa/web", _id("ns/shop/sa/x/sa/web"), True),
    ("*sa/web", _id("ns/shop/nosa/web"), True),
    ("*", WEB, True),
    ("*", None, False),
    ("*web*", WEB, False),
    ("cluster.local/ns/*/sa/web", WEB, False),
    ("*.web", _id("ns/shop/sa/aweb"), False),
    ("*/ns/shop/sa/web", WEB, True),
]


@pytest.mark.parametrize(("value", "identity", "is_met"), PRINCIPALS)
def test_principals(value: str, identity: str | None, is_met: bool) -> None:
    assert allows(_from("principals", value), identity=identity) is is_met
    assert allows(_when("source.principal", value), identity=identity) is is_met
    assert allows(_from("notPrincipals", value), identity=identity) is not is_met
    assert allows(_when("source.principal", value, field="notValues"), identity=identity) is not is_met
    assert allows(_from("principals", value), TCP, identity=identity) is is_met


NAMESPACES = [
    ("shop", WEB, True),
    ("shop", _id("ns/shop2/sa/web"), False),
    ("sh*", WEB, True),
    ("*op", WEB, True),
    ("s*p", WEB, True),
    ("*", WEB, True),
    ("*", None, False),
    ("s*p", _id("ns/s/x/p/sa/web"), True),
    ("shop", _id("ns/a/sa/b/ns/shop/x"), True),
    ("shop", _id("ns/shop"), False),
    ("shop", _id("ns/shop/sa/web", "foreign.example"), False),
]


@pytest.mark.parametrize(("value", "identity", "is_met"), NAMESPACES)
def test_namespaces(value: str, identity: str | None, is_met: bool) -> None:
    assert allows(_from("namespaces", value), identity=identity) is is_met
    assert allows(_when("source.namespace", value), identity=identity) is is_met


def test_what_is_absent_meets_every_field_that_is_negated() -> None:
    for field in ("notPrincipals", "notNamespaces", "notServiceAccounts", "notTrustDomains"):
        assert allows(_from(field, "shop"), identity=None), field
    assert allows(_from("notRequestPrincipals", "*"))
    assert allows(_when("request.headers[x-a]", "1", field="notValues"))
    assert allows(_when("request.auth.claims[a]", "1", field="notValues"))


ACCOUNTS = [
    ("web", WEB, True),
    ("web", _id("ns/ops/sa/web"), False),
    ("ops/web", _id("ns/ops/sa/web"), True),
    ("ops/web", _id("ns/ops/sa/web", "cluster.local"), True),
    ("shop/web", _id("ns/shop/sa/web/x"), True),
    ("shop/web", _id("ns/shop/sa/webx"), False),
    ("shop/w.b", WEB, False),
    ("web", None, False),
]


@pytest.mark.parametrize(("value", "identity", "is_met"), ACCOUNTS)
def test_service_accounts(value: str, identity: str | None, is_met: bool) -> None:
    assert allows(_from("serviceAccounts", value), identity=identity) is is_met
    assert allows(_when("source.serviceAccount", value), identity=identity) is is_met


@pytest.mark.parametrize(
    ("value", "domain", "is_met"),
    [
        ("cluster.local", "cluster.local", True),
        ("cluster", "cluster.local", False),
        ("*.local", "cluster.local", True),
        ("cluster.*", "cluster.local", True),
        ("*", "cluster.local", True),
        ("partner.example", "partner.example", True),
        ("partner.example", "cluster.local", False),
    ],
)
def test_trust_domains(value: str, domain: str, is_met: bool) -> None:
    trusts = config("caCertificates: [{trustDomains: [partner.example]}]")
    rule = policy(f"rules: [{{from: [{{source: {{trustDomains: ['{value}']}}}}]}}]")
    assert allows(api(trusts, rule), identity=_id("ns/shop/sa/web", domain)) is is_met


TOKENS = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: t, namespace: shop}
spec:
  jwtRules:
  - {issuer: "https://idp/x", jwksUri: "https://idp/keys"}
  - {issuer: "https://idp", jwksUri: "https://idp/keys"}
---
"""


@pytest.mark.parametrize(
    ("value", "issuer", "subject", "is_met"),
    [
        ("*", "https://idp", "u", True),
        ("https://idp/u", "https://idp", "u", True),
        ("https://idp/x/u", "https://idp/x", "u", True),
        ("https://idp/x/u", "https://idp", "x/u", False),
        ("https://idp/*", "https://idp", "u", True),
        ("https://idp/u*", "https://idp", "u2", True),
        ("https://idp/u*", "https://idp", "v", False),
        ("*/u", "https://idp/x", "u", True),
        ("*idp/u", "https://idp", "u", True),
        ("*idp/u", "https://idp/x", "u", False),
        ("*er", "https://idp", "user", True),
        ("https*", "https://idp", "user", True),
        ("u", "https://idp", "u", False),
    ],
)
def test_request_principals(value: str, issuer: str, subject: str, is_met: bool) -> None:
    one = policy(f'rules: [{{from: [{{source: {{requestPrincipals: ["{value}"]}}}}]}}]')
    other = policy(f'rules: [{{when: [{{key: request.auth.principal, values: ["{value}"]}}]}}]')
    for rule in (one, other):
        mesh = api(TOKENS, rule)
        assert allows(mesh, token=token(iss=issuer, sub=subject)) is is_met
        assert not allows(mesh)
        assert not allows(mesh, token=token(iss=issuer)) or value == "https*"


HOSTS = [
    ("api.example", "api.example", True),
    ("api.example", "API.Example", True),
    ("API.example", "api.example", True),
    ("api.example", "api.example:80", False),
    ("api.example:*", "api.example:80", True),
    ("api.example", "api.example.", False),
    ("*.example", "api.EXAMPLE", True),
    ("*", "x", True),
    ("*a*", "xa*", True),
    ("*a*", "xab", False),
]


@pytest.mark.parametrize(("value", "host", "is_met"), HOSTS)
def test_hosts(value: str, host: str, is_met: bool) -> None:
    assert allows(_to("hosts", value), host=host) is is_met
    assert allows(_to("notHosts", value), host=host) is not is_met


@pytest.mark.parametrize(
    ("value", "method", "is_met"),
    [("GET", "GET", True), ("GET", "get", False), ("get", "GET", False), ("*", "PURGE", True), ("P*", "PUT", True)],
)
def test_methods(value: str, method: str, is_met: bool) -> None:
    assert allows(_to("methods", value), method=method) is is_met


PATHS = [
    ("/admin", "/admin", True),
    ("/admin", "/admin?x=1", True),
    ("/admin", "/admin#x", True),
    ("/admin", "/admin/", False),
    ("/admin", "/ADMIN", False),
    ("/admin", "/admin;x", False),
    ("/admin", "/admin%2f", False),
    ("/admin", "/admin%3Fx", False),
    ("/admin", "/%61dmin", True),
    ("/admin", "/x/../admin", True),
    ("/admin", "//admin", False),
    ("/public*", "/publicity", True),
    ("*.js", "/a/b.js", True),
    ("*", "/", True),
    ("/a/*/b", "/a/x/b", False),
    ("/a/*/b", "/a/*/b", True),
    ("/foo/{*}", "/foo/a", True),
    ("/foo/{*}", "/foo/a%2fb", True),
    ("/foo/{*}", "/foo/a;b=c", True),
    ("/foo/{*}", "/foo/", False),
    ("/foo/{*}", "/foo", False),
    ("/foo/{*}", "/foo/a/b", False),
    ("/foo/{*}", "/foo//a", False),
    ("/foo/{**}", "/foo/", True),
    ("/foo/{**}", "/foo//a", True),
    ("/foo/{**}", "/foo", False),
    ("/store/{**}/cart", "/store//cart", True),
    ("/store/{**}/cart", "/store/a/b/cart", True),
    ("/store/{**}/cart", "/store/cart", False),
    ("/store/{**}/cart", "/store/a/cart/", False),
]


@pytest.mark.parametrize(("value", "path", "is_met"), PATHS)
def test_paths(value: str, path: str, is_met: bool) -> None:
    assert allows(_to("paths", value), path=path) is is_met
    assert allows(_to("notPaths", value), path=path) is not is_met


@pytest.mark.parametrize(
    ("mode", "met"),
    [
        ("NONE", {"/admin"}),
        ("BASE", {"/admin", "/./admin", "/%61dmin", "/x/..\\admin"}),
        ("MERGE_SLASHES", {"/admin", "/./admin", "/%61dmin", "/x/..\\admin", "//admin"}),
        ("DECODE_AND_MERGE_SLASHES", {"/admin", "/./admin", "/%61dmin", "/x/..\\admin", "//admin", "/%2Fadmin"}),
    ],
)
def test_paths_are_normalized_as_the_mesh_says(mode: str, met: set[str]) -> None:
    raw = ("/admin", "/./admin", "/%61dmin", "/x/..\\admin", "//admin", "/%2Fadmin", "/%252e%252e/admin")
    by_option = _to("paths", "/admin", settings=(("istio.path-normalization", mode),))
    by_config = api(
        policy("rules: [{to: [{operation: {paths: [/admin]}}]}]"),
        config(f"pathNormalization: {{normalization: {mode}}}"),
    )
    for mesh in (by_option, by_config):
        assert {path for path in raw if allows(mesh, path=path)} == met


def test_ports_are_those_of_the_pod() -> None:
    mesh = _to("ports", "8080")
    assert allows(mesh)
    assert not allows(_to("ports", "80"))
    assert allows(_to("ports", "5432"), TCP)
    assert not allows(_to("notPorts", "5432"), TCP)
    assert allows(_when("destination.port", "5432"), TCP)
    assert allows(_when("destination.port", "08080"))
    several = _to("ports", "8080", "5432")
    assert allows(several)
    assert allows(several, TCP)
    assert not allows(several, port=9000)


ADDRESSES = [
    ("10.0.0.0/8", "10.9.9.9", True),
    ("10.0.0.7", "10.0.0.7", True),
    ("10.0.0.7/24", "10.0.0.9", True),
    ("10.0.0.7", "10.0.0.8", False),
    ("2001:db8::/32", "2001:db8::1", True),
    ("10.0.0.0/8", "2001:db8::1", False),
]


@pytest.mark.parametrize(("value", "address", "is_met"), ADDRESSES)
def test_addresses(value: str, address: str, is_met: bool) -> None:
    assert allows(_from("ipBlocks", value), ip=address) is is_met
    assert allows(_when("source.ip", value), TCP, ip=address) is is_met
    assert allows(_from("notIpBlocks", value), ip=address) is not is_met
    assert allows(_when("destination.ip", value), destination_ip=address) is is_met


def test_the_remote_address_is_what_the_last_hop_wrote() -> None:
    mesh = _from("remoteIpBlocks", "192.0.2.0/24")
    assert allows(mesh, headers=(("x-forwarded-for", "1.1.1.1, 192.0.2.9"),))
    assert not allows(mesh, headers=(("x-forwarded-for", "192.0.2.9, 1.1.1.1"),))
    assert not allows(mesh)
    assert allows(mesh, ip="192.0.2.9")
    assert allows(mesh, TCP, ip="192.0.2.9")
    assert not allows(mesh, TCP, client_ip="192.0.2.9")
    assert allows(_when("remote.ip", "192.0.2.9"), client_ip="192.0.2.9")


HEADERS = [
    ("1", ("1",), True),
    ("1", ("0", "1"), True),
    ("1", ("0,1",), False),
    ("*", ("",), True),
    ("*", (), False),
    ("a*", ("ab",), True),
    ("*b", ("ab",), True),
    ("A", ("a",), False),
]


@pytest.mark.parametrize(("value", "lines", "is_met"), HEADERS)
def test_headers(value: str, lines: tuple[str, ...], is_met: bool) -> None:
    headers = tuple(("x-a", line) for line in lines)
    assert allows(_when("request.headers[X-A]", value), headers=headers) is is_met
    assert allows(_when("request.headers[x-a]", value, field="notValues"), headers=headers) is not is_met


def test_joined_headers_are_one_value() -> None:
    joined = (("istio.header-values", "joined"),)
    lines = (("x-a", "0"), ("x-a", "1"))
    assert not allows(_when("request.headers[x-a]", "1", settings=joined), headers=lines)
    assert allows(_when("request.headers[x-a]", "0,1", settings=joined), headers=lines)
    assert allows(_when("request.headers[x-a]", "*1", settings=joined), headers=lines)
    assert allows(_when("request.headers[x-a]", "1", field="notValues", settings=joined), headers=lines)


def test_the_host_is_a_header_too() -> None:
    assert allows(_when("request.headers[:authority]", "api"))
    assert allows(_when("request.headers[host]", "api"))
    assert not allows(_when("request.headers[host]", "API"))


@pytest.mark.parametrize(
    ("key", "value", "claim", "is_met"),
    [
        ("a", "x", "x", True),
        ("a", "x", ("y", "x"), True),
        ("a", "1", 1, False),
        ("a", "true", True, False),
        ("a", "x*", "xy", True),
        ("a", "*", "", False),
        ("a.b", "x", "x", True),
        ("scope", "read", "read write", True),
        ("scope", "read write", "read write", False),
        ("other", "read", "read write", False),
    ],
)
def test_claims(key: str, value: str, claim: str | int | tuple[str, ...], is_met: bool) -> None:
    rule = policy(f'rules: [{{when: [{{key: "request.auth.claims[{key}]", values: ["{value}"]}}]}}]')
    mesh = api(TOKENS, rule)
    assert allows(mesh, token=token(iss="https://idp", **{key: claim})) is is_met
    assert not allows(api(rule), token=token(iss="https://idp", **{key: claim}))


def test_claims_may_be_nested() -> None:
    nested = token(iss="https://idp").claims
    inner = type(nested)((("b", "x"),))
    rule = policy('rules: [{when: [{key: "request.auth.claims[a][b]", values: [x]}]}]')
    mesh = api(TOKENS, rule)
    assert allows(mesh, token=token(iss="https://idp", a=inner))
    assert not allows(mesh, token=token(iss="https://idp", a="x"))


def test_audience_and_presenter_are_claims() -> None:
    conditions = "[{key: request.auth.audiences, values: [a]}, {key: request.auth.presenter, values: [p]}]"
    mesh = api(TOKENS, policy(f"rules: [{{when: {conditions}}}]"))
    assert allows(mesh, token=token(iss="https://idp", aud=("a", "b"), azp="p"))
    assert not allows(mesh, token=token(iss="https://idp", aud=("b",), azp="p"))
    assert not allows(mesh, token=token(iss="https://idp", aud="a"))


@pytest.mark.parametrize(
    ("value", "sni", "is_met"), [("*", None, False), ("*", "a.b", True), ("*.b", "A.B", True), ("a.b", "a.c", False)]
)
def test_server_names(value: str, sni: str | None, is_met: bool) -> None:
    assert allows(_when("connection.sni", value), TCP, sni=sni) is is_met
    assert allows(_when("connection.sni", value), HTTP, sni=sni) is is_met


@pytest.mark.parametrize("request_", [HTTP, TCP], ids=["http", "tcp"])
def test_metadata_of_filters_is_not_modelled(request_: Request) -> None:
    mesh = _when("experimental.envoy.filters.network.mysql_proxy[db]", "[x]")
    with pytest.raises(NotModelled):
        allows(mesh, request_)
    assert mesh.services[0].name == NODE


def test_the_method_as_a_header() -> None:
    mesh = _when("request.headers[:method]", "P*")
    assert allows(mesh, method="POST")
    assert not allows(mesh, method="GET")
