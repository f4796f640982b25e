"""VirtualService and DestinationRule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.matchers import Prefix, Segments
from meshproof.compiler.ir.predicate import Always, Never
from meshproof.compiler.ir.routing import Branch, Settings
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.route_action import rewrite

Specs = Callable[..., dict[str, Any]]
Codes = Callable[..., list[str]]

B = "service b { port http 80 -> 8080  port db tcp 5432  versions v1, v2 }\n"
C = "service c { port http 81 }\n"
HOST = "b.app.svc.cluster.local"


def to(port: int, subset: str | None = None, host: str = HOST) -> dict[str, Any]:
    found: dict[str, Any] = {"host": host, "port": {"number": port}}
    return found if subset is None else {**found, "subset": subset}


def http(specs: Specs, route: str, name: str = "app/b") -> list[Any]:
    found: list[Any] = specs("VirtualService", B + C + route)[name]["http"]
    return found


def test_a_service_without_a_route_is_not_retried(specs: Specs) -> None:
    found = specs("VirtualService", B + "service db { port tcp 1 }\nservice caller {}\n")
    assert found == {
        "app/b": {
            "hosts": [HOST],
            "http": [{"match": [{"port": 80}], "route": [{"destination": to(80)}], "retries": {"attempts": 0}}],
        }
    }


def test_branches_settings_and_shares(specs: Specs) -> None:
    first, last = http(
        specs,
        """route b:http {
    when header["x"] == "1" => v2
    otherwise => v1 95%, v2 5% { timeout 1500ms }
    timeout 2s
    retry 2 on unavailable, reset, refused, 503 within 500ms
    mirror v2 10%
}""",
    )
    assert first["match"] == [{"headers": {"x": {"exact": "1"}}, "port": 80}]
    assert first["route"] == [{"destination": to(80, "v2")}]
    assert first["timeout"] == "2s"
    assert first["retries"] == {
        "attempts": 2,
        "perTryTimeout": "500ms",
        "retryOn": "unavailable,reset,refused-stream,503",
    }
    assert first["mirrors"] == [{"destination": to(80, "v2"), "percentage": {"value": 10}}]
    assert last["match"] == [{"port": 80}]
    assert last["timeout"] == "1500ms"
    assert [share["weight"] for share in last["route"]] == [95, 5]


CONDITIONS = [
    ("GET /x", [{"method": {"exact": "GET"}, "uri": {"exact": "/x"}}]),
    ("/x/**", [{"uri": {"exact": "/x"}}, {"uri": {"prefix": "/x/"}}]),
    ("/**", [{"uri": {"prefix": "/"}}]),
    ("/x/{id}/**", [{"uri": {"regex": "/x/[^/]+(?:/.*)?"}}]),
    ('when query["q"] == "1"', [{"queryParams": {"q": {"exact": "1"}}}]),
    ('when has header["h"]', [{"headers": {"h": {}}}]),
    ('when header["h"] != "1"', [{"withoutHeaders": {"h": {"exact": "1"}}}]),
    ('when not header["h"] in ["1", "2"]', [{"withoutHeaders": {"h": {"regex": "(?:1)|(?:2)"}}}]),
    ('when header["h"] matches re"a.*"', [{"headers": {"h": {"regex": "a.*"}}}]),
    ('when header["h"] startswith "a"', [{"headers": {"h": {"prefix": "a"}}}]),
    ("when source in namespace app", [{"sourceNamespace": "app"}]),
]


@pytest.mark.parametrize(("branch", "expected"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions(specs: Specs, branch: str, expected: list[Any]) -> None:
    first = http(specs, f"route b:http {{ {branch} => v1\notherwise => v2 }}")[0]
    assert first["match"] == [{**block, "port": 80} for block in expected]


def test_a_host_is_matched_with_port_and_last_dot(specs: Specs) -> None:
    (first, _) = http(specs, 'route b:http { host "b.app" => v1\notherwise => v2 }')
    pattern = first["match"][0]["authority"]["regex"]
    for authority in ("b.app", "B.App:8080", "b.app.", "b.app.:80"):
        assert re.fullmatch(pattern, authority)
    for authority in ("bxapp", "b.app.org", "a.b.app", "b.app:x"):
        assert not re.fullmatch(pattern, authority)


def test_other_actions(specs: Specs) -> None:
    redirect, edited = http(
        specs,
        """route b:http {
    GET /old => { redirect 308 host "new.example" path /new }
    otherwise => v1 {
        set header "x" "1"
        remove header "y"
        fault delay 5s 1%
        fault abort 503 2%
        cors { origins "https://a" methods GET headers "h" credentials max-age 1h }
    }
}""",
    )
    assert redirect["redirect"] == {"redirectCode": 308, "authority": "new.example", "uri": "/new"}
    assert "route" not in redirect
    assert edited["headers"] == {"request": {"set": {"x": "1"}, "remove": ["y"]}}
    assert edited["fault"] == {
        "delay": {"percentage": {"value": 1}, "fixedDelay": "5s"},
        "abort": {"percentage": {"value": 2}, "httpStatus": 503},
    }
    assert edited["corsPolicy"]["maxAge"] == "3600s"


def branch(path: Segments | Prefix | None) -> Branch:
    from tests.strategies.predicates import origin  # noqa: PLC0415  a value for a field that is not looked at

    return Branch("b", None, (), path, Always(), Always(), False, (), None, Settings(), origin())


@pytest.mark.parametrize(
    ("path", "to_path", "sent", "expected"),
    [
        (Segments("/a/**"), "/p", "/a/x/y", "/p/x/y"),
        (Segments("/a/**"), "/p", "/a", "/p"),
        (Segments("/a/**"), "/p/", "/a/x", "/p/x"),
        (Segments("/a/**"), "/", "/a/x", "/x"),
        (Segments("/a/**"), "/", "/a", "/"),
        (Segments("/**"), "/p", "/x", "/p/x"),
        (Segments("/a/*/**"), "/p", "/a/b/c", "/p/c"),
        (Prefix("/a"), "/p", "/ab", "/pb"),
        (Segments("/a"), "/p", "/a", "/p"),
        (None, "/p", "/a/b", "/p"),
    ],
)
def test_a_rewrite_replaces_what_the_language_says(
    path: Segments | Prefix | None, to_path: str, sent: str, expected: str
) -> None:
    found = rewrite(branch(path), to_path)
    assert isinstance(found, dict)
    assert re.sub(str(found["match"]), str(found["rewrite"]), sent) == expected


@pytest.mark.parametrize(
    "route",
    [
        'route b:http { when method != "GET" => v1\notherwise => v2 }',
        'route b:http { when source.ip in "10.0.0.0/8" => v1\notherwise => v2 }',
        'route b:http { when query["q"] != "1" => v1\notherwise => v2 }',
    ],
)
def test_what_a_route_cannot_look_at_stops_the_compile(codes: Codes, route: str) -> None:
    assert "MP701" in codes(B + route)


def test_a_gateway_sends_to_the_port_that_callers_dial(specs: Specs) -> None:
    text = 'gateway edge { namespace ingress  hosts "h.example" port http 80 -> 8080 }\nroute edge { /** => b:http }'
    found = specs("VirtualService", B + text)["ingress/edge"]
    assert found["gateways"] == ["ingress/meshproof-edge"]
    assert found["hosts"] == ["h.example"]
    assert found["http"][0]["route"] == [{"destination": to(80)}]


def test_versions_and_limits(specs: Specs) -> None:
    text = """route b:http { otherwise => v1
    limit connections 100, pending 50, requests 200
    eject after 5 errors for 30s up to 50%
    balance hash header "x"
}"""
    found = specs("DestinationRule", B + C + text)
    assert set(found) == {"app/b"}
    assert found["app/b"]["subsets"] == [{"name": one, "labels": {"version": one}} for one in ("v1", "v2")]
    (level,) = found["app/b"]["trafficPolicy"]["portLevelSettings"]
    assert level == {
        "port": {"number": 80},
        "connectionPool": {
            "tcp": {"maxConnections": 100},
            "http": {"http1MaxPendingRequests": 50, "http2MaxRequests": 200},
        },
        "outlierDetection": {"consecutive5xxErrors": 5, "baseEjectionTime": "30s", "maxEjectionPercent": 50},
        "loadBalancer": {"consistentHash": {"httpHeaderName": "x"}},
    }


def test_a_service_with_one_port_has_settings_as_a_whole(specs: Specs) -> None:
    text = "service c { port http 81 versions v1 }\nroute c { otherwise => v1\nbalance round-robin }"
    assert specs("DestinationRule", text)["app/c"] == {
        "host": "c.app.svc.cluster.local",
        "trafficPolicy": {"loadBalancer": {"simple": "ROUND_ROBIN"}},
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
    }


@pytest.mark.parametrize(
    ("branch", "paths"),
    [
        ("/", [{"exact": "/"}, {"exact": "//"}]),
        ('when path matches re"/[ab]?"', [{"regex": "/[ab]?"}, {"exact": "//"}]),
        ("/**", [{"prefix": "/"}]),
        ("/{id}", [{"regex": "/[^/]+"}]),
    ],
)
def test_a_raw_path_of_slashes_alone_goes_where_the_root_goes(specs: Specs, branch: str, paths: list[Any]) -> None:
    first = http(specs, f"route b:http {{ {branch} => v1\notherwise => v2 }}")[0]
    assert [block["uri"] for block in first["match"]] == paths


def test_what_envoy_changes_is_not_routed_by(codes: Codes) -> None:
    route = "route b:http {{ {} => v1\notherwise => v2 }}"
    for branch in ("/a/..;/b", 'when has header["te"]', "/a|b", 'when path startswith "/a^"', 'when path == "/a%7Cb"'):
        assert codes(B + route.format(branch)) == ["MP701"]
    assert codes(B + route.format('when path matches re"/.."')) == ["MP708"]
    assert codes(B + route.format('when path matches re"/.+"')) == ["MP708"]


def test_a_redirect_that_keeps_the_rest_of_the_path(codes: Codes, specs: Specs) -> None:
    route = "route b:http {{ /a/** => {{ redirect 301 {} }}\notherwise => v2 }}"
    assert codes(B + route.format("path /p/**")) == ["MP701"]
    (first, _) = http(specs, route.format('host "x.example" path /a/**'))
    assert first["redirect"] == {"redirectCode": 301, "authority": "x.example"}
    (first, _) = http(specs, route.format("path /p"))
    assert first["redirect"] == {"redirectCode": 301, "uri": "/p"}


def test_connections_are_told_apart_by_the_senders_namespace(specs: Specs, codes: Codes) -> None:
    text = B + "route b:db { when source in namespace app => v1\notherwise => v2 }"
    first, last = specs("VirtualService", text)["app/b"]["tcp"]
    assert first["match"] == [{"sourceNamespace": "app", "port": 5432}]
    assert last["match"] == [{"port": 5432}]
    for port in ("db", "http"):
        assert codes(B + f'route b:{port} {{ when sni == "x" => v1\notherwise => v2 }}') == ["MP701"]


def test_tls_of_a_workload_goes_where_its_server_name_says(codes: Codes) -> None:
    text = "service t { port tls 443 versions v1, v2 }\n"
    assert codes(text + "route t:tls { otherwise => t\n limit connections 5 }") == []
    assert codes(text + "route t:tls { otherwise => v1 50%, v2 50% }") == ["MP701"]


def test_senders_know_a_service_by_its_own_names(codes: Codes, specs: Specs) -> None:
    route = 'route b:http {{ host "{}" => v1\notherwise => v2 }}'
    for host in ("b", "b.app", "b.app.svc", HOST):
        assert codes(B + route.format(host)) == []
    assert codes(B + route.format("shop.example.com")) == ["MP701"]
    edge = 'gateway edge { hosts "*.example.com" port http 80 }\n'
    (first, *_) = specs("VirtualService", B + edge + 'route edge { host "shop.example.com" => b:http }')["app/edge"][
        "http"
    ]
    assert "authority" in first["match"][0]
    outside = 'external web { hosts "x.example" port http 80 }\nallow c -> web\n'
    assert codes(C + outside + 'route web { host "x.example" => web\notherwise => web }') == []
    assert codes(C + outside + 'route web { host "y.example" => web\notherwise => web }') == ["MP701"]


def test_values_that_envoy_does_not_route_by_are_told(codes: Codes) -> None:
    route = "route b:http {{ when {} => v1\notherwise => v2 }}"
    assert codes(B + route.format('query["q"] == "1"')) == ["MP708"]
    assert codes(B + route.format('has query["q"]')) == []
    assert codes(B + route.format('header["user-agent"] startswith "x"')) == ["MP708"]
    assert codes(B + route.format('header["x-a"] startswith "x"')) == []


def test_an_absent_header_is_not_taken_for_an_empty_one(codes: Codes, specs: Specs) -> None:
    for condition in ('header["h"] != ""', 'not header["h"] in ["", "1"]', 'not header["h"] matches re"a*"'):
        assert codes(f"{B}route b:http {{ when {condition} => v1\notherwise => v2 }}") == ["MP701"]
    (first, _) = http(specs, 'route b:http { when not has header["h"] => v1\notherwise => v2 }')
    assert first["match"][0]["withoutHeaders"] == {"h": {}}


@pytest.mark.parametrize("setting", ["mirror c:http 10%", "fault abort 503 1%"])
def test_what_is_redirected_is_not_mirrored_and_has_no_fault(codes: Codes, specs: Specs, setting: str) -> None:
    route = f"route b:http {{ /old => {{ redirect 308 path /new  {setting} }}\notherwise => v1 }}"
    assert codes(B + C + route) == ["MP701"]
    none = route.replace("10%", "0%").replace("fault abort 503 1%", "")
    assert "mirrors" not in http(specs, none)[0]


def test_a_gateway_has_no_branch_for_hosts_by_which_it_answers_nobody(codes: Codes) -> None:
    edge = 'gateway edge { hosts "a.example", "*.b.example"  port http 80 }\nallow x: internet -> edge\n'
    route = 'route edge {{ host "{}" => b:http }}\nallow y: edge -> b:http'
    asked = ("a.example", "A.example", "x.b.example", "*.b.example", "c.example", "b.example", "*.c.example")
    found = [[code for code in codes(B + edge + route.format(host)) if code == "MP701"] for host in asked]
    assert found == [[], [], [], [], ["MP701"], ["MP701"], ["MP701"]]


PASSING = """gateway edge { hosts "*.example"  port tls 443 -> 8443 passthrough  port tcp 90 }
service x { port tls 443 }
service y { port tls 443 }
allow come: internet -> edge
allow go: edge -> { x, y }
"""


def test_a_gateway_routes_tls_that_it_passes_on_by_server_names(specs: Specs) -> None:
    text = PASSING + 'route edge:tls { when sni == "a.example" => x:tls\n when sni endswith ".b.example" => y:tls }'
    found = specs("VirtualService", text)["app/edge"]["tls"]
    assert [one["match"] for one in found] == [
        [{"sniHosts": ["a.example"], "port": 443}],
        [{"sniHosts": ["*.b.example"], "port": 443}],
    ]
    assert [one["route"][0]["destination"]["host"].partition(".")[0] for one in found] == ["x", "y"]


@pytest.mark.parametrize(
    "route",
    [
        'edge:tls { when sni == "a.other" => x:tls }',
        "edge:tls { when has sni => x:tls }",
        'edge:tls { when sni endswith "b.example" => x:tls }',
        'edge:tls { when sni matches re"[ab][.]example" => x:tls }',
        'edge:tcp { when sni == "a.example" => x:tls }',
    ],
)
def test_server_names_by_which_no_gateway_routes(codes: Codes, route: str) -> None:
    assert "MP701" in codes(f"{PASSING}route {route}")


@pytest.mark.parametrize(("rest", "expected"), [("", ["MP701"]), ("\n    otherwise => v2", [])])
def test_a_route_that_takes_nothing_is_told(rest: str, expected: list[str]) -> None:
    """Without a branch there would be no route, and Istio would send on what the policy answers 404."""
    mesh = mesh_of(f"{B}{C}route b:http {{ GET /x => v1{rest} }}")
    (route,) = mesh.routes
    first, *others = route.branches
    never = replace(route, branches=(replace(first, condition=Never()), *others))
    found = TARGET.lower(replace(mesh, routes=(never,)), CompileOptions(date(2026, 11, 23)))
    assert [one.code for one in found.diagnostics] == expected
