"""Random requests that proxies of App Mesh can be sent: to declared ports, by whoever there is."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.strategies.app_mesh_doors import request
from tests.strategies.meshes import DAY
from tests.strategies.requests import random_request
from tests.strategies.sources import takes
from tests.strategies.vocabulary import samples

from meshproof.compiler.ir.authz import AuthzRule, Effect, Operation
from meshproof.compiler.ir.entities import Gateway, Layer, Protocol, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics.handshake import mode_of

_STRANGERS = (
    "spiffe://cluster.local/vm/x",
    "spiffe://cluster.local/vm/y",
    "spiffe://cluster.local/ns/app/sa/stranger",
    "spiffe://cluster.local/ns/jobs/sa/web",
    "spiffe://partner.example/ns/app/sa/web",
)


def request_to(rng: Random, mesh: Mesh) -> Request:
    """A request to a declared port of a service or gateway, without tokens, which no proxy of App Mesh looks at."""
    while True:
        found = random_request(rng, mesh) if rng.random() < 0.5 else _of_few_words(rng, mesh)
        if _is_sent(mesh, found):
            return replace(found, day=None, token=None)


def _is_sent(mesh: Mesh, found: Request) -> bool:
    node = mesh.node(found.destination)
    port = None if node is None else next((one for one in node.ports if one.workload == found.port), None)
    if port is None or found.method == "CONNECT" or not ("/" if found.path is None else found.path).startswith("/"):
        return False  # Envoy answers those itself
    if (port.layer is Layer.TCP) != (found.protocol is RequestProtocol.TCP):
        return False
    return not isinstance(node, Gateway) or found.source.identity is None


def _of_few_words(rng: Random, mesh: Mesh) -> Request:
    """One of those that doors are tried with, mostly to where a rule lets the caller in."""
    callers = tuple(one.identity.uri for one in _workloads(mesh))
    rules = tuple(rule for rule in mesh.rules if rule.effect is Effect.ALLOW)
    rule = rng.choice(rules) if rules and rng.random() < 0.8 else None
    node = _destination(rng, mesh, rule)
    port = rng.choice(node.ports)
    taken = () if rule is None else tuple(uri for uri in callers if takes(rule.sources.matches, uri))
    caller = rng.choice(taken) if taken and rng.random() < 0.7 else rng.choice((*callers, *callers, *_STRANGERS, None))
    if isinstance(node, Gateway) or mode_of(mesh, node, port.workload, DAY) is MtlsMode.DISABLED:
        caller = None
    if port.layer is Layer.TCP:
        return Request(Peer(caller, "10.0.0.1"), node.name, port.workload, RequestProtocol.TCP)
    first = request(rng)
    if rule is not None and rule.operations and rng.random() < 0.6:
        first = _asked_for(rng, first, rng.choice(rule.operations))
    sent = replace(first, source=Peer(caller, "10.0.0.1"), destination=node.name, port=port.workload)
    hosts = (str(node.name), *(host for one in mesh.gateways for host in one.hosts))
    if port.protocol is Protocol.GRPC and rng.random() < 0.7:
        path = rng.choice(("/shop.Cart/Get", "/shop.Cart/Put", "/shop.Pay/Charge"))
        return replace(sent, protocol=RequestProtocol.GRPC, method="POST", path=path)
    return replace(sent, host=rng.choice(hosts))


def _destination(rng: Random, mesh: Mesh, rule: AuthzRule | None) -> Service | Gateway:
    if rule is not None:
        node = mesh.node(rng.choice(rule.destinations).node)
        if isinstance(node, Service | Gateway) and node.ports:
            return node
    return rng.choice([one for one in _workloads(mesh) if one.ports])


def _workloads(mesh: Mesh) -> tuple[Service | Gateway, ...]:
    return (*mesh.services, *mesh.gateways)


def _asked_for(rng: Random, first: Request, asked: Operation) -> Request:
    """The request with the method and a path of an operation, or one that just misses it."""
    path = (first.path or "").partition("?")[0] if asked.path is None else samples(rng, asked.path)
    query = (first.path or "").partition("?")[2]
    return replace(first, method=rng.choice(asked.methods or ("GET",)), path=f"{path}?{query}" if query else path)
