"""Conditions of routes on headers and queries with any number of values, hosts, rewrites and redirects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.scenes import RouteStage, Scene
from tests.e2e.envoy.stage import options
from tests.e2e.envoy.test_headers import LINES
from tests.e2e.envoy.traffic import Sender as Client
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.targets.istio import TARGET

pytestmark = pytest.mark.e2e

MESH = """mesh m { language 1 trust-domain "td" namespace shop egress closed }
service b { port http 80 -> 8080  versions v1, v2 }
"""
BASE = Request(
    Peer("spiffe://td/ns/shop/sa/caller", "127.0.0.1"),
    NodeName("b"),
    8080,
    RequestProtocol.HTTP,
    method="GET",
    path="/x",
    host="b",
)


@pytest.fixture
def routes(fleet: Fleet, sender: Client) -> RouteStage:
    """Nothing on the air yet."""
    return RouteStage(fleet, sender)


def put_on(stage: RouteStage, branches: str, more: str = "") -> Scene:
    """The route of `b`, as its senders in the namespace `shop` have it."""
    mesh = mesh_of(f"{MESH}{more}route b:http {{ {branches} }}", has_mesh=True)
    lowered = TARGET.lower(mesh, options())
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    return next(scene for scene in stage.add(mesh, lowered) if scene.namespace == "shop")


HEADERS = (
    '== "1"',
    '!= "1"',
    'in ["1", "2"]',
    'startswith "1"',
    'endswith "1"',
    'matches re"[0-9]+"',
    'matches re"1?"',
    '== ""',
)


def test_conditions_on_headers(routes: RouteStage, tmp_path: Path) -> None:
    conditions = [f'header["x-a"] {test}' for test in HEADERS]
    conditions += ['has header["x-a"]', 'not has header["x-a"]', 'not header["x-a"] in ["1", "2"]']
    scenes = [put_on(routes, f"when {one} => v1\notherwise => v2") for one in conditions]
    with routes.open(tmp_path):
        for scene in scenes:
            for values in LINES:
                routes.send(scene, replace(BASE, headers=tuple(("x-a", value.strip()) for value in values)))
    assert {reply.header("x-upstream") for reply in routes.replies} == {
        f"outbound|80|{version}|b.shop.svc.cluster.local" for version in ("v1", "v2")
    }


QUERIES = (
    *("", "?q=1", "?q=2", "?q=1&q=2", "?q", "?q=", "?x=1", "?q=a%20b", "?q=a+b", "?Q=1", "?q=%31", "?q=1&", "?&q=1"),
    *("?q=1;q=2", "?q=1=2", "??q=1", "?x=1&q=1", "?q=11"),
)


def test_conditions_on_query_parameters(routes: RouteStage, tmp_path: Path) -> None:
    tests = ('== "1"', 'startswith "1"', 'matches re"1|2"', '== ""', '== "a%20b"', '== "a+b"')
    conditions = [*(f'query["q"] {test}' for test in tests), 'has query["q"]']
    scenes = [put_on(routes, f"when {one} => v1\notherwise => v2") for one in conditions]
    with routes.open(tmp_path):
        for scene in scenes:
            for query in QUERIES:
                routes.send(scene, replace(BASE, path=f"/x{query}"))
    assert len(routes.replies) == len(scenes) * len(QUERIES)


def test_paths_rewrites_and_redirects(routes: RouteStage, tmp_path: Path) -> None:
    branches = """GET / => v1
/a/** => v1 { rewrite path /new/** }
/b/{id}/** => v2 { rewrite path / }
/c => v1 { rewrite path /d }
/e/** => { redirect 308 host "x.example" }
/f => { redirect 302 path /g }
GET|POST /h/{id} => v2
host "b.shop" /i => v1"""
    scene = put_on(routes, branches)
    paths = (
        *(
            "/",
            "//",
            "/a",
            "/a/",
            "/a/x/y?q=1",
            "/ab",
            "/b/1",
            "/b/1/2",
            "/b",
            "/c?x",
            "/c/",
            "/e/x",
            "/f",
            "/h/1",
            "/h/",
        ),
        "/i",
    )
    with routes.open(tmp_path):
        for path in paths:
            for method in ("GET", "POST", "PUT"):
                for host in ("b", "b.shop:80", "B.Shop", "b.shop.svc.cluster.local"):
                    routes.send(scene, replace(BASE, path=path, method=method, host=host))
    assert {reply.status for reply in routes.replies} == {200, 302, 308, 404}
