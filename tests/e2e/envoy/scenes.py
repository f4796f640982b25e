"""Listeners that route, and whether they send requests where the policy says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.e2e.envoy.client import Reply, Way, ask
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.judging import KNOWN_METHODS
from tests.e2e.envoy.listeners import Address, World, answering, connection_manager, listener
from tests.e2e.envoy.meshes import Fleet, upstream
from tests.e2e.envoy.process import running
from tests.e2e.envoy.routing import Sender, cluster_name, clusters_of, route_config
from tests.e2e.envoy.stage import DAY
from tests.e2e.envoy.traffic import Sender as Client
from tests.e2e.envoy.workloads import Cluster, Pod, read_cluster
from tests.strategies.requests import NORMAL, random_request

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.entities import Gateway, Layer, Service, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import route
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

_ENCODED = re.compile(r'["<>^`{|}]')


@dataclass(frozen=True, slots=True)
class Scene:
    """A listener that routes: that of a sender in a namespace (None: the gateway itself) for one port of a node."""

    mesh: Mesh
    node: Service | Gateway
    port: ServicePort
    namespace: str | None
    address: Address

    def random_request(self, rng: Random) -> Request:
        """A request to the port, from the namespace; a sender knows a service by its own names."""
        request = random_request(rng, self.mesh, NORMAL)
        while request.method not in KNOWN_METHODS or not (request.path or "").startswith("/"):
            request = random_request(rng, self.mesh, NORMAL)
        request = replace(request, path=_once(request.path or "/"), sni=None, token=None, day=None)
        request = replace(request, destination=self.node.name, port=self.port.workload)
        request = replace(request, protocol=RequestProtocol.HTTP, client_ip=None)
        if self.namespace is None:
            assert isinstance(self.node, Gateway)
            host = rng.choice(self.node.hosts)
            host = rng.choice((host, host.upper(), f"{host}:8080"))
            return replace(request, source=Peer(None, "127.0.0.1"), host=host)
        identity = SpiffeId.of_account(self.mesh.trust_domain, self.namespace, "caller")
        names = (str(self.node.name), f"{self.node.name}.{self.node.namespace}.svc.cluster.local")
        return replace(request, source=Peer(identity.uri, "127.0.0.1"), host=f"{rng.choice(names)}:{self.port.number}")


def _once(path: str) -> str:
    """The path with each query parameter once: of a repeated one Envoy looks at the first value, which is told."""
    start, mark, query = path.partition("?")
    found = {pair.partition("=")[0]: pair for pair in query.split("&")}
    return start + mark + "&".join(found.values())


def scenes(mesh: Mesh, number: int, ground: Ground) -> Iterator[Scene]:
    """Every port with HTTP of every routed node, for two namespaces of senders."""
    routed = {one.node for one in mesh.routes}
    nodes: list[Service | Gateway] = [*mesh.services, *mesh.gateways]
    for index, node in enumerate(nodes):
        for port in node.ports if node.name in routed else ():
            namespaces: tuple[str | None, ...] = ("shop", "pay") if isinstance(node, Service) else (None,)
            for place, namespace in enumerate(namespaces if port.layer is Layer.HTTP else ()):
                host = ground.host(Use.SCENES, number, 10 * (index + 1) + place)
                yield Scene(mesh, node, port, namespace, (host, port.workload))


def expected(scene: Scene, outcome: RouteOutcome) -> set[str]:
    """The clusters that may get the request."""
    found = set()
    for label, weight in outcome.destinations:
        address, _, version = label.partition(" ")
        node: Service | Gateway = scene.node
        port = scene.port
        if ":" in address:
            name, _, workload = address.partition(":")
            to = scene.mesh.node(NodeName(name))
            assert isinstance(to, Service)
            node, port = to, next(one for one in to.ports if one.workload == int(workload))
        else:
            version = address
        host = f"{node.name}.{node.namespace}.svc.cluster.local"
        if weight:
            found.add(cluster_name(host, port.number, version or None))
    return found


def wrong(scene: Scene, request: Request, reply: Reply) -> str | None:
    """What differs between what Envoy did and what the policy says."""
    outcome = route(scene.mesh, request, DAY)
    if outcome is None or (outcome.branch is None and scene.namespace is None):  # nothing is behind a gateway itself
        return None if reply.status == 404 else "no branch takes it"
    if outcome.redirect is not None:
        is_same = reply.status == outcome.redirect.status
        return None if is_same and (outcome.redirect.host or "") in (reply.header("location") or "") else "redirected"
    if reply.status != 200 or reply.header("x-upstream") not in expected(scene, outcome):
        return f"{outcome.branch} {outcome.destinations}"
    normal = normalize(request.path or "/")
    assert isinstance(normal, NormalPath)
    path = outcome.path or normal.text + "".join((request.path or "").partition("?")[1:])
    sent = _ENCODED.sub(lambda char: f"%{ord(char[0]):02X}", path.partition("?")[0]) + "".join(path.partition("?")[1:])
    seen = reply.header("x-seen-path") or ""
    is_root = normal.text == sent == "/" and not seen.strip("/")  # slashes alone stay two
    return None if seen == sent or is_root else f"sent on as {sent}"


@dataclass(slots=True)
class RouteStage:
    """Every scene of some meshes on the air, and what came of the requests to them."""

    fleet: Fleet
    client: Client
    scenes: list[Scene] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    count: int = 0
    replies: list[Reply] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, mesh: Mesh, lowered: IstioLowered) -> list[Scene]:
        """Put the routes of a mesh on the air."""
        self.count += 1
        cluster = read_cluster(TARGET.emit(lowered))
        found = list(scenes(mesh, self.count, self.fleet.ground))
        for scene in found:
            self.named |= _put_on(self.fleet, cluster, scene)
        self.scenes += found
        return found

    @contextmanager
    def open(self, folder: Path) -> Iterator[None]:
        """Envoy runs until the block ends; then nothing must have been wrong."""
        place = (self.fleet.ground.host(Use.BACK, 0), 9000)
        self.fleet.clusters += [upstream(name, place) for name in sorted(self.named)]
        world = World(self.fleet.authority, self.fleet.mint, ("td",))
        back = connection_manager(Cluster((), {"rootNamespace": "istio-system"}), Pod("x", ()), world, answering())
        self.fleet.listeners.append(listener("back", place, [{"filters": [back]}]))
        with running(self.fleet.bootstrap(), folder):
            yield
        assert not self.wrong, f"{len(self.wrong)}\n" + "\n".join(self.wrong[:10])

    def send(self, scene: Scene, request: Request) -> Reply:
        """Send a request and compare."""
        reply = ask(Way(scene.address), self.client.message(scene.mesh, replace(request, answers=())))
        self.replies.append(reply)
        if (reason := wrong(scene, request, reply)) is not None:
            self.wrong.append(f"{reason}: {described(request)}, answered {reply.status} {reply.headers}")
        return reply


def described(request: Request) -> str:
    """The request in one line."""
    return f"{request.destination}:{request.port} {request.method} {request.host}{request.path} {request.headers}"


def _put_on(fleet: Fleet, cluster: Cluster, scene: Scene) -> set[str]:
    node = scene.node
    if isinstance(node, Gateway):
        owner = Sender(node.namespace, f"{node.namespace}/meshproof-{node.name}")
    else:
        owner = Sender(scene.namespace or "")
    config = route_config(cluster, owner, scene.port.number)
    quiet = Cluster((), cluster.config)
    world = World(fleet.authority, fleet.mint, ("td",))
    manager = connection_manager(quiet, Pod("x", ()), world, config)
    fleet.listeners.append(listener(f"{scene.address}", scene.address, [{"filters": [manager]}]))
    return clusters_of(config)
