"""Random meshes of App Mesh on the real Envoy: it lets in and sends on what the files were read to mean."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.e2e.envoy.app_mesh_config import Doc
from tests.e2e.envoy.app_mesh_proxies import Proxies
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.client import Reply, Way, ask, message
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.process import running
from tests.e2e.envoy.traffic import Sender

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, PortScope
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import decide, route
from meshproof.compiler.semantics.handshake import as_sent
from meshproof.targets.appmesh.lift.reading import read_appmesh

pytestmark = pytest.mark.e2e

DAY = date(2026, 11, 25)
MESHES = 120 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 30
REQUESTS = 25
DOMAIN = "spiffe://shop.example"
NODES = ("a", "b", "c")
CALLERS = tuple(f"{DOMAIN}/{name}" for name in ("a", "b", "gate", "other"))
PATHS = (
    "/",
    "/x",
    "/x/",
    "/x/y",
    "/xy",
    "/pub/..%2fx",
    "/x/../pub",
    "//x",
    "/x%2Fy",
    "/pub/%78",
    "/x?q=1",
    "/x?q=2&p",
    "/X",
)
HEADERS = ((), (("x-a", "1"),), (("x-a", "12"),), (("x-a", ""),), (("x-a", "2"), ("x-b", "1")))


def documents(rng: Random) -> tuple[Doc, ...]:
    """A mesh with three nodes, a split of two of them, and a gateway in front."""
    nodes = [_node(rng, name) for name in NODES]
    services = [_service(name, {"virtualNode": {"virtualNodeName": name}}) for name in NODES]
    split = _service("split", {"virtualRouter": {"virtualRouterName": "split"}})
    router = {
        **_named(virtualRouterName="split"),
        "spec": {"listeners": [{"portMapping": {"port": 80, "protocol": "http"}}]},
    }
    routes = [
        {**_named(virtualRouterName="split", routeName=f"r{at}"), "spec": {"priority": at, "httpRoute": _split(rng)}}
        for at in range(rng.randint(1, 2))
    ]
    gateway = _gateway(rng)
    gateway_routes = [
        {
            **_named(virtualGatewayName="gate", gatewayRouteName=f"g{at}"),
            "spec": {"priority": at, "httpRoute": _forward(rng)},
        }
        for at in range(rng.randint(1, 4))
    ]
    return (*nodes, *services, _service("none", None), split, router, *routes, gateway, *gateway_routes)


def _named(**names: str) -> Doc:
    return {"meshName": "shop", **names}


def _service(name: str, provider: Doc | None) -> Doc:
    return {**_named(virtualServiceName=f"{name}.shop"), "spec": {} if provider is None else {"provider": provider}}


def _listener(rng: Random, port: int, own: str) -> Doc:
    found: Doc = {"portMapping": {"port": port, "protocol": "http"}}
    mode = rng.choice(("STRICT", "STRICT", "PERMISSIVE", "DISABLED", None))
    if mode is None:
        return found
    tls: Doc = {"mode": mode, "certificate": {"sds": {"secretName": f"{DOMAIN}/{own}"}}}
    if rng.random() < 0.8:
        tls["validation"] = {"trust": {"sds": {"secretName": DOMAIN}}}
        if rng.random() < 0.8:
            names = rng.sample(CALLERS, rng.randint(1, 3))
            tls["validation"]["subjectAlternativeNames"] = {"match": {"exact": names}}
    return {**found, "tls": tls}


def _node(rng: Random, name: str) -> Doc:
    listeners = [_listener(rng, 9000, name), _listener(rng, 9001, name)][: rng.randint(1, 2)]
    spec = {"listeners": listeners, "serviceDiscovery": {"dns": {"hostname": f"{name}.shop"}}}
    return {**_named(virtualNodeName=name), "spec": spec}


def _gateway(rng: Random) -> Doc:
    client = {
        "certificate": {"sds": {"secretName": f"{DOMAIN}/gate"}},
        "validation": {"trust": {"sds": {"secretName": DOMAIN}}},
    }
    spec: Doc = {"listeners": [_listener(rng, 8000, "gate"), _listener(rng, 8001, "gate")]}
    spec["backendDefaults"] = {"clientPolicy": {"tls": client}}
    return {**_named(virtualGatewayName="gate"), "spec": spec}


def _match(rng: Random) -> Doc:
    found: Doc = rng.choice(
        (
            {"prefix": "/"},
            {"prefix": "/x"},
            {"prefix": "/x/"},
            {"path": {"exact": "/x"}},
            {"path": {"regex": "/x(/.*)?"}},
            {"path": {"regex": "/pub(/.*)?"}},
        )
    )
    found = dict(found)
    if rng.random() < 0.3:
        found["method"] = rng.choice(("GET", "POST"))
    if rng.random() < 0.4:
        header: Doc = {"name": rng.choice(("x-a", "X-B"))}
        if rng.random() < 0.4:
            header["invert"] = True
        if rng.random() < 0.7:
            kind = rng.choice(("exact", "prefix", "suffix", "regex"))
            header["match"] = {kind: rng.choice(("1", "2"))}
        found["headers"] = [header]
    if rng.random() < 0.2:
        found["queryParameters"] = [rng.choice(({"name": "q"}, {"name": "q", "match": {"exact": "1"}}, {"name": "p"}))]
    return found


def _split(rng: Random) -> Doc:
    weighted = [{"virtualNode": name, "weight": 1} for name in rng.sample(NODES, rng.randint(1, 2))]
    return {"match": _match(rng), "action": {"weightedTargets": weighted}}


def _forward(rng: Random) -> Doc:
    match = _match(rng)
    if rng.random() < 0.3:
        match["port"] = 8000
    if rng.random() < 0.2:
        match["hostname"] = rng.choice(({"exact": "shop.example"}, {"suffix": ".example"}))
    service = f"{rng.choice((*NODES, 'split', 'none'))}.shop"
    action: Doc = {"target": {"virtualService": {"virtualServiceName": service}}}
    if "prefix" in match:  # what a rewrite makes of a path is compared in the unit tests: nobody sees it here
        action["rewrite"] = {"prefix": {"defaultPrefix": "DISABLED"}}
    return {"match": match, "action": action}


@dataclass(slots=True)
class Play:
    """A mesh on the air, and what came of the requests to it."""

    mesh: Mesh
    proxies: Proxies
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def send(self, sender: Sender, rng: Random) -> None:
        """One request, to a node or to the gateway, in every way in which its caller can come."""
        name = rng.choice((*NODES, "gate", "gate", "gate"))
        asked: Doc = {
            "source": {"identity": rng.choice((None, *CALLERS))},
            "destination": {"service": f"shop/{name}"},
            "port": rng.choice((8000, 8001) if name == "gate" else (9000, 9001)),
            "protocol": "http",
            "method": rng.choice(("GET", "POST")),
            "path": rng.choice(PATHS),
            "host": rng.choice(("shop.example", "other")),
            "headers": [list(line) for line in rng.choice(HEADERS)],
        }
        request = as_sent(self.mesh, request_from_json(json.dumps(asked), self.mesh), DAY)
        is_asked = request.source.identity is not None and self._asks(request)
        found = {_told(ask(way, _bytes(asked))) for way in self._ways(sender, asked, is_asked=is_asked)}
        expected = self._expected(asked, request)
        self.counts[max(found)[:3]] += 1
        # Where nobody is asked for a certificate, whoever has one comes without it: one of the ways is what counts.
        if not (found & expected if expected != {"0"} else found == {"0"}):
            self.wrong.append(f"{json.dumps(asked)}: expected {expected}, and got {found}")

    def _asks(self, request: Request) -> bool:
        """Whether the listener looks at certificates."""
        port = PortScope(request.destination, request.port)
        return any(one.scope == port and one.mode is not MtlsMode.DISABLED for one in self.mesh.mtls)

    def _ways(self, sender: Sender, asked: Doc, *, is_asked: bool) -> list[Way]:
        address = (self.proxies.places[asked["destination"]["service"].removeprefix("shop/")], asked["port"])
        shown = Way(address, tls=sender.tls(asked["source"]["identity"], ()))
        return [shown] if is_asked else [Way(address), Way(address, tls=sender.tls(None, ())), shown]

    def _expected(self, asked: Doc, request: Request) -> set[str]:
        """What may come of it: `0` for a connection that does not stand, a status, or nodes by name."""
        if not decide(self.mesh, request, DAY).is_allowed:
            return {"0"}
        if not asked["destination"]["service"].endswith("/gate"):
            return {f"200 {asked['destination']['service'].removeprefix('shop/')}"}
        outcome = route(self.mesh, request, DAY)
        assert outcome is not None
        if outcome.answer is not None:
            return {str(outcome.answer)}
        found = set()
        for destination, _ in outcome.destinations:
            node, _, port = destination.removeprefix("shop/").partition(":")
            onward = {
                **asked,
                "source": {"identity": f"{DOMAIN}/gate"},
                "destination": {"service": f"shop/{node}"},
                "port": int(port),
            }
            sent = as_sent(self.mesh, request_from_json(json.dumps(onward), self.mesh), DAY)
            # The gateway's client policy has it speak TLS: to a listener without, nothing comes through.
            arrives = decide(self.mesh, sent, DAY).is_allowed and self._speaks_tls(node, int(port))
            found.add(f"200 {node}" if arrives else "503")
        return found

    def _speaks_tls(self, node: str, port: int) -> bool:
        (document,) = [one for one in self.proxies.documents if one.get("virtualNodeName") == node]
        (listener,) = [one for one in document["spec"]["listeners"] if one["portMapping"]["port"] == port]
        return bool(listener.get("tls", {"mode": "DISABLED"})["mode"] != "DISABLED")


def _bytes(asked: Doc) -> bytes:
    lines = tuple((name, value) for name, value in asked["headers"])
    return message(asked["method"], asked["path"], asked["host"], lines)


def _told(reply: Reply) -> str:
    node = reply.header("x-node")
    return str(reply.status) if node is None else f"{reply.status} {node}"


def _plays(ground: Ground, authority: Authority) -> list[Play]:
    plays = []
    for number in range(MESHES):
        made = documents(Random(f"app mesh {number}"))  # noqa: S311  reproducible on purpose
        files = tuple(Artifact(f"{at}.json", json.dumps(one).encode()) for at, one in enumerate(made))
        lifted = read_appmesh(files)
        assert lifted.mesh is not None, [one.message for one in lifted.diagnostics]
        names = (*NODES, "gate")
        places = {name: ground.host(Use.APP_MESH, number, index) for index, name in enumerate(names, 1)}
        plays.append(Play(lifted.mesh, Proxies(made, places, authority)))
    return plays


def test_envoy_does_what_the_files_were_read_to_mean(
    ground: Ground, authority: Authority, sender: Sender, tmp_path: Path
) -> None:
    plays = _plays(ground, authority)
    resources: dict[str, Any] = {
        "listeners": [one for play in plays for one in play.proxies.listeners],
        "clusters": [{**one} for play in plays for one in play.proxies.clusters],
    }
    with running({"static_resources": resources}, tmp_path):
        for number, play in enumerate(plays):
            rng = Random(f"requests {number}")  # noqa: S311  reproducible on purpose
            for _ in range(REQUESTS):
                play.send(sender, rng)
    counts = sum((play.counts for play in plays), Counter[str]())
    wrong = [one for play in plays for one in play.wrong]
    assert not wrong, "\n".join(wrong[:10])
    assert sum(counts.values()) == MESHES * REQUESTS
    for outcome in ("0", "200", "404", "503"):
        assert counts[outcome] > MESHES // 2, counts
