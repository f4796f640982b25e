"""Requests to the proxies of an emitted mesh in every way in which their callers can come, and what they got to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.e2e.envoy.app_mesh_config import Address
from tests.e2e.envoy.app_mesh_emitted import DAY, Emitted, Opening
from tests.e2e.envoy.client import Reply, Way, ask, echoes, message
from tests.e2e.envoy.client_http2 import ask_http2
from tests.e2e.envoy.judging import disagreement
from tests.e2e.envoy.stage import PING
from tests.e2e.envoy.traffic import Sender

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.entities import Gateway, Layer, Protocol, Service, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.semantics import NotModelled, decide, route
from meshproof.compiler.semantics.facts import facts_of
from meshproof.compiler.semantics.handshake import as_sent
from meshproof.compiler.semantics.truth import holds

_HTTP2 = frozenset(("http2", "grpc"))
_NOTHING = Reply(404)
_OTHERS = 3
_CASES = (str.lower, str.upper, str.title)


class Known(Enum):
    """What is known of a request beforehand."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    EITHER = "either"
    """It hangs on what proxies of App Mesh do in two ways."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a request came to: a port of a service, and with which answer."""

    service: NodeName
    port: int
    reply: Reply


@dataclass(slots=True)
class Judging:
    """Sends, and compares what came of it with the policy and with what the files were read to mean.

    `others` is who has the certificates of another authority.
    """

    sender: Sender
    others: Sender
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def inside(self, one: Emitted, request: Request) -> set[str]:
        """A request to a service: straight to each of its nodes, and to doors, its own and others."""
        request = as_sent(one.mesh, request, DAY)
        found = list(self._everywhere(one, self._sender(one, request), request))
        service = one.mesh.node(request.destination)
        assert service is not None
        places = {(arrival.service, arrival.port) for arrival in found}
        for name, port in sorted(places | {(service.name, request.port)}):
            here = next((each.reply for each in found if (each.service, each.port) == (name, port)), _NOTHING)
            asked = replace(request, destination=name, port=port)
            if request.source.identity in one.trusted:
                self._judge_trusted(one, asked, here)
            else:
                self._judge(one, asked, here)
        return {f"{name}:{port}" for name, port in places}

    def forged(self, one: Emitted, request: Request) -> None:
        """The same with certificates of another authority, which says the same of who they are."""
        request = as_sent(one.mesh, request, DAY)
        if request.source.identity is not None and list(self._everywhere(one, self.others, request)):
            self.wrong.append(f"came with a certificate of another authority: {told(request)}")
        self.counts["forged"] += 1

    def _everywhere(self, one: Emitted, sender: Sender, request: Request) -> Iterator[Arrival]:
        service = one.mesh.node(request.destination)
        assert isinstance(service, Service)
        yield from self._straight(one, service, sender, request)
        for door in self._doors(one, service) if request.protocol is not RequestProtocol.TCP else ():
            yield from self._arrivals(one, self._asked(door.address, door.protocol, sender, request))

    def _doors(self, one: Emitted, service: Service) -> Iterator[Opening]:
        """Those to the service, and some of the others in turn."""
        others = [door for door in one.doors if not door.is_to(service)]
        yield from (door for door in one.doors if door.is_to(service))
        yield from {others[(self.counts["sent"] + at) % len(others)]: None for at in range(_OTHERS)} if others else ()

    def _sender(self, one: Emitted, request: Request) -> Sender:
        """Nobody of the mesh's own authority has a name of another domain."""
        is_own = (request.source.identity or "").startswith(f"spiffe://{one.mesh.trust_domain}/")
        return self.sender if is_own else self.others

    def _straight(self, one: Emitted, service: Service, sender: Sender, request: Request) -> Iterator[Arrival]:
        port = next(each for each in service.ports if each.workload == request.port)
        spoken = "http2" if port.protocol in {Protocol.GRPC, Protocol.HTTP2} else "http"
        got = []
        for place in one.places(service):
            address = (place, request.port)
            if port.layer is Layer.TCP:
                self.counts["sent"] += 1
                if echoes(_way(address, sender, request), PING):
                    got.append(Arrival(service.name, request.port, Reply(200)))
            else:
                got += self._arrivals(one, self._asked(address, spoken, sender, request))
        if got and len({(each.service, each.port) for each in got}) != 1:
            self.wrong.append(f"came elsewhere than to its place: {told(request)} {got}")
        if len(got) not in {0, len(one.places(service))}:
            self.wrong.append(f"came to some of its versions: {told(request)} {got}")
        yield from got

    def outside(self, one: Emitted, gateway: Gateway, port: ServicePort, request: Request) -> set[str]:
        """A request from outside, to a gateway of the policy."""
        (place,) = one.places(gateway)
        spoken = "http2" if port.protocol in {Protocol.GRPC, Protocol.HTTP2} else "http"
        tls = self.sender.tls(None, ()) if port.protocol is Protocol.HTTPS else None
        reply = self._ask(Way((place, port.workload), tls=tls), spoken, request)
        found = {f"{each.service}:{each.port}": each.reply for each in self._arrivals(one, reply)}
        read = _sent_on(one.lifted, gateway, request)
        if (read is not None and set(found) != read & set(found)) or (read and not found):
            self.wrong.append(f"read {read}, came to {set(found)}: {told(request)}, answered {reply.status}")
        self.counts["outside, through" if found else "outside, refused"] += 1
        meant = _sent_on(one.mesh, gateway, request) or set()
        for name, answer in (found or dict.fromkeys(meant, _NOTHING)).items():
            self._compare_onward(one, gateway, request, name, answer, is_meant=name in meant)
        return set(found)

    def _compare_onward(
        self, one: Emitted, gateway: Gateway, request: Request, name: str, answer: Reply, *, is_meant: bool
    ) -> None:
        """What came of a request at the service behind a gateway; elsewhere the policy sends none."""
        onward = _onward(gateway, request, name)
        if answer is not _NOTHING and not is_meant and decide(one.mesh, onward, DAY).is_allowed:
            self.wrong.append(f"sent to {name}, which no route of the policy says: {told(request)}")
        self._compare(one, onward, answer, (str(gateway.name),))

    def _asked(self, address: Address, protocol: str, sender: Sender, request: Request) -> Reply:
        """As who the caller is; who has no identity comes without TLS, and with TLS and no certificate."""
        reply = self._ask(_way(address, sender, request), protocol, request)
        if request.source.identity is None:
            bare = self._ask(Way(address, tls=self.sender.tls(None, _alpn(protocol))), protocol, request)
            if bare.header("x-node") is not None:
                self.wrong.append(f"taken without a certificate at {address}: {told(request)}")
        return reply

    def _ask(self, way: Way, protocol: str, request: Request) -> Reply:
        self.counts["sent"] += 1
        method, path, host = request.method or "GET", request.path or "/", request.host or "h"
        if protocol in _HTTP2:
            return ask_http2(way, method, path, host, request.headers)
        # Names of headers may have any case over HTTP/1.1; those of a request of the model are small.
        lines = tuple((_CASES[at % len(_CASES)](name), value) for at, (name, value) in enumerate(request.headers))
        return ask(way, message(method, path, host, lines))

    def _arrivals(self, one: Emitted, reply: Reply) -> Iterator[Arrival]:
        node, port = reply.header("x-node"), reply.header("x-port")
        if node is not None and port is not None:
            service = next(each for each in one.mesh.services if node in one.nodes(each))
            yield Arrival(service.name, int(port), replace(reply, status=200))
        elif reply.status not in {0, 400, 404} and reply.header("grpc-status") is None:
            self.wrong.append(f"answered {reply.status} {reply.headers}")

    def _judge(self, one: Emitted, request: Request, reply: Reply) -> None:
        known, is_there = known_of(one.lifted, request), reply.status == 200
        self.counts[f"{known.value}, {'through' if is_there else 'refused'}"] += 1
        if known is not Known.EITHER and is_there is not (known is Known.ALLOWED):
            self.wrong.append(f"read as {known.value}, answered {reply.status} {reply.headers}: {told(request)}")
        self._compare(one, request, reply, ())

    def _judge_trusted(self, one: Emitted, request: Request, reply: Reply) -> None:
        """Who has the certificate of a gateway comes past its routes, wherever it is a name; nobody else has it."""
        is_there, is_named = reply.status == 200, one.names_at(request, request.source.identity or "")
        self.counts[f"as a gateway, {'through' if is_there else 'refused'}"] += 1
        if is_there is not (is_named and not _is_broken(request.path or "/")):
            self.wrong.append(f"named: {is_named}, answered {reply.status} {reply.headers}: {told(request)}")

    def _compare(self, one: Emitted, request: Request, reply: Reply, others: tuple[str, ...]) -> None:
        """With the policy: what is refused more is listed."""
        if request.protocol is RequestProtocol.TCP:
            says = decide(one.mesh, request, DAY).is_allowed
            found = None if says == (reply.status == 200) else "stricter" if says else "looser"
        else:
            found = disagreement(one.mesh, request, reply, DAY, merges=True)
        if found == "stricter" and _is_root_alone(request):
            return  # Envoy leaves slashes alone as two, which the language reads as one
        if found == "stricter" and is_listed(one, request, others):
            self.counts["stricter, as listed"] += 1
        elif found is not None:
            self.wrong.append(f"{found}: {told(request)}, answered {reply.status} {reply.headers}")


def is_allowed(mesh: Mesh, request: Request) -> bool:
    """Whether the policy has the request come to a service in the end."""
    node = mesh.node(request.destination)
    if isinstance(node, Gateway):
        return bool(_sent_on(mesh, node, request))
    return decide(mesh, as_sent(mesh, request, DAY), DAY).is_allowed


def known_of(mesh: Mesh, request: Request) -> Known:
    """What is read of the files."""
    try:
        return Known.ALLOWED if decide(mesh, request, DAY).is_allowed else Known.REFUSED
    except NotModelled:
        return Known.EITHER


def is_listed(one: Emitted, request: Request, others: Iterable[str] = ()) -> bool:
    """Whether a loss speaks of the request: one of a rule about its destination, or of its destination."""
    about = {str(request.destination), *others}
    about |= {
        str(rule.id) for rule in one.mesh.rules if any(place.node == request.destination for place in rule.destinations)
    }
    facts = facts_of(one.mesh, request, DAY)
    names = Counter(name.lower() for name, _ in request.headers)

    def speaks(loss: Loss) -> bool:
        is_there = loss.repeated is None or names[loss.repeated] > 1
        return loss.subject in about and is_there and holds(loss.region, facts)

    return any(map(speaks, one.lowered.losses))


def _is_broken(path: str) -> bool:
    """Whether no proxy of App Mesh takes the path, wherever it is to go."""
    try:
        istio_path(path, IstioMode.MERGE_SLASHES)
    except PatternRefused:
        return True
    return False


def _is_root_alone(request: Request) -> bool:
    path = request.path or "/"
    return not _is_broken(path) and istio_path(path, IstioMode.MERGE_SLASHES) == "//"


def told(request: Request) -> str:
    """The request in one line."""
    to = f"{request.destination}:{request.port}"
    return f"{request.source.identity} -> {to} {request.method} {request.host}{request.path} {request.headers}"


def _sent_on(mesh: Mesh, gateway: Gateway, request: Request) -> set[str] | None:
    """The ports of services to one of which a gateway sends a request that they take; None where that is not known."""
    try:
        if not decide(mesh, request, DAY).is_allowed:
            return set()
        outcome = route(mesh, request, DAY)
        if outcome is None or outcome.answer is not None or outcome.branch is None:
            return set()
        found = {_place(mesh, destination) for destination, share in outcome.destinations if share}
        return {name for name in found if decide(mesh, _onward(gateway, request, name), DAY).is_allowed}
    except NotModelled:
        return None


def _place(mesh: Mesh, destination: str) -> str:
    """The service and port of a destination, without its version."""
    address = destination.partition(" ")[0]
    name, _, port = address.partition(":")
    service = mesh.node(NodeName(name))
    assert isinstance(service, Service)
    return f"{name}:{port or service.ports[0].workload}"


def _onward(gateway: Gateway, request: Request, name: str) -> Request:
    service, _, port = name.rpartition(":")
    source = Peer(gateway.identity.uri, request.source.ip)
    return replace(request, source=source, destination=NodeName(service), port=int(port))


def _way(address: Address, sender: Sender, request: Request) -> Way:
    identity = request.source.identity
    return Way(address, tls=None if identity is None else sender.tls(identity, ()))


def _alpn(protocol: str) -> tuple[str, ...]:
    return ("h2",) if protocol in _HTTP2 else ()
