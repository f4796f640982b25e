"""What Istio's own end-to-end tests of authorization expect of requests, in policies of ours.

Each table is one of Istio's tests (tests/integration/security). Names and values are ours, what comes out is Istio's.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.istio_expectations import Expected, both, broken, custom_object, no, yes
from tests.strategies.istio_lifting import OTHER, TCP, WEB, api, config, policy

TD = "cluster.local"
ONLY_WEB = {
    "principals": "principals: [cluster.local/ns/shop/sa/web]",
    "service accounts": "serviceAccounts: [shop/web]",
    "service account of the own namespace": "serviceAccounts: [web]",
    "namespaces": "namespaces: [shop]",
    "a principal's trust domain is a pointer": 'principals: ["cluster.local/ns/shop/sa/*"]',
}


@pytest.mark.parametrize("source", ONLY_WEB.values(), ids=ONLY_WEB.keys())
def test_allow_by_identity(source: str) -> None:
    mesh = api(
        policy(
            f"""
            rules:
            - to: [{{operation: {{ports: ["8080"], paths: [/allow], methods: [GET]}}}}]
              from: [{{source: {{{source}}}}}]
            - to: [{{operation: {{ports: ["5432"]}}}}]
              from: [{{source: {{{source}}}}}]
            """
        )
    )
    table = (
        yes(TCP),
        no(TCP, identity=OTHER),
        *both(yes(path="/allow")),
        *both(no(path="/allow", identity=OTHER)),
        *both(no(path="/deny")),
        *both(no(path="/deny", identity=OTHER)),
        no(path="/allow", method="POST"),
        no(path="/allow", identity=None),
    )
    assert broken(mesh, table) == []


@pytest.mark.parametrize("source", list(ONLY_WEB.values())[:4], ids=list(ONLY_WEB)[:4])
def test_deny_by_identity_beside_a_global_denial(source: str) -> None:
    root = policy(
        """
        action: DENY
        rules: [{to: [{operation: {ports: ["8080"], paths: ["/global-deny*"], notPaths: [/global-deny/allow]}}]}]
        """,
        name="everywhere",
        namespace="istio-system",
    )
    own = policy(
        f"""
        action: DENY
        rules:
        - to: [{{operation: {{ports: ["8080"], paths: ["/deny*"], notPaths: [/deny/allow], methods: [GET]}}}}]
          from: [{{source: {{{source}}}}}]
        - to: [{{operation: {{ports: ["5432"]}}}}]
          from: [{{source: {{{source}}}}}]
        """
    )
    table = (
        no(TCP),
        yes(TCP, identity=OTHER),
        *both(no(path="/deny")),
        *both(yes(path="/deny", identity=OTHER)),
        *both(yes(path="/deny/allow")),
        *both(yes(path="/allow")),
        *both(no(path="/global-deny")),
        *both(no(path="/global-deny", identity=OTHER)),
        *both(yes(path="/global-deny/allow")),
    )
    assert broken(api(root, own), table) == []


def test_trust_domains() -> None:
    def rule(path: str, source: str) -> str:
        return f"- {{to: [{{operation: {{ports: ['8080'], paths: [{path}]}}}}], from: [{{source: {{{source}}}}}]}}"

    rules = "\n".join(
        (
            rule("/allow", f"trustDomains: [{TD}]"),
            rule("/deny", "trustDomains: [bad.example]"),
            rule("/not-own", f"notTrustDomains: [{TD}]"),
            rule("/not-bad", "notTrustDomains: [bad.example]"),
            f"- {{to: [{{operation: {{ports: ['5432']}}}}], from: [{{source: {{trustDomains: [{TD}]}}}}]}}",
        )
    )
    table = (yes(TCP), yes(path="/allow"), no(path="/deny"), no(path="/not-own"), yes(path="/not-bad"))
    assert broken(api(policy(f"rules:\n{rules}")), table) == []


SINGLE = {
    "not a namespace": (
        "action: DENY\nrules: [{from: [{source: {notNamespaces: [shop]}}]}]",
        (yes(), no(identity=OTHER), yes(TCP), no(TCP, identity=OTHER)),
    ),
    "not a host": (
        "rules: [{to: [{operation: {notHosts: [deny.shop.example]}}]}]",
        (yes(host="allow.shop.example"), no(host="deny.shop.example"), no(host="DENY.shop.example")),
    ),
    "not a method": (
        "rules: [{to: [{operation: {notMethods: [PUT]}}]}]",
        (yes(method="GET"), no(method="PUT")),
    ),
    "not a port": (
        'rules: [{to: [{operation: {notPorts: ["9000"]}}]}]',
        (yes(), no(port=9000), yes(TCP)),
    ),
    "no plaintext": (
        'action: DENY\nrules: [{from: [{source: {notPrincipals: ["*"]}}]}]',
        (yes(), no(identity=None), yes(TCP), no(TCP, identity=None)),
    ),
    "paths": (
        'rules: [{to: [{operation: {paths: ["/public*"], methods: [GET]}}]}]',
        (
            *(yes(path=path) for path in ("/public", "/public/../public")),
            *(
                no(path=path)
                for path in (
                    "/private",
                    "/public/../private",
                    "/public/./../private",
                    "/public/.././private",
                    "/public/%2E%2E/private",
                    "/public/%2e%2e/private",
                    "/public/%2E/%2E%2E/private",
                    "/public/%2e/%2e%2e/private",
                    "/public/%2E%2E/%2E/private",
                    "/public/%2e%2e/%2e/private",
                )
            ),
        ),
    ),
    "templates": (
        'rules: [{to: [{operation: {paths: ["/allow/admin/{**}", "/foo/{*}/bar/{**}", "/store/{**}/cart"]}}]}]',
        (
            *(
                yes(path=path)
                for path in (
                    "/allow/admin/",
                    "/allow/admin/temp",
                    "/allow/admin/temp.txt",
                    "/allow/admin/foo/temp.txt",
                    "/foo/buzz/bar/bat.txt",
                    "/foo/buzz/bar/bat.temp.txt",
                    "/foo/buzz/bar/bat/fuzz.txt",
                    "/foo/buzz/bar/bat",
                    "/store//cart",
                    "/store/foo/cart",
                    "/store/foo/bar/cart",
                )
            ),
            *(
                no(path=path)
                for path in (
                    "/allow/admin",
                    "/allow/user/",
                    "/allow/admin?param=value",
                    "/allow",
                    "/foo/bar/bat.txt",
                    "/foo//bar/bat.txt",
                    "/store/cart",
                )
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_policy(name: str) -> None:
    spec, table = SINGLE[name]
    assert broken(api(policy(spec)), table) == []


def test_a_denial_is_stronger_than_a_wider_permission() -> None:
    mesh = api(
        policy("action: DENY\nrules: [{to: [{operation: {paths: [/allow/admin]}}]}]", name="refuse"),
        policy('rules: [{to: [{operation: {paths: ["/allow*"]}}]}]', name="let"),
    )
    assert broken(mesh, (*both(no(path="/allow/admin")), *both(yes(path="/allow")))) == []


def test_selectors() -> None:
    def one(name: str, labels: str, namespace: str = "shop") -> str:
        selector = f"selector: {{matchLabels: {{{labels}}}}}\n" if labels else ""
        spec = f"{selector}rules: [{{to: [{{operation: {{paths: [/{name}]}}}}]}}]"
        return policy(spec, name=name, namespace=namespace)

    mesh = api(
        one("own", "app: api"),
        one("bad", "app: api, foo: bla"),
        one("all", ""),
        one("others", "", namespace="other"),
        one("system", "app: api", namespace="istio-system"),
        one("system-other", "app: other", namespace="istio-system"),
        one("other", "app: other"),
    )
    table = (
        *(yes(path=f"/{path}") for path in ("own", "all", "system")),
        *(no(path=f"/{path}") for path in ("bad", "others", "other", "system-other")),
    )
    assert broken(mesh, table) == []


def _condition(path: str, key: str, values: str) -> str:
    return f"- {{to: [{{operation: {{paths: [/{path}]}}}}], when: [{{key: '{key}', {values}}}]}}"


FOO: dict[str, Any] = {"headers": (("x-foo", "foo"),)}
BAR: dict[str, Any] = {"headers": (("x-foo", "bar"),)}
CONDITIONS: tuple[tuple[str, str, str, tuple[Expected, ...]], ...] = (
    ("header", "request.headers[x-foo]", "values: [foo]", (yes(**FOO), no(**BAR), no())),
    ("no-header", "request.headers[x-foo]", "notValues: [bar]", (yes(**FOO), no(**BAR), yes())),
    ("ip", "source.ip", "values: [10.0.0.7]", (yes(), no(ip="10.0.0.8"))),
    ("no-ip", "source.ip", "notValues: [10.0.0.8]", (yes(), no(ip="10.0.0.8"))),
    ("namespace", "source.namespace", "values: [shop]", (yes(), no(identity=OTHER))),
    ("no-namespace", "source.namespace", "notValues: [other]", (yes(), no(identity=OTHER))),
    ("principal", "source.principal", "values: [cluster.local/ns/shop/sa/web]", (yes(), no(identity=OTHER))),
    ("no-principal", "source.principal", "notValues: [cluster.local/ns/other/sa/other]", (yes(), no(identity=OTHER))),
    ("domain", "source.trustDomain", "values: [cluster.local]", (yes(), yes(identity=OTHER))),
    ("no-domain", "source.trustDomain", "notValues: [bad.example]", (yes(), yes(identity=OTHER))),
    ("target", "destination.ip", "values: [10.0.0.9]", (yes(),)),
    ("bad-target", "destination.ip", "values: [1.2.3.4]", (no(),)),
    ("no-target", "destination.ip", "notValues: [10.0.0.9]", (no(),)),
    ("port", "destination.port", 'values: ["8080"]', (yes(),)),
    ("bad-port", "destination.port", 'values: ["1"]', (no(),)),
    ("no-port", "destination.port", 'notValues: ["8080"]', (no(),)),
    ("sni", "connection.sni", 'values: ["*.api.shop.svc.cluster.local"]', (yes(),)),
    ("bad-sni", "connection.sni", "values: [never]", (no(),)),
    ("no-sni", "connection.sni", 'notValues: ["*.api.shop.svc.cluster.local"]', (no(),)),
)  # fmt: skip


def test_conditions() -> None:
    rules = "\n".join(_condition(path, key, values) for path, key, values, _ in CONDITIONS)
    mesh = api(policy(f"rules:\n{rules}"))
    sni = "outbound_.80_._.api.shop.svc.cluster.local"
    table = tuple(
        Expected(one.request, {"path": f"/{path}", "sni": sni} | one.fields, one.is_allowed)
        for path, _, _, expected in CONDITIONS
        for one in expected
    )
    assert broken(mesh, (*table, no(path="/other"))) == []


PROVIDERS = config(
    """
    extensionProviders:
    - {name: rpc, envoyExtAuthzGrpc: {service: rpc.shop.svc.cluster.local, port: 9000}}
    - {name: web, envoyExtAuthzHttp: {service: web.shop.svc.cluster.local, port: 8000}}
    """
)


def _custom(provider: str, name: str, operation: str) -> str:
    rules = f"rules: [{{to: [{{operation: {{{operation}}}}}]}}]"
    return policy(f"action: CUSTOM\nprovider: {{name: {provider}}}\n{rules}", name=name)


@pytest.mark.parametrize("provider", ["rpc", "web"])
def test_an_external_authorizer(provider: str) -> None:
    asked: dict[str, Any] = {"answers": {provider: True}}
    refused: dict[str, Any] = {"answers": {provider: False}}
    mesh = api(
        PROVIDERS,
        _custom(provider, "custom-http", 'ports: ["8080"], paths: [/custom], methods: [GET]'),
        _custom(provider, "custom-tcp", 'ports: ["5432"]'),
    )
    on_tcp = (yes(TCP, **asked), no(TCP, **refused)) if provider == "rpc" else (yes(TCP),)
    table = (
        yes(path="/custom", **asked),
        no(path="/custom", **refused),
        yes(path="/health", **asked),
        yes(path="/health", **refused),
        yes(path="/health"),
        *on_tcp,
    )
    assert broken(mesh, table) == []


def test_several_authorizers_must_all_say_yes() -> None:
    mesh = api(
        PROVIDERS,
        _custom("rpc", "broad", 'paths: ["/api/*"]'),
        _custom("web", "narrow", 'paths: [/api/admin, "/api/admin/*"]'),
        settings=(("istio.custom-providers", "many"),),
    )
    table = (
        yes(path="/api/users", answers={"rpc": True}),
        no(path="/api/users", answers={"rpc": False, "web": True}),
        yes(path="/api/admin/users", answers={"rpc": True, "web": True}),
        no(path="/api/admin/users", answers={"rpc": True, "web": False}),
        no(path="/api/admin/users", answers={"rpc": False, "web": True}),
        yes(path="/public", answers={"rpc": False, "web": False}),
        yes(path="/public"),
    )
    assert broken(mesh, table) == []


def test_several_authorizers_are_refused_without_the_flag() -> None:
    mesh = api(PROVIDERS, _custom("rpc", "a", "paths: [/a]"), _custom("web", "b", "paths: [/b]"))
    said: dict[str, Any] = {"answers": {"rpc": True, "web": True}}
    assert broken(mesh, (no(path="/a", **said), no(path="/b", **said), yes(path="/c", **said))) == []


def _modes(general: str, tcp: str | None = None) -> str:
    ports = "" if tcp is None else f", portLevelMtls: {{7777: {{mode: {tcp}}}}}"
    selector = "" if tcp is None else "selector: {matchLabels: {app: api}}, "
    return custom_object("PeerAuthentication", f"{{{selector}mtls: {{mode: {general}}}{ports}}}")


PASS_THROUGH = {
    "DISABLE": (_modes("DISABLE"), (True, True)),
    "STRICT": (_modes("STRICT"), (False, False)),
    "PERMISSIVE": (_modes("PERMISSIVE"), (True, True)),
    "DISABLE with STRICT": (_modes("DISABLE", "STRICT"), (False, True)),
    "STRICT with DISABLE": (_modes("STRICT", "DISABLE"), (True, False)),
    "PERMISSIVE with STRICT": (_modes("PERMISSIVE", "STRICT"), (False, True)),
    "STRICT with PERMISSIVE": (_modes("STRICT", "PERMISSIVE"), (True, False)),
    "PERMISSIVE with DISABLE": (_modes("PERMISSIVE", "DISABLE"), (True, True)),
    "DISABLE with PERMISSIVE": (_modes("DISABLE", "PERMISSIVE"), (True, True)),
}
"""Plaintext on the two ports that no Service names, 7777 for bytes and 7778 for HTTP."""


@pytest.mark.parametrize("name", PASS_THROUGH)
def test_ports_without_a_service(name: str) -> None:
    objects, (on_tcp, on_http) = PASS_THROUGH[name]
    mesh = api(objects)
    table = (
        Expected(TCP, {"port": 7777, "identity": None}, on_tcp),
        Expected(yes().request, {"port": 7778, "identity": None}, on_http),
        *(yes(TCP, port=7777) for mode in ("STRICT", "PERMISSIVE") if name.endswith(f"with {mode}")),
        *(yes(port=7778) for mode in ("STRICT", "PERMISSIVE") if name.startswith(mode)),
    )
    assert broken(mesh, table) == []


def test_a_policy_on_ports_without_a_service() -> None:
    mesh = api(_modes("DISABLE"), policy('rules: [{to: [{operation: {ports: ["7777"]}}]}]'))
    table = (yes(TCP, port=7777, identity=None), no(port=7778, identity=None))
    assert broken(mesh, table) == []


def test_trust_domains_of_peers() -> None:
    """`bar` is nobody's trust domain, `foo` an alias."""
    mesh = api(
        config("trustDomainAliases: [foo]"),
        custom_object(
            "PeerAuthentication",
            "{selector: {matchLabels: {app: api}}, mtls: {mode: STRICT}, portLevelMtls: {9000: {mode: DISABLE}}}",
        ),
    )
    foo, bar = "spiffe://foo/ns/a/sa/b", "spiffe://bar/ns/a/sa/b"
    table = (
        yes(port=9000, identity=None),
        yes(TCP, port=9000, identity=None),
        *(yes(request, identity=one) for one in (WEB, foo) for request in (yes().request, TCP)),
        yes(TCP, port=7777, identity=foo),
        no(identity=bar),
        no(TCP, identity=bar),
        no(TCP, port=7777, identity=bar),
    )
    assert broken(mesh, table) == []
