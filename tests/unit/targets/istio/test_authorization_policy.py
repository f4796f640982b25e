"""AuthorizationPolicy: what rules become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Rules = Callable[..., Any]
Specs = Callable[..., dict[str, Any]]
Codes = Callable[..., list[str]]

A = "service a { port http 80 -> 8080 }\n"
B = "service b { port http 80 -> 8080  port db tcp 5432 }\n"
PRINCIPAL = {"source": {"principals": ["td/ns/app/sa/a"]}}


def test_a_protected_workload_has_a_policy_that_allows_nothing(specs: Specs) -> None:
    found = specs("AuthorizationPolicy", A)
    assert found == {"app/a-default": {"selector": {"matchLabels": {"app": "a"}}, "action": "ALLOW"}}


def test_ports_are_the_workloads_and_operations_of_one_method_share_a_block(rules: Rules) -> None:
    found = rules("app/b-allow", A + B + "allow a -> b:http { GET /x  GET /y/**  POST /z/{id} }")
    assert found == [
        {
            "from": [PRINCIPAL],
            "to": [
                {"operation": {"ports": ["8080"], "methods": ["GET"], "paths": ["/x", "/y", "/y/*"]}},
                {"operation": {"ports": ["8080"], "methods": ["POST"], "paths": ["/z/{*}"]}},
            ],
        }
    ]


def test_a_rule_without_a_port_names_every_declared_one(rules: Rules) -> None:
    assert rules("app/b-allow", A + B + "allow a -> b")[0]["to"] == [{"operation": {"ports": ["5432", "8080"]}}]


def test_a_rule_that_reads_http_names_http_ports_alone(rules: Rules) -> None:
    text = A + B + "allow r: a -> b\ndeny d: anyone -> b { * /debug/** }"
    assert rules("app/b-deny", text) == [{"to": [{"operation": {"ports": ["8080"], "paths": ["/debug", "/debug/*"]}}]}]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("anyone", None),
        ("authenticated", [{"principals": ["*"]}]),
        ("plaintext", [{"notPrincipals": ["*"]}]),
        ("namespace app", [{"principals": ["td/ns/app/*", "old/ns/app/*"]}]),
        (
            "namespace app except a",
            [{"principals": ["td/ns/app/*", "old/ns/app/*"], "notPrincipals": ["td/ns/app/sa/a"]}],
        ),
        ("authenticated except a", [{"principals": ["*"], "notPrincipals": ["td/ns/app/sa/a"]}]),
        ("anyone except a", [{"notPrincipals": ["td/ns/app/sa/a"]}]),
        ('namespace x of "partner"', [{"principals": ["partner/ns/x/*"]}]),
        ('identity "spiffe://td/vm/*"', [{"principals": ["td/vm/*", "old/vm/*"]}]),
        ("{ a, plaintext }", [{"principals": ["td/ns/app/sa/a"]}, {"notPrincipals": ["*"]}]),
        ('identity "spiffe://td/vm/x"', [{"principals": ["td/vm/x", "old/vm/x"]}]),
        ('identity "spiffe://td/a/b/c/d"', [{"principals": ["td/a/b/c/d"]}]),
        ('identity "spiffe://partner/vm/x"', [{"principals": ["partner/vm/x"]}]),
    ],
)
def test_sources(rules: Rules, sources: str, expected: list[Any] | None) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" aliases "old" trusts "partner" namespace app }\n'
    text = f'{mesh}{A}{B}allow r: {sources} -> b:http {{ because "x" until 2027-01-31 }}'
    (rule,) = rules("app/b-allow", text, has_mesh=True)
    assert rule.get("from") == (None if expected is None else [{"source": one} for one in expected])


CONDITIONS = [
    ('header["x"] == "1"', [{"key": "request.headers[x]", "values": ["1"]}]),
    ('header["x"] in ["1", "2"]', [{"key": "request.headers[x]", "values": ["1", "2"]}]),
    ('header["x"] != "1"', [{"key": "request.headers[x]", "notValues": ["1"]}]),
    ('has header["x"]', [{"key": "request.headers[x]", "values": ["*"]}]),
    ('not has header["x"]', [{"key": "request.headers[x]", "notValues": ["*"]}]),
    ('header["x"] startswith "v"', [{"key": "request.headers[x]", "values": ["v*"]}]),
    ('header["x"] endswith "v"', [{"key": "request.headers[x]", "values": ["*v"]}]),
    ('source.ip in "10.0.0.0/8"', [{"key": "source.ip", "values": ["10.0.0.0/8"]}]),
    ("token from idp", [{"key": "request.auth.claims[iss]", "values": ["https://idp"]}]),
    ("has token", [{"key": "request.auth.claims[iss]", "values": ["*"]}]),
    ('token.subject == "s"', [{"key": "request.auth.claims[sub]", "values": ["s"]}]),
    ('token.audience == "s"', [{"key": "request.auth.audiences", "values": ["s"]}]),
    ('token.presenter == "s"', [{"key": "request.auth.presenter", "values": ["s"]}]),
    ('claim["a"]["b"] == "s"', [{"key": "request.auth.claims[a][b]", "values": ["s"]}]),
    ('sni == "x.y"', [{"key": "connection.sni", "values": ["x.y"]}]),
]
ISSUED = 'issuer idp { url "https://idp" jwks "https://idp/keys" audiences "app" }\n'
ISSUED += "service c { port http 80 -> 8080  accepts idp }\n"


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions(rules: Rules, condition: str, expected: list[Any]) -> None:
    (rule,) = rules("app/c-allow", f"{A}{ISSUED}allow a -> c {{ GET /x when {condition} }}")
    assert rule["when"] == expected


def test_a_disjunction_of_conditions_is_several_rules(rules: Rules) -> None:
    text = A + ISSUED + 'allow a -> c { GET /x when has token or header["x"] == "1" }'
    found = rules("app/c-allow", text)
    assert [one["when"][0]["key"] for one in found] == ["request.auth.claims[iss]", "request.headers[x]"]


def test_unless_negates_all_of_it(rules: Rules) -> None:
    text = A + ISSUED + 'allow a -> c { GET /** unless path in /admin/** unless header["x"] == "1" }'
    (rule,) = rules("app/c-allow", text)
    assert rule["to"] == [{"operation": {"ports": ["8080"], "methods": ["GET"], "notPaths": ["/admin", "/admin/*"]}}]
    assert rule["when"] == [{"key": "request.headers[x]", "notValues": ["1"]}]


def test_a_token_at_a_destination_that_accepts_none_is_never_there(specs: Specs) -> None:
    found = specs("AuthorizationPolicy", A + B + ISSUED + "allow a -> b:http { GET /x when not has token }")
    assert "when" not in found["app/b-allow"]["rules"][0]


def test_hosts_are_written_with_port_and_last_dot(rules: Rules) -> None:
    (rule,) = rules("app/b-allow", A + B + 'allow a -> b:http { GET /x when host == "h.example" }')
    assert rule["to"][0]["operation"]["hosts"] == ["h.example", "h.example:*", "h.example.", "h.example.:*"]


def test_conditions_on_the_path_meet_where_one_includes_the_other(rules: Rules) -> None:
    (rule,) = rules("app/b-allow", A + B + "allow a -> b:http { GET /x/**  GET /z\n when path in /x/y/** }")
    assert rule["to"] == [{"operation": {"ports": ["8080"], "methods": ["GET"], "paths": ["/x/y", "/x/y/*"]}}]


def test_a_condition_on_the_port_is_decided_here(rules: Rules) -> None:
    text = A + "service d { port one http 81  port two http 82 }\nallow a -> d { when port == 82 }"
    assert rules("app/d-allow", text) == [{"from": [PRINCIPAL], "to": [{"operation": {"ports": ["82"]}}]}]


def test_a_deny_by_template_closes_the_allows(rules: Rules, codes: Codes) -> None:
    text = A + B + "allow r: a -> b:http { GET /x/** }\nallow s: a -> b:db\ndeny d: a -> b:http { * /x/{id}/y }"
    assert [one["to"][0]["operation"].get("paths") for one in rules("app/b-allow", text)] == [
        ["/x", "/x/{**}"],
        None,
    ]
    assert "MP704" in codes(text)


def test_audit_is_a_dry_run(specs: Specs) -> None:
    found = specs("AuthorizationPolicy", A + B + 'audit deny d: a -> b { because "x" until 2027-01-31 }')
    assert set(found) == {"app/a-default", "app/b-default", "app/b-audit-deny"}


def test_what_is_out_of_force_is_left_out(specs: Specs) -> None:
    text = (
        A + B + 'allow old: a -> b { because "x" until 2026-11-22 }\nallow new: a -> b { because "x" until 2026-11-23 }'
    )
    text += "\ndeny d: plaintext -> b { until 2026-01-01 }"
    found = specs("AuthorizationPolicy", text)
    assert len(found["app/b-allow"]["rules"]) == 1
    assert len(found["app/b-deny"]["rules"]) == 1


ASKING = A + B + 'authorizer opa { address "opa.auth.svc.cluster.local:9191" protocol grpc timeout 250ms }\n'


def test_ask_is_custom_and_looks_at_no_identity(specs: Specs, codes: Codes) -> None:
    text = ASKING + "allow r: a -> b:http\nask q: a -> b:http { POST /x via opa }"
    found = specs("AuthorizationPolicy", text)["app/b-ask-opa"]
    assert (found["action"], found["provider"]) == ("CUSTOM", {"name": "opa"})
    assert found["rules"] == [{"to": [{"operation": {"ports": ["8080"], "methods": ["POST"], "paths": ["/x"]}}]}]
    assert "MP704" in codes(text)


def test_a_closed_namespace_refuses_what_nobody_declared(specs: Specs) -> None:
    found = specs("AuthorizationPolicy", "namespace app { closed }\n" + A)
    assert found["app/closed"] == {"action": "ALLOW"}
    assert specs("PeerAuthentication", "namespace app { closed }\n")["app/closed"] == {"mtls": {"mode": "STRICT"}}


def test_an_observed_service_refuses_nothing(specs: Specs) -> None:
    text = 'namespace app { closed }\nservice o { port http 80  observe { because "x" until 2027-01-31 } }\n'
    found = specs("AuthorizationPolicy", text)
    assert found["app/o-observed"]["rules"] == [{}]
    assert specs("PeerAuthentication", text)["app/o"]["mtls"] == {"mode": "PERMISSIVE"}


GATE = 'gateway edge { namespace ingress  hosts "h.example"  port http 80 -> 8080 }\n'


def test_internet_at_a_gateway_has_no_identity(rules: Rules) -> None:
    assert rules("ingress/edge-allow", GATE + "allow r: internet -> edge")[0]["from"] == [
        {"source": {"notPrincipals": ["*"]}}
    ]


def test_clients_with_certificates_are_internet_too(rules: Rules) -> None:
    gate = 'gateway edge { hosts "h.example" port https 443 certificate "c" client-ca "ca" }\n'
    text = gate + "allow r: internet -> edge\ndeny d: internet -> edge { GET /admin }"
    for name in ("app/edge-allow", "app/edge-deny"):
        assert rules(name, text)[0]["from"] == [{"source": {"notPrincipals": ["td/*"]}}]
    text = gate + "allow r: internet -> edge\ndeny d: authenticated -> edge { GET /admin }"
    assert rules("app/edge-deny", text)[0]["from"] == [{"source": {"principals": ["td/*"]}}]


def test_client_ip_is_what_the_gateway_saw(rules: Rules) -> None:
    (rule,) = rules("app/b-allow", GATE + B + 'allow edge -> b:http { GET /x when client.ip in "10.0.0.0/8" }')
    assert rule["when"] == [{"key": "remote.ip", "values": ["10.0.0.0/8"]}]


UNSUPPORTED = [
    ("MP701", GATE + B + 'allow edge -> b:db { when client.ip in "10.0.0.0/8" }'),
    ("MP701", A + B + 'allow a -> b:http { GET /x when query["q"] == "1" }'),
    ("MP701", A + B + 'allow a -> b:http { GET /x when header["q"] matches re"a.*b" }'),
    ("MP701", A + B + 'allow a -> b:http { when path matches re"/a.*b" }'),
    ("MP701", A + B + 'allow a -> b:http { GET /x when header["q"] == "" }'),
    ("MP701", A + B + 'allow a -> b:http { GET /x when header["q"] == "a*" }'),
    ("MP701", A + B + 'allow a -> b:http { GET /x/** when path endswith ".json" }'),
    ("MP701", A + B + 'allow a -> b:http { when path == "/a\\u{22}b" }'),
    ("MP701", A + B + "allow a -> b:http { GET /{id}/ }"),
    ("MP701", "namespace istio-system { closed }\n" + A),
    ("MP701", "service a { namespace istio-system port http 80 }"),
    ("MP703", A + 'service c { labels { app: "a", x: "y" } port http 80 }'),
    ("MP703", A + B + 'allow r: a -> b\ndeny d: a -> b:http { GET /x when host endswith ".example" }'),
    ("MP703", A + ISSUED + 'allow r: a -> c\ndeny d: a -> c { GET /x when has claim["x"] }'),
    (
        "MP701",
        ASKING
        + 'authorizer two { address "t.x:1" protocol grpc }\n'
        + "ask p: a -> b:http { via opa }\nask q: a -> b:http { via two }",
    ),
    ("MP701", ASKING.replace("grpc", "http") + "ask p: a -> b:db { via opa }"),
    (
        "MP701",
        GATE.replace("}", "trusted-proxies 1 }") + B + 'allow edge -> b:http { GET /x when client.ip in "10.0.0.0/8" }',
    ),
]


@pytest.mark.parametrize(("code", "text"), UNSUPPORTED)
def test_what_istio_cannot_say_stops_the_compile(codes: Codes, code: str, text: str) -> None:
    assert code in codes(text)


def test_foreign_cluster_local_is_not_taken_for_ours(codes: Codes) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" trusts "cluster.local" namespace app }\n'
    text = mesh + B + 'allow r: identity "spiffe://cluster.local/ns/x/sa/y" -> b'
    assert codes(text, has_mesh=True) == ["MP701", "MP708"]
    assert codes(text.replace("/sa/y", "/*"), has_mesh=True) == ["MP708"]


HAZARD = A + B + "allow r: a -> b:http { GET /** }\ndeny d: a -> b:http { * /admin/** }"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("DECODE_AND_MERGE_SLASHES", ["MP708"]),
        ("BASE", ["MP707", "MP708"]),
        ("MERGE_SLASHES", ["MP707", "MP708"]),
        ("NONE", ["MP707", "MP707", "MP708"]),
    ],
)
def test_raw_paths_that_a_deny_misses_stop_the_compile(codes: Codes, mode: str, expected: list[str]) -> None:
    assert codes(HAZARD, {"istio.path-normalization": mode}) == expected


@pytest.mark.parametrize(
    ("mode", "path"), [("BASE", "//admin"), ("MERGE_SLASHES", "/%2Fadmin"), ("NONE", "/x/../admin")]
)
def test_a_raw_path_that_a_rule_misses_is_shown(lower: Callable[..., Any], mode: str, path: str) -> None:
    unless = A + B + "allow d: a -> b:http { GET /** unless path in /admin/** }"
    for text in (HAZARD, unless):
        found = lower(text, {"istio.path-normalization": mode}).diagnostics
        assert any(one.subject == "d" and one.message.endswith(f"such as `{path}`") for one in found)


ROOT = A + B + "allow r: a -> b:http { GET /x/**  GET / }\ndeny d: a -> b:http { GET / }"


@pytest.mark.parametrize("mode", ["MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])
def test_a_raw_path_of_slashes_alone_is_the_root(rules: Rules, mode: str) -> None:
    """Envoy merges every `//` but the one that is all of the path."""
    settings = {"istio.path-normalization": mode}
    (deny,) = (
        rules("app/b-deny", ROOT, settings)
        if mode == "DECODE_AND_MERGE_SLASHES"
        else rules("app/b-deny", ROOT.replace("GET /x/**  ", ""), settings)
    )
    assert deny["to"][0]["operation"]["paths"] == ["/", "//"]
    text = A + B + "allow r: a -> b:http { GET /  GET /y }"
    assert rules("app/b-allow", text, settings)[0]["to"][0]["operation"]["paths"] == ["/", "//", "/y"]
    assert rules("app/b-allow", text, {})[0]["to"][0]["operation"]["paths"] == ["/", "/y"]


def test_an_exception_for_the_root_takes_out_slashes_alone(rules: Rules) -> None:
    (rule,) = rules("app/b-allow", A + B + 'allow r: a -> b:http { GET /** unless path == "/" }')
    assert rule["to"][0]["operation"]["notPaths"] == ["/", "//"]


def test_what_is_only_logged_lets_no_raw_path_in(codes: Codes) -> None:
    text = A + B + "allow r: a -> b:http { GET /x }\ndeny d: a -> b:http { * /admin/** }\n"
    assert codes(text + 'audit allow s: a -> b:http { GET /** because "x" until 2027-01-31 }', {}) == ["MP708"]
    assert codes(text + "allow s: a -> b:http { GET /** }", {}) == ["MP707", "MP708"]


def test_without_the_option_istios_default_holds(codes: Codes) -> None:
    assert codes(HAZARD, {}) == ["MP707", "MP708"]
    assert codes(HAZARD.replace("GET /**", "GET /x"), {}) == ["MP708"]
    assert codes(A + B + "allow r: a -> b:http { GET /** unless path in /admin/** }", {}) == ["MP707", "MP708"]


def test_joined_header_values_are_told(codes: Codes) -> None:
    joined = {"istio.header-values": "joined"}
    assert codes(A + B + 'allow a -> b:http { GET /x when header["h"] == "1" }', joined) == ["MP708", "MP704"]
    assert "MP703" in codes(A + B + 'allow a -> b:http { GET /x when header["h"] == "1,2" }', joined)
    assert "MP703" in codes(A + B + 'allow a -> b:http { GET /x when header["h"] != "1" }', joined)


@pytest.mark.parametrize(
    "settings",
    [
        {"istio.nothing": "1"},
        {"istio.path-normalization": "ALL"},
        {"istio.trust-domain": "other"},
        {"istio.aliases": "other"},
        {"istio.trusted-proxies": "x"},
    ],
)
def test_an_option_that_cannot_be_is_refused(codes: Codes, settings: dict[str, str]) -> None:
    assert codes("", settings) == ["MP709"]


def test_the_lines_of_some_headers_are_one_to_envoy(codes: Codes) -> None:
    text = A + B + 'allow r: a -> b:http { GET /x when header["user-agent"] == "1" }\n'
    assert codes(text) == ["MP708", "MP704"]
    assert "MP703" in codes(text.replace('"1"', '"1,2"'))
    assert codes(text.replace('header["user-agent"] == "1"', 'has header["user-agent"]')) == ["MP708"]
    allow = A + B + "allow r: a -> b:http { GET /x }\n"
    assert "MP703" in codes(allow + 'deny d: anyone -> b:http { GET /x when header["user-agent"] startswith "curl" }')
    unless = 'deny d: anyone -> b:http { GET /x unless header["user-agent"] == "shop" }'
    assert codes(allow + unless) == ["MP708", "MP704"]


@pytest.mark.parametrize("name", ["te", "upgrade", "x-request-id"])
def test_a_header_that_envoy_takes_or_writes_is_not_looked_at(codes: Codes, name: str) -> None:
    assert "MP701" in codes(f'{A}{B}allow r: a -> b:http {{ GET /x when header["{name}"] == "1" }}')


def test_a_method_that_envoy_does_not_know_is_told(codes: Codes) -> None:
    assert codes(A + B + "allow r: a -> b:http { BREW|GET /x }") == ["MP708", "MP704"]
    assert codes(A + B + "allow r: a -> b:http { PURGE /x }") == ["MP708"]
    assert codes(A + B + "allow r: a -> b:http { GET /x }\ndeny d: a -> b:http { BREW /x }") == ["MP708"]


def test_segments_of_dots_with_parameters_are_removed(codes: Codes) -> None:
    for path in ("/a/..;/b", "/.;x", "/x/..;y/**"):
        assert "MP701" in codes(f"{A}{B}allow r: a -> b:http {{ GET {path} }}")
    assert codes(A + B + "allow r: a -> b:http { GET /a..;/b  GET /...;x }") == ["MP708"]


def test_hosts_have_a_note(codes: Codes) -> None:
    assert codes(A + B + 'allow r: a -> b:http { when host == "h" }') == ["MP708"]
