"""Random routes, from one sidecar to another: requests go where the policy says, as what it says, and are judged there
as what they became.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from tests.e2e.envoy.client import Reply, Way, ask
from tests.e2e.envoy.judging import KNOWN_METHODS
from tests.e2e.envoy.traffic import Sender
from tests.e2e.sidecar.judging import sendable
from tests.e2e.sidecar.standing import Calls, World, calling, versions
from tests.strategies.meshes import Size, random_mesh
from tests.strategies.requests import COMPLETE, random_request

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.bundle import enforced
from meshproof.compiler.ir.decision import Reason, RouteOutcome
from meshproof.compiler.ir.entities import Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import SourceIp, attributes_of
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.ir.routing import Branch, HeaderAction, Limits, Route
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.handshake import as_sent
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.compiler.semantics.route import route
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.runtime.net import sidecar
from meshproof.runtime.settings_run import EndpointGroup, OutboundPort, Place

pytestmark = pytest.mark.slow

MESHES, REQUESTS = (150, 40) if os.environ.get("MESHPROOF_SAMPLES") == "full" else (25, 40)
ROUTED = Size(services=3, rules=6, gateways=0, externals=0, route_share=1.0)
DAY = date(2026, 11, 23)


def _quiet(one: Route) -> Route:
    """Without trouble on purpose, answers to browsers, and bounds: others hold these."""
    branches = tuple(_quiet_branch(branch) for branch in one.branches)
    return replace(one, branches=branches, limits=Limits(), ejection=None)


def _quiet_branch(branch: Branch) -> Branch:
    return replace(branch, settings=replace(branch.settings, fault=None, cors=None, timeout_ms=None, retry=None))


def played(seed: int) -> tuple[Mesh, Service] | None:
    """A policy with routes, that asks nobody, and who calls in it."""
    mesh = random_mesh(Random(f"chain {seed}"), ROUTED)  # noqa: S311  reproducible on purpose
    rules = tuple(rule for rule in mesh.rules if rule.effect is not Effect.ASK)
    gateways = tuple(replace(gateway, trusted_proxies=0) for gateway in mesh.gateways)  # what they hide is refused
    mesh = replace(mesh, rules=rules, routes=tuple(map(_quiet, mesh.routes)), gateways=gateways)
    try:
        Engine(enforced(mesh))
    except UnsupportedPolicyError:
        return None
    return (mesh, mesh.services[seed % len(mesh.services)]) if mesh.routes else None


def calls(mesh: Mesh, endpoints: tuple[EndpointGroup, ...]) -> Calls:
    """A listener for each port that speaks HTTP."""
    ports = [(node.name, port.workload) for node in mesh.services for port in node.ports if port.layer is Layer.HTTP]
    listeners = (OutboundPort(name, port, Place("127.0.0.1", 0)) for name, port in dict.fromkeys(ports))
    return Calls(tuple(listeners), endpoints)


def drawn(mesh: Mesh, caller: Service, seed: int) -> list[Request]:
    """Requests of an application: over HTTP, as itself, without a token."""
    rng, found = Random(seed), list[Request]()  # noqa: S311  reproducible on purpose
    for _ in range(30 * REQUESTS):
        request = sendable(mesh, random_request(rng, mesh, COMPLETE))
        if request is None or request.protocol is RequestProtocol.TCP or request.method not in KNOWN_METHODS:
            continue
        if "," in (request.host or "") or any(name == "x-forwarded-for" for name, _ in request.headers):
            continue
        own = Peer(caller.identity.uri, "127.0.0.1")
        request = replace(request, source=own, token=None, client_ip=None, destination_ip=None, sni=None)
        found.append(as_sent(mesh, request, DAY))
        if len(found) == REQUESTS:
            break
    return found


def onward(mesh: Mesh, request: Request, outcome: RouteOutcome) -> Request:
    """What arrives: the path as routed or rewritten, the headers as edited."""
    normal = normalize(request.path or "/")
    assert isinstance(normal, NormalPath)
    mark, query = (request.path or "/").partition("?")[1:]
    headers = request.headers
    for edit in outcome.headers:
        if edit.action is not HeaderAction.ADD:
            headers = tuple(one for one in headers if one[0] != edit.name)
        if edit.action is not HeaderAction.REMOVE:
            headers = (*headers, (edit.name, edit.value))
    path = f"{normal.text}{mark}{query}" if outcome.path is None else outcome.path
    return as_sent(mesh, replace(request, path=path, headers=headers), DAY)


def reads_address(mesh: Mesh, request: Request) -> bool:
    """Whether a route asks from which address the sender comes: what the destination sees of it is not known there."""
    branches = [branch for one in mesh.routes if one.node == request.destination for branch in one.branches]
    return any(isinstance(one, SourceIp) for branch in branches for one in attributes_of(branch.condition))


def wrong(mesh: Mesh, request: Request, reply: Reply, counts: Counter[str]) -> str | None:
    """What is wrong with an answer."""
    if reply.status == 403 and reads_address(mesh, request):
        counts["routed by an address that no sender knows, refused"] += 1
        return None
    outcome = route(mesh, request, DAY)
    if outcome is None:
        counts["routed nowhere"] += 1
        return None if reply.status in {400, 404} else "routed, and should not be"
    if outcome.redirect is not None:
        counts["redirected"] += 1
        return None if reply.status == outcome.redirect.status else "not redirected"
    sent = onward(mesh, request, outcome)
    says = decide(mesh, sent, DAY)
    if says.is_observed and says.reason is Reason.TRANSPORT:
        return None
    counts[f"{says.reason.value} {'allowed' if says.is_allowed else 'refused'}"] += 1
    if not says.is_allowed:
        return None if reply.status in {401, 403, 503} else f"{says}, and it is let through"
    if reply.status != 200:
        return f"{says}, and it is refused"
    labels = {label for label, weight in outcome.destinations if weight}
    by = reply.header("x-seen-by")
    if by not in labels and f"{request.destination}:{request.port}" not in labels:
        return f"it went to {by}, not to {labels}"
    seen = normalize(sent.path or "/")
    assert isinstance(seen, NormalPath)
    path = (reply.header("x-seen-path") or "").partition("?")[0]
    return None if path == seen.text else f"it arrived as {path}, not {seen.text}"


def test_requests_arrive_where_and_as_what_the_policy_says(
    world: World, caller: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidecar, "_today", lambda: DAY)
    counts, bad, seed, made = Counter[str](), list[str](), 0, 0
    while made < MESHES:
        seed += 1
        found = played(seed)
        if found is None:
            continue
        made += 1
        mesh, own = found
        with versions(mesh, world) as endpoints:
            asked = calls(mesh, endpoints)
            with calling(mesh, own, world, asked) as places:
                where = {(one.destination, one.port): at for one, at in zip(asked.outbound, places, strict=True)}
                for request in drawn(mesh, own, seed):
                    place = where[request.destination, request.port]
                    reply = ask(Way((place.address, place.port)), caller.message(mesh, request))
                    counts["sent"] += 1
                    if (what := wrong(mesh, request, reply, counts)) is not None:
                        bad.append(f"{what}: {request}, answered {reply.status} {dict(reply.headers)}")
    print(dict(sorted(counts.items())))  # noqa: T201  the table of docs/targets/native-oracle.md
    assert not bad, f"{len(bad)} of {counts['sent']}\n" + "\n".join(bad[:20])
    assert counts["sent"] >= MESHES * REQUESTS // 2
    assert min(counts["routed nowhere"], counts["redirected"], counts["rule allowed"]) > 5, counts
