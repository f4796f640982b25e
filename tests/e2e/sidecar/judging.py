"""Whether what a sidecar did with a request is what the language says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from tests.e2e.envoy.client import Reply, ask, echoes
from tests.e2e.envoy.judging import KNOWN_METHODS
from tests.e2e.envoy.meshes import from_loopback
from tests.e2e.envoy.traffic import Sender
from tests.e2e.sidecar.standing import Places
from tests.strategies.requests import COMPLETE, random_request

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import External, Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.runtime.engine.engine import Engine

_UNKNOWN = 0.1
PING = b"neither TLS nor HTTP, and long enough to tell"
_STATUS = {Reason.TOKEN: 401, Reason.TRANSPORT: 0}


def sendable(mesh: Mesh, request: Request) -> Request | None:
    """The request as far as a client can send it; None for what a sidecar is not asked about.

    Sockets have no IPv6 address here. Only a test names a day. At a gateway nobody has an identity, and its plaintext
    has no server name. Nobody sends without a host.
    """
    node = mesh.node(request.destination)
    if node is None or isinstance(node, External) or request.day is not None or ":" in (request.source.ip or ""):
        return None
    if not any(one.workload == request.port for one in node.ports):
        return None
    if isinstance(node, Gateway) and request.source.identity is not None:
        return None
    request = from_loopback(request)
    is_name = request.sni is not None and all(0 < len(label) < 64 for label in request.sni.split("."))
    sni = request.sni if is_name and request.source.identity is not None else None
    host = request.host if request.host is not None or request.method is None else "a.example"
    return replace(request, sni=sni, host=host, answers=())


def drawn(mesh: Mesh, seed: str, count: int, wanted: Callable[[Request], bool] = lambda _: True) -> list[Request]:
    """Requests that can be sent, few of them with a method that nobody knows: these are all refused as such."""
    rng, found = Random(seed), list[Request]()  # noqa: S311  reproducible on purpose
    for _ in range(20 * count):
        request = sendable(mesh, random_request(rng, mesh, COMPLETE))
        if request is None or request.method == "CONNECT" or not wanted(request):
            continue
        if request.method in {None, *KNOWN_METHODS} or rng.random() < _UNKNOWN:
            found.append(request)
        if len(found) == count:
            break
    return found


def is_unreadable(request: Request) -> bool:
    """What HTTP/1.1 refuses by itself, observed or not: methods that nobody knows, and hosts that are none."""
    return request.method not in KNOWN_METHODS or "," in (request.host or "")


@dataclass(slots=True)
class Judge:
    """Sends to the sidecars of a policy, and keeps what was wrong."""

    sender: Sender
    day: date
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def send(self, mesh: Mesh, engine: Engine, places: Places, request: Request) -> Reply:
        """Send a request, and compare."""
        place = places[request.destination, request.port]
        is_tcp = request.protocol is RequestProtocol.TCP
        node = mesh.node(request.destination)
        seen = replace(mesh, gateways=()) if isinstance(node, Gateway) else mesh
        way = self.sender.way(seen, request, (place.address, place.port), is_tcp=is_tcp)
        if is_tcp:
            reply = Reply(200 if echoes(way, PING) else 0)
        else:
            reply = ask(way, self.sender.message(mesh, request, self.counts["sent"]))
        self.counts["sent"] += 1
        says = decide(mesh, request, self.day)
        by_engine = engine.decide(request, self.day)
        if (says.is_allowed, says.reason) != (by_engine.is_allowed, by_engine.reason):
            self.wrong.append(f"the engine says {by_engine}, the interpreter {says}: {request}")
        self._judge(says, request, reply)
        return reply

    def _judge(self, says: Decision, request: Request, reply: Reply) -> None:
        if says.is_observed and says.reason is Reason.TRANSPORT:
            self.counts["handshake of a stranger, observed"] += 1
            return
        self.counts[f"{says.reason.value} {'allowed' if says.is_allowed else 'refused'}"] += 1
        found = self._found(says, request, reply)
        if found is not None:
            self.wrong.append(f"{found}; {says}: {request}, answered {reply.status} {dict(reply.headers)}")

    def _found(self, says: Decision, request: Request, reply: Reply) -> str | None:
        if request.protocol is RequestProtocol.TCP:
            return None if says.is_allowed == (reply.status == 200) else "another decision"
        if is_unreadable(request):
            self.counts["refused by HTTP/1.1 before there is a request"] += 1
            return None if reply.status in {0, 400} else "what nobody can read is read"
        if says.is_observed and says.reason is Reason.PATH:  # some are no targets of HTTP, to us or to the workload
            return None if reply.status in {200, 400, 503} else "observed, and refused"
        if says.is_allowed:
            return self._carried(request, reply)
        if reply.status == 200:
            return "looser"
        expected = {_STATUS.get(says.reason, 403)} | ({400, 404} if says.reason is Reason.PATH else set())
        return None if reply.status in expected else "another status"

    def _carried(self, request: Request, reply: Reply) -> str | None:
        if reply.status != 200:
            return "stricter"
        normal = normalize(request.path or "/")
        path, mark, query = (reply.header("x-seen-path") or "").partition("?")
        if isinstance(normal, NormalPath) and path != normal.text:
            return f"forwarded as {path}, judged as {normal.text}"
        _, sent_mark, sent = (request.path or "/").partition("?")
        if request.token is None and (mark, query) != (sent_mark, sent):
            return f"forwarded with the query {query}"
        return None
