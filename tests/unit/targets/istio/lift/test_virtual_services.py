"""VirtualServices, sentence by sentence of the reference, by where requests go."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.istio_lifting import config, read
from tests.strategies.istio_routes import JOB, SHOP, SUBSETS, outcome, sent, shop, virtual_service

from meshproof.compiler.ir.request import RequestProtocol

V1, V2 = {"v1": 100}, {"v2": 100}
DEFAULT_ON = ("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes")


def matched(match: str) -> str:
    """What agrees goes to v2, all else to v1."""
    return virtual_service(
        f"""
        hosts: [api]
        http:
        - match: [{match}]
          route: [{{destination: {{host: api, subset: v2}}}}]
        - route: [{{destination: {{host: api, subset: v1}}}}]
        """
    )


CASES: list[tuple[str, dict[str, Any], bool]] = [
    # As the reference has it, "prefix is a plain string prefix (`/foo` matches `/foobar`; empty prefix allowed)"
    ("{uri: {prefix: /foo}}", {"path": "/foobar"}, True),
    ("{uri: {prefix: /foo}}", {"path": "/fo"}, False),
    ("{uri: {exact: /foo}}", {"path": "/foo?x=1"}, True),
    ("{uri: {exact: /foo}}", {"path": "/foo/"}, False),
    # As the reference has it, "regex is RE2, full match on the path without query"
    ("{uri: {regex: '/v[0-9]+'}}", {"path": "/v12?x"}, True),
    ("{uri: {regex: '/v[0-9]+'}}", {"path": "/v12/a"}, False),
    # As the reference has it, "ignoreUriCase affects exact and prefix only"
    ("{uri: {exact: /Foo}, ignoreUriCase: true}", {"path": "/fOO"}, True),
    ("{uri: {prefix: /Foo}, ignoreUriCase: true}", {"path": "/fOObar"}, True),
    ("{uri: {regex: '/Foo'}, ignoreUriCase: true}", {"path": "/foo"}, False),
    ("{uri: {exact: /Foo}}", {"path": "/foo"}, False),
    # As the reference has it, "Matching uses the normalized path"
    ("{uri: {exact: /a/b}}", {"path": "/a/./c/../b"}, True),
    ("{method: {exact: POST}}", {"method": "POST"}, True),
    ("{method: {regex: 'P.*'}}", {"method": "PUT"}, True),
    ("{method: {exact: POST}}", {"method": "post"}, False),
    # As the reference has it, "headers: exact/prefix/regex (full match); `{}`, null or regex "*" = present"
    ("{headers: {x-a: {exact: b}}}", {"headers": {"x-a": "b"}}, True),
    ("{headers: {X-A: {exact: b}}}", {"headers": {"x-a": "b"}}, True),
    ("{headers: {x-a: {exact: b}}}", {"headers": {"x-a": "B"}}, False),
    ("{headers: {x-a: {prefix: b}}}", {"headers": {"x-a": "bc"}}, True),
    ("{headers: {x-a: {regex: 'b+'}}}", {"headers": {"x-a": "bbc"}}, False),
    ("{headers: {x-a: {}}}", {"headers": {"x-a": ""}}, True),
    ("{headers: {x-a: null}}", {}, False),
    ("{headers: {x-a: {regex: '*'}}}", {"headers": {"x-a": "anything"}}, True),
    ("{queryParams: {q: {exact: '1'}}}", {"path": "/?q=1"}, True),
    ("{queryParams: {q: {exact: '1'}}}", {"path": "/?q=2"}, False),
    ("{queryParams: {q: {}}}", {"path": "/?q"}, True),
    # As the reference has it, "a missing header is treated as empty string except for the presence form"
    ("{withoutHeaders: {x-a: {}}}", {}, True),
    ("{withoutHeaders: {x-a: {}}}", {"headers": {"x-a": ""}}, False),
    ("{withoutHeaders: {x-a: {exact: b}}}", {}, True),
    ("{withoutHeaders: {x-a: {exact: b}}}", {"headers": {"x-a": "b"}}, False),
    ('{withoutHeaders: {x-a: {exact: ""}}}', {}, False),
    ('{withoutHeaders: {x-a: {exact: ""}}}', {"headers": {"x-a": "b"}}, True),
    ("{withoutHeaders: {x-a: {regex: '.*'}}}", {}, False),
    # As the reference has it, "authority match includes the port, host match does not"
    ("{authority: {exact: api}}", {"host": "api"}, True),
    ("{authority: {exact: api}}", {"host": "api:80"}, False),
    # As the reference has it, "fields inside a match are AND"; "match[] inside one route is OR"
    ("{uri: {prefix: /a}, method: {exact: POST}}", {"path": "/a"}, False),
    ("{uri: {prefix: /a}}, {method: {exact: POST}}", {"path": "/b", "method": "POST"}, True),
    # As the reference has it, "port = Service/listener port"
    ("{port: 80}", {}, True),
    ("{port: 8080}", {}, False),
    ("{sourceNamespace: shop}", {}, True),
    ("{sourceNamespace: batch}", {}, False),
    ("{sourceNamespace: batch}", {"identity": JOB}, True),
    ("{sourceLabels: {app: web, tier: front}}", {}, True),
    ("{sourceLabels: {app: job}}", {}, False),
    ("{sourceLabels: {app: job}}", {"identity": JOB}, True),
    # As the reference has it, "`gateways` set in a match makes sourceLabels and sourceNamespace of that match ignored"
    ("{gateways: [mesh], sourceNamespace: nowhere}", {}, True),
    ("{gateways: [edge]}", {}, False),
]


@pytest.mark.parametrize(("match", "fields", "is_taken"), CASES)
def test_matches(match: str, fields: dict[str, Any], is_taken: bool) -> None:
    assert sent(shop(SUBSETS, matched(match)), **fields) == (V2 if is_taken else V1)


def test_a_scheme_is_not_modelled_and_said_so() -> None:
    text = SHOP + SUBSETS + matched("{scheme: {exact: https}}")
    messages = [one.message for one in read(text).diagnostics]
    assert "`spec.http[0].match[0].scheme.exact` of VirtualService `shop/routes` is not modelled" in messages


def test_the_first_match_wins_and_what_is_left_gets_404() -> None:
    mesh = shop(
        SUBSETS,
        virtual_service(
            """
            hosts: [api.shop.svc.cluster.local]
            http:
            - match: [{uri: {prefix: /a}}]
              route: [{destination: {host: api, subset: v2}}]
            - match: [{uri: {prefix: /a/b}}]
              route: [{destination: {host: api, subset: v1}}]
            """
        ),
    )
    assert sent(mesh, path="/a/b") == V2
    # As the reference has it, "Any VS on a host removes the default route: unmatched requests get 404"
    assert sent(mesh, path="/c") is None


WEIGHTS = [
    ("[{destination: {host: api, subset: v1}, weight: 0}]", V1),  # "with one destination its weight is ignored"
    ("[{destination: {host: api, subset: v1}}, {destination: {host: api, subset: v2}, weight: 5}]", V2),
    ("[{destination: {host: api, subset: v1}, weight: 1}, {destination: {host: api, subset: v2}, weight: 3}]",
     {"v1": 25, "v2": 75}),
    ("[{destination: {host: api, subset: v1}, weight: 999}, {destination: {host: api, subset: v2}, weight: 1}]",
     {"v1": 99, "v2": 1}),
    ("[{destination: {host: old}}]", {"shop/old:9080": 100}),
    ("[{destination: {host: api}}]", {"shop/api:8080": 100}),  # two workloads behind one name
    ("[{destination: {host: api, subset: v9}}]", 503),  # "Subset that no DR defines -> 503"
    ("[{destination: {host: api, port: {number: 81}}}]", 503),
    ("[{destination: {host: gone.shop.svc.cluster.local}}]", {"gone.shop.svc.cluster.local:80": 100}),
]  # fmt: skip


@pytest.mark.parametrize(("routes", "shares"), WEIGHTS)
def test_destinations(routes: str, shares: dict[str, int] | int) -> None:
    assert sent(shop(SUBSETS, virtual_service(f"hosts: [api]\nhttp: [{{route: {routes}}}]"))) == shares


def test_a_subset_without_pods_keeps_its_name_among_others() -> None:
    rule = SUBSETS.replace("{version: v2}", "{version: v3}")
    routes = "[{destination: {host: api, subset: v1}, weight: 90}, {destination: {host: api, subset: v2}, weight: 10}]"
    assert sent(shop(rule, virtual_service(f"hosts: [api]\nhttp: [{{route: {routes}}}]"))) == {"v1": 90, "v2": 10}


SETTINGS = "hosts: [api]\nhttp: [{{{}, route: [{{destination: {{host: old}}}}]}}]"


def settings(written: str, **fields: Any) -> Any:  # noqa: ANN401  an outcome with many kinds of fields
    found = outcome(shop(virtual_service(SETTINGS.format(written))), **fields)
    assert found is not None
    return found


def test_istio_tries_twice_more_unless_told_otherwise() -> None:
    default = settings("name: a").retry
    assert (default.attempts, default.conditions, default.within_ms) == (2, DEFAULT_ON, None)
    assert settings("retries: {attempts: 0}").retry is None  # "attempts 0 disables"
    said = settings("retries: {attempts: 3, perTryTimeout: 1.5s, retryOn: '5xx,503'}").retry
    assert (said.attempts, said.conditions, said.within_ms) == (3, ("5xx", "503"), 1500)
    # As the reference has it, "meshConfig.defaultHttpRetryPolicy overrides"
    mesh = shop(config("defaultHttpRetryPolicy: {attempts: 5, retryOn: reset}"))
    of_mesh = outcome(mesh)
    assert of_mesh is not None
    assert of_mesh.retry is not None
    assert (of_mesh.retry.attempts, of_mesh.retry.conditions) == (5, ("reset",))


def test_without_a_virtual_service_a_request_goes_on_as_called_with_the_default_tries() -> None:
    found = outcome(shop())
    assert found is not None
    assert found.retry is not None
    assert (found.branch, found.destinations, found.retry.attempts) == (None, (("shop/api-v1:8080", 100),), 2)


def test_timeouts() -> None:
    assert settings("timeout: 2s").timeout_ms == 2000
    assert settings("timeout: 0s").timeout_ms is None
    assert settings("name: a").timeout_ms is None


def test_rewrites() -> None:
    # As the reference has it, "with a prefix match replaces the prefix, with exact/regex replaces the whole path"
    assert settings("match: [{uri: {prefix: /a}}], rewrite: {uri: /z}", path="/ab/c?q").path == "/zb/c?q"
    assert settings("match: [{uri: {exact: /a}}], rewrite: {uri: /z}", path="/a?q").path == "/z?q"
    assert settings("match: [{uri: {regex: '/a.*'}}], rewrite: {uri: /z}", path="/abc").path == "/z"
    # Without a match of the path the route is for the prefix `/`, and that is what is replaced.
    assert settings("rewrite: {uri: /z}", path="/ab?q").path == "/zab?q"
    assert settings("rewrite: {authority: other.example}").rewrite_host == "other.example"
    assert settings("headers: {request: {set: {Host: other.example}}}").rewrite_host == "other.example"


def test_header_edits_are_in_the_order_of_the_proxy() -> None:
    found = settings("headers: {request: {add: {X-B: '2'}, set: {x-a: '1'}, remove: [x-c]}, response: {set: {y: z}}}")
    assert [(one.action.value, one.name, one.value) for one in found.headers] == [
        ("remove", "x-c", ""), ("set", "x-a", "1"), ("add", "x-b", "2")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "percent"),
    [
        ("mirror: {host: old}", 100),  # "percentage unset = 100%"
        ("mirror: {host: old}, mirrorPercentage: {value: 0}", None),  # "explicit 0 = none"
        ("mirror: {host: old}, mirrorPercentage: {value: 10}", 10),
        ("mirror: {host: old}, mirrorPercentage: {value: 0.1}", 1),
        ("mirrors: [{destination: {host: old}, percentage: {value: 30}}]", 30),
    ],
)
def test_mirrors(written: str, percent: int | None) -> None:
    mirror = settings(written).mirror
    assert (None if mirror is None else (mirror.target.node, mirror.percent)) == (
        None if percent is None else ("shop/old", percent)
    )


def test_answers_instead_of_destinations() -> None:
    moved = outcome(
        shop(virtual_service("hosts: [api]\nhttp: [{redirect: {uri: /n, authority: b.example, scheme: https}}]"))
    )
    assert moved is not None
    assert moved.redirect is not None
    assert (moved.redirect.status, moved.redirect.host, moved.redirect.path) == (301, "b.example", "/n")
    assert moved.redirect.scheme == "https"
    assert (
        sent(shop(virtual_service("hosts: [api]\nhttp: [{redirect: {redirectCode: 308, prefixRewrite: /x}}]"))) == 308
    )
    assert sent(shop(virtual_service("hosts: [api]\nhttp: [{directResponse: {status: 418}}]"))) == 418


@pytest.mark.parametrize(
    "hosts", ["[api]", "[api.shop.svc.cluster.local]", "['*.shop.svc.cluster.local']", "['*.local']"]
)
def test_hosts_that_take_the_service(hosts: str) -> None:
    assert sent(shop(virtual_service(f"hosts: {hosts}\nhttp: [{{directResponse: {{status: 418}}}}]"))) == 418


@pytest.mark.parametrize(
    ("namespace", "spec"),
    [
        ("batch", "hosts: [api]"),  # a short name is one of the namespace of the object
        ("shop", "hosts: [api.shop]"),  # `NAME.NAMESPACE` is no host
        ("shop", "hosts: [api]\ngateways: [edge]"),
        ("shop", "hosts: [api]\nexportTo: [batch]"),
        ("shop", "hosts: [api]\nexportTo: ['~']"),
    ],
)
def test_virtual_services_that_are_not_for_the_request(namespace: str, spec: str) -> None:
    text = virtual_service(f"{spec}\nhttp: [{{directResponse: {{status: 418}}}}]", namespace=namespace)
    assert sent(shop(text)) == {"shop/api-v1:8080": 100}


def test_exports_tell_senders_apart() -> None:
    mesh = shop(virtual_service("hosts: [api]\nexportTo: [.]\nhttp: [{directResponse: {status: 418}}]"))
    assert sent(mesh) == 418
    assert sent(mesh, identity=JOB) == {"shop/api-v1:8080": 100}
    assert sent(mesh, identity="spiffe://cluster.local/ns/nowhere/sa/x") == {"shop/api-v1:8080": 100}


def test_the_closest_host_then_the_oldest_wins() -> None:
    wide = virtual_service(
        "hosts: ['*.local']\nhttp: [{directResponse: {status: 401}}]", "wide", created="2020-01-01T00:00:00Z"
    )
    new = virtual_service(
        "hosts: [api]\nhttp: [{directResponse: {status: 402}}]", "new", created="2026-01-01T00:00:00Z"
    )
    old = virtual_service(
        "hosts: [api.shop.svc.cluster.local]\nhttp: [{match: [{uri: {prefix: /a}}], directResponse: {status: 403}}]",
        "old", "batch", "2025-01-01T00:00:00Z",
    )  # fmt: skip
    assert sent(shop(wide, new)) == 402
    # As the reference has it, "the OLDEST wins and the others are ignored entirely (no merge)"
    assert sent(shop(wide, new, old), path="/a") == 403
    assert sent(shop(wide, new, old), path="/b") is None


def test_rules_for_other_ports_leave_the_default_route() -> None:
    mesh = shop(virtual_service("hosts: [old]\nhttp: [{match: [{port: 9000}], directResponse: {status: 418}}]"))
    assert sent(mesh, "shop/old", port=9080) == {"shop/old:9080": 100}
    assert sent(mesh, "shop/old", port=9000) == 418


def test_connections_have_rules_of_their_own() -> None:
    mesh = shop(
        virtual_service(
            "hosts: [old]\ntcp: [{match: [{port: 5432}], route: [{destination: {host: api, port: {number: 80}}}]}]"
        )
    )
    tcp = {"protocol": RequestProtocol.TCP, "method": None, "host": None, "path": None}
    assert sent(mesh, "shop/old", port=5432, **tcp) == {"shop/api:8080": 100}
    assert sent(mesh, "shop/old", port=9000, **tcp) == {"shop/old:9000": 100}
    assert sent(mesh, "shop/old", port=9000) == {"shop/old:9000": 100}
