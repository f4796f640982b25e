"""Files of App Mesh read with honest callers are what such callers would meet, as a walk through the JSON tells it.

The walk is of its own making: from the backends of the caller, by the first route that matches, to a listener with its
TLS. It follows single requests; what is read is conditions.
"""

from __future__ import annotations

import json
from datetime import date
from random import Random
from typing import Any

import pytest
from tests.strategies.meshes import seeded
from tests.unit.targets.appmesh.lift.scenes import DOMAIN, listener, node, read, route, router, sds, service, tls

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import decide

DAY = date(2026, 11, 25)
SETTINGS = (("app-mesh.judgement", "cooperative"),)
NODES = ("a", "b", "c")
SERVICES = ("x.local", "y.local", "z.local")
PATHS = ("/", "/one", "/one/two", "/three")
METHODS = ("GET", "POST")
PORTS = (80, 81)
Doc = dict[str, Any]


def _identity(name: str) -> str:
    return f"{DOMAIN}/ns/shop/sa/{name}"


def _listener(rng: Random, own: str, port: int) -> Doc:
    names = [_identity(one) for one in NODES if rng.random() < 0.5]
    validation = {"trust": sds(DOMAIN), "subjectAlternativeNames": {"match": {"exact": names}}} if names else None
    if rng.random() < 0.4:
        return listener(port)
    return listener(port, tls=tls("STRICT", _identity(own), validation))


def _client(rng: Random, name: str) -> Doc:
    """A client policy: none, or one with TLS that asks for a server by name or not."""
    if rng.random() < 0.3:
        return {}
    wanted = [_identity(one) for one in NODES if rng.random() < 0.6]
    validation: Doc = {"trust": sds(DOMAIN)}
    if wanted:
        validation["subjectAlternativeNames"] = {"match": {"exact": wanted}}
    shown = {"certificate": sds(_identity(name))} if rng.random() < 0.8 else {}
    enforced = {"enforce": False} if rng.random() < 0.2 else {}
    return {"tls": {"validation": validation, **shown, **enforced}}


def _node(rng: Random, name: str) -> Doc:
    ports = [port for port in PORTS if rng.random() < 0.8]
    made: Doc = node(name, *(_listener(rng, name, port) for port in ports), shows=_identity(name))
    chosen = [one for one in SERVICES if rng.random() < 0.5]
    made["spec"]["backends"] = [
        {"virtualService": {"virtualServiceName": one, "clientPolicy": _client(rng, name)}} for one in chosen
    ]
    return made


def _routes(rng: Random, of: str) -> list[Doc]:
    found = []
    for priority in range(rng.randint(0, 3)):
        match: Doc = {"prefix": rng.choice(PATHS)}
        if rng.random() < 0.4:
            match["method"] = rng.choice(METHODS)
        if rng.random() < 0.3:
            match["port"] = rng.choice(PORTS)
        weights = {one: rng.randint(0, 2) for one in NODES if rng.random() < 0.5}
        weights = weights if any(weights.values()) else {rng.choice(NODES): 1}
        found.append(route(f"r{priority}", of, match, priority, **weights))
    rng.shuffle(found)
    return found


def _documents(rng: Random) -> list[Doc]:
    found: list[Doc] = [{"meshName": "shop", "spec": {}}, *(_node(rng, name) for name in NODES)]
    for name in SERVICES:
        kind = rng.choice(("node", "router", "router", "nobody"))
        if kind == "router":
            label = name.partition(".")[0]
            found += [service(name, router=label), router(label, rng.choice(PORTS)), *_routes(rng, label)]
        else:
            found.append(service(name, node=rng.choice(NODES)) if kind == "node" else service(name))
    return found


# --- the walk --------------------------------------------------------------------------------------


def _named(documents: list[Doc], kind: str) -> dict[str, Doc]:
    key = f"virtual{kind}Name"
    return {one[key]: one["spec"] for one in documents if key in one and "routeName" not in one}


def _ends(documents: list[Doc], name: str, path: str, method: str) -> set[tuple[str, int]]:
    """Every node and port to which a call of a virtual service may come, at any port that it is called at."""
    provider = _named(documents, "Service")[name].get("provider", {})
    nodes = _named(documents, "Node")
    if "virtualNode" in provider:
        target = provider["virtualNode"]["virtualNodeName"]
        return {(target, port) for port in _ports(nodes[target])}
    if "virtualRouter" not in provider:
        return set()
    label = provider["virtualRouter"]["virtualRouterName"]
    (mapping,) = (one["portMapping"] for one in _named(documents, "Router")[label]["listeners"])
    routes = [one["spec"] for one in documents if one.get("virtualRouterName") == label and "routeName" in one]
    for one in sorted(routes, key=lambda each: int(each["priority"])):
        match = one["httpRoute"]["match"]
        if match.get("port", mapping["port"]) != mapping["port"] or not path.startswith(match["prefix"]):
            continue
        if match.get("method", method) != method:
            continue
        targets = one["httpRoute"]["action"]["weightedTargets"]
        return {end for each in targets if each["weight"] for end in _reached(nodes, each, mapping["port"])}
    return set()


def _reached(nodes: dict[str, Doc], target: Doc, called: int) -> list[tuple[str, int]]:
    name = target["virtualNode"]
    ports = _ports(nodes[name])
    return [(name, called)] if called in ports else [(name, port) for port in ports if len(ports) == 1]


def _ports(spec: Doc) -> list[int]:
    return [one["portMapping"]["port"] for one in spec["listeners"]]


def _comes_about(policy: Doc, caller: str, end: str, taking: Doc | None) -> bool:
    """Whether a connection comes about with the client policy at the listener's TLS."""
    client = policy.get("tls")
    is_forced = client is not None and client.get("enforce", True)
    if taking is None:
        return not is_forced
    if client is not None:
        wanted = client["validation"].get("subjectAlternativeNames", {}).get("match", {}).get("exact", [])
        if is_forced and wanted and _identity(end) not in wanted:
            return False
    if "validation" not in taking:
        return True
    shown = None if client is None else client.get("certificate")
    names = taking["validation"]["subjectAlternativeNames"]["match"]["exact"]
    return shown is not None and _identity(caller) in names


def _is_sent(documents: list[Doc], caller: str, end: tuple[str, int], path: str, method: str) -> bool:
    nodes = _named(documents, "Node")
    name, port = end
    (taking,) = (one.get("tls") for one in nodes[name]["listeners"] if one["portMapping"]["port"] == port)
    return any(
        end in _ends(documents, one["virtualService"]["virtualServiceName"], path, method)
        and _comes_about(one["virtualService"]["clientPolicy"], caller, name, taking)
        for one in nodes[caller]["backends"]
    )


# --- what is read ----------------------------------------------------------------------------------


def _is_let_in(mesh: Mesh, caller: str, end: tuple[str, int], path: str, method: str) -> bool:
    request = {
        "source": {"identity": _identity(caller)},
        "destination": {"service": f"shop/{end[0]}"},
        "port": end[1],
        "protocol": "http",
        "method": method,
        "path": path,
        "host": "x.local",
    }
    return decide(mesh, request_from_json(json.dumps(request), mesh), DAY).is_allowed


@pytest.mark.parametrize("seed", range(8))
def test_honest_callers_meet_what_was_read(seed: int) -> None:
    rng = seeded(seed)
    asked, allowed = 0, 0
    for _ in range(25):
        documents = _documents(rng)
        lifted = read(*documents, settings=SETTINGS)
        assert lifted.mesh is not None, [one.message for one in lifted.diagnostics]
        ends = [(name, port) for name, spec in _named(documents, "Node").items() for port in _ports(spec)]
        for caller in NODES:
            for end in ends:
                for path, method in ((path, method) for path in PATHS for method in METHODS):
                    expected = _is_sent(documents, caller, end, path, method)
                    found = _is_let_in(lifted.mesh, caller, end, path, method)
                    assert found is expected, (caller, end, path, method, documents)
                    asked, allowed = asked + 1, allowed + expected
    assert asked > 1000
    assert allowed > 50
