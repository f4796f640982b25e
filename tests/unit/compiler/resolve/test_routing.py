"""Routes: branches, targets and effective settings."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.matchers import Exact, Segments, Suffix
from meshproof.compiler.ir.predicate import Always, And, Header, Host, Method, Path, Test
from meshproof.compiler.ir.routing import (
    BalanceKind,
    Branch,
    Cors,
    Ejection,
    Fault,
    HeaderAction,
    HeaderEdit,
    Limits,
    Route,
)

WORLD = """
service web { port http 80 -> 8080  versions v1, v2 }
service db { port tcp 5432 }
service copy { port http 80 -> 9000 }
gateway edge { hosts "a.example"  port http 80 }
"""


def route_of(text: str) -> Route:
    (route,) = mesh_of(WORLD + text).routes
    return route


def branch_of(text: str) -> Branch:
    return route_of(f"route web {{ {text} }}").branches[0]


@pytest.mark.parametrize(
    ("text", "identifier", "port"),
    [
        ("route web { timeout 1s }", "web", None),
        ("route web:http { timeout 1s }", "web:http", 8080),
        ("route db { limit connections 1 }", "db", 5432),
    ],
)
def test_what_a_route_is_for(text: str, identifier: str, port: int | None) -> None:
    route = route_of(text)

    assert (route.id, route.port, route.branches[0].id) == (identifier, port, f"{identifier}#1")


def test_a_route_without_branches_sends_everything_undivided() -> None:
    (branch,) = route_of("route web { timeout 2s }").branches

    assert branch.is_otherwise
    assert branch.condition == Always()
    assert [(t.node, t.version, t.port, t.weight) for t in branch.targets] == [("web", None, None, 100)]
    assert branch.settings.timeout_ms == 2000


def test_a_branch_is_host_methods_path_and_condition() -> None:
    branch = branch_of('host "A.example" GET|HEAD /x/{id} when header["B"] == "1" => v1')

    assert (branch.host, branch.methods, branch.path) == (
        Exact("a.example", ignore_case=True),
        ("GET", "HEAD"),
        Segments("/x/*"),
    )
    assert branch.when == Test(Header("b"), Exact("1"))
    assert isinstance(branch.condition, And)
    assert Test(Host(), Exact("a.example", ignore_case=True)) in branch.condition.operands
    assert Test(Path(), Segments("/x/*")) in branch.condition.operands
    assert not branch.is_otherwise


def test_hosts_with_a_star() -> None:
    assert branch_of('host "*.a.example" => v1').condition == Test(Host(), Suffix(".a.example", ignore_case=True))
    assert branch_of('host "*" => v1').condition == Always()


def test_one_method_alone() -> None:
    assert branch_of("POST /** => v1").condition == And((Test(Method(), Exact("POST")), Test(Path(), Segments("/**"))))


def test_targets() -> None:
    shares = branch_of("/x => v1 95%, v2 5%").targets
    assert [(t.node, t.version, t.weight) for t in shares] == [("web", "v1", 95), ("web", "v2", 5)]
    assert [(t.version, t.weight) for t in branch_of("/x => v1").targets] == [("v1", 100)]
    assert [t.version for t in branch_of("/x => web").targets] == [None]
    behind = route_of('route edge { host "a.example" => web:http 50%, copy:9000 50% }').branches[0].targets
    assert [(t.node, t.version, t.port, t.weight) for t in behind] == [
        ("web", None, 8080, 50),
        ("copy", None, 9000, 50),
    ]


def test_what_a_check_judges_is_kept_as_written() -> None:
    assert [(t.version, t.weight) for t in branch_of("/x => v9 95%, v1 6%").targets] == [("v9", 95), ("v1", 6)]
    assert [t.weight for t in branch_of("/x => v1, v2").targets] == [0, 0]


def test_settings_of_a_branch_override_those_of_the_block() -> None:
    first, second = route_of(
        "route web {"
        '  /x => v1 { timeout 5s retry 0 on reset set header "B" "branch" }'
        "  otherwise => v2"
        '  timeout 1s  retry 3 on reset, 503, 5xx within 250ms  set header "a" "block"  set header "b" "block"'
        "}"
    ).branches

    assert (first.settings.timeout_ms, second.settings.timeout_ms) == (5000, 1000)
    assert first.settings.retry is None
    assert second.settings.retry is not None
    assert (second.settings.retry.attempts, second.settings.retry.conditions, second.settings.retry.within_ms) == (
        3,
        ("reset", "503", "5xx"),
        250,
    )
    assert first.settings.headers == (
        HeaderEdit(HeaderAction.SET, "a", "block"),
        HeaderEdit(HeaderAction.SET, "b", "branch"),
    )
    assert [edit.value for edit in second.settings.headers] == ["block", "block"]


def test_the_other_settings() -> None:
    branch = branch_of(
        '/x => v1 { mirror copy:http 10% fault delay 5s 1% fault abort 503 2% remove header "X" add header "y" "1" '
        'cors { origins "https://a" methods GET, PUT headers "X-A" credentials max-age 10m } }'
    )
    settings = branch.settings

    assert settings.mirror is not None
    assert (settings.mirror.target.node, settings.mirror.target.port, settings.mirror.percent) == ("copy", 9000, 10)
    assert settings.fault == Fault(5000, 1, 503, 2)
    assert settings.headers == (HeaderEdit(HeaderAction.REMOVE, "x"), HeaderEdit(HeaderAction.ADD, "y", "1"))
    assert settings.cors == Cors(("https://a",), ("GET", "PUT"), ("x-a",), allows_credentials=True, max_age_ms=600_000)


def test_settings_of_the_destination_as_a_whole() -> None:
    route = route_of(
        "route web { limit connections 1, pending 2, requests 3  eject after 5 errors for 30s up to 50%"
        '  balance hash header "X-A"  weights by "argo-rollouts"  otherwise => v1 }'
    )

    assert route.limits == Limits(1, 2, 3)
    assert route.ejection == Ejection(5, 30_000, 50)
    assert route.balance is not None
    assert (route.balance.kind, route.balance.header) == (BalanceKind.HASH, "x-a")
    assert route.weights_by == "argo-rollouts"


def test_a_mirror_may_be_a_version() -> None:
    mirror = branch_of("/x => v1 { mirror v2 10% }").settings.mirror

    assert mirror is not None
    assert (mirror.target.node, mirror.target.version) == ("web", "v2")


@pytest.mark.parametrize(("written", "meant"), [("/y", "/y"), ("/y/**", "/y"), ("/**", "/"), ("/", "/")])
def test_a_rewrite_keeps_the_rest_of_a_branch_that_has_one(written: str, meant: str) -> None:
    assert branch_of(f"/x/** => v1 {{ rewrite path {written} }}").settings.rewrite_path == meant


def test_a_redirect_has_no_target() -> None:
    branch = branch_of('/x/** => { redirect 308 host "B.example" path /y/** }')

    assert branch.targets == ()
    assert branch.redirect is not None
    assert (branch.redirect.status, branch.redirect.host, branch.redirect.path) == (308, "b.example", "/y/**")
    default = branch_of("/x => { redirect path /y }").redirect
    assert default is not None
    assert default.status == 301


def test_a_gateway_that_accepts_an_issuer_may_route_by_token() -> None:
    mesh = mesh_of(
        'issuer i { url "https://i" }\nservice web { port http 80 }\n'
        'gateway g { port http 80 accepts i }\nroute g { when claim["plan"] == "pro" => web:http }'
    )

    assert len(mesh.routes[0].branches) == 1


def test_a_route_for_a_port_stands_beside_one_for_the_service() -> None:
    mesh = mesh_of(WORLD + "route web { timeout 1s }\nroute web:http { timeout 2s }")

    assert [route.id for route in mesh.routes] == ["web", "web:http"]
