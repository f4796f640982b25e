"""Repeated headers, and which of them Envoy joins; hosts with ports, dots and capitals; methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from socket import create_server
from threading import Thread

import pytest
from tests.e2e.envoy.client import Way, ask, message
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.listeners import address_of
from tests.e2e.envoy.meshes import upstream
from tests.e2e.envoy.process import running
from tests.e2e.envoy.rbac import TYPE
from tests.e2e.envoy.stage import Stage, http_request
from tests.e2e.envoy.test_raw_paths import CLEAR, EVERY, MESH

from meshproof.compiler.ir.entities import Service
from meshproof.targets.istio.headers import JOINED, TAKEN_AWAY

pytestmark = pytest.mark.e2e

OTHERS = (
    *("accept-charset", "accept-language", "age", "baggage", "content-language", "content-location", "cookie", "date"),
    *("dnt", "etag", "forwarded", "from", "last-modified", "link", "max-forwards", "prefer", "priority", "range"),
    *("sec-fetch-site", "server", "soapaction", "traceparent", "tracestate", "trailer", "vary", "warning", "x-api-key"),
    *("x-b3-traceid", "x-csrf-token", "x-real-ip", "x-requested-with", "x_underscored"),
)


def test_envoy_joins_and_takes_away_the_headers_that_are_listed(ground: Ground, tmp_path: Path) -> None:
    """A workload behind Envoy says which headers of a request that has each twice came as one, or not at all."""
    names = sorted((JOINED | TAKEN_AWAY | set(OTHERS)) - {"expect", "connection"})
    front, back = (ground.host(Use.FRONT, 0), 9000), (ground.host(Use.BACK, 0), 9001)
    manager = {
        "@type": f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "headers",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "back"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "front", "address": address_of(front), "filter_chains": [{"filters": filters}]}
    bootstrap = {"static_resources": {"listeners": [listener], "clusters": [upstream("back", back)]}}
    seen: dict[str, list[str]] = {}
    with create_server(back) as workload, running(bootstrap, tmp_path):
        answering = Thread(target=_answer, args=(workload, -(-len(names) // 20), seen))
        answering.start()
        for start in range(0, len(names), 20):
            lines = tuple((name, value) for name in names[start : start + 20] for value in ("one", "two"))
            assert ask(Way(front), message("GET", "/", "h", lines)).status == 200
        answering.join()
    assert {name for name in names if name not in seen} == TAKEN_AWAY - {"connection"}
    assert {name for name in names if len(seen.get(name, ())) == 1} == JOINED - {"expect"}


def _answer(workload: object, times: int, seen: dict[str, list[str]]) -> None:
    for _ in range(times):
        connection, _ = workload.accept()  # type: ignore[attr-defined]
        with connection:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            for line in received.decode("latin-1").split("\r\n")[1:]:
                name, _, value = line.partition(":")
                seen.setdefault(name.lower(), []).append(value.strip())
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


LINES = (
    (),
    ("1",),
    ("2",),
    ("1", "2"),
    ("2", "1"),
    ("1,2",),
    ("",),
    ("", "1"),
    ("11",),
    ("x1",),
    ("1x",),
    (" 1 ",),
)
CONDITIONS = (
    'header["x-a"] == "1"',
    'header["x-a"] != "1"',
    'header["x-a"] in ["1", "2"]',
    'has header["x-a"]',
    'not has header["x-a"]',
    'header["x-a"] startswith "1"',
    'header["x-a"] endswith "1"',
    'header["user-agent"] == "1"',
    'has header["user-agent"]',
    'header["x_a"] == "1"',
    'header["X-A"] == "1"',
)


def test_every_line_of_a_header_counts(stage: Stage, tmp_path: Path) -> None:
    allows = [
        stage.put_on(f"{MESH}allow r: anyone -> b {{ GET /** when {condition} {CLEAR} }}", has_mesh=True)
        for condition in CONDITIONS
    ]
    denies = [
        stage.put_on(f"{MESH}{EVERY}deny d: anyone -> b {{ GET /** when {condition} }}", has_mesh=True)
        for condition in CONDITIONS
        if "user-agent" not in condition or "has" in condition
    ]
    with stage.open(tmp_path):
        for play in (*allows, *denies):
            for name in ("x-a", "user-agent", "x_a"):
                for values in LINES:
                    if name == "user-agent" and values == ("", "1"):
                        continue  # joined without a comma, like the one line that says the same
                    lines = tuple((name, value.strip()) for value in values)
                    stage.send(play, http_request("b", 8080, "/x", headers=lines))
    assert stage.counts["sent"] > 700


HOSTS = (
    *("h.example", "H.Example", "h.example:80", "h.example:8080", "h.example.", "h.example.:80", "h.example:", "other"),
    *(
        "xh.example",
        "h.examplex",
        "h.example:80x",
        "h.example..",
        "a.h.example",
        "127.0.0.1",
        "[::1]:80",
        "h.example@x",
    ),
)


def test_hosts_with_ports_dots_and_capitals(stage: Stage, tmp_path: Path) -> None:
    plays = [
        stage.put_on(f"{MESH}allow r: anyone -> b {{ GET /** when {condition} {CLEAR} }}", has_mesh=True)
        for condition in ('host == "h.example"', 'host in ["h.example", "other"]', 'host startswith "h.e"')
    ]
    plays += [
        stage.put_on(f"{MESH}{EVERY}deny d: anyone -> b {{ GET /** when {condition} }}", has_mesh=True)
        for condition in ('host == "h.example"', 'host != "h.example"', 'host startswith "h.e"')
    ]
    with stage.open(tmp_path):
        for play in plays:
            for host in HOSTS:
                request = http_request("b", 8080, "/x", host=host)
                meant = host.removesuffix("x") if ":" in host else host  # whatever follows the colon is a port to Istio
                stage.send(play, request, replace(request, host=meant))
    assert stage.counts["rule True"] > 10


def test_methods(stage: Stage, tmp_path: Path) -> None:
    allow = stage.put_on(f"{MESH}allow r: anyone -> b {{ GET|HEAD /x  POST /y {CLEAR} }}", has_mesh=True)
    deny = stage.put_on(f"{MESH}{EVERY}deny d: anyone -> b {{ POST|DELETE /x }}", has_mesh=True)
    with stage.open(tmp_path):
        for play in (allow, deny):
            assert isinstance(play.mesh.nodes[0], Service)
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "Post", "PURGE"):
                for path in ("/x", "/y"):
                    stage.send(play, http_request("b", 8080, path, method=method))
    assert stage.counts["rule True"] > 10
