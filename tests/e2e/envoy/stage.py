"""Policies on the air, and requests to them: what came of each is compared with what the language says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import yaml
from tests.e2e.envoy.client import Reply, ask, client_hello, echoes
from tests.e2e.envoy.judging import KNOWN_METHODS, disagreement, is_told
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.process import running
from tests.e2e.envoy.traffic import Sender
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics.decide import decide
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

DAY = date(2026, 11, 23)
_IN_A_LINE = re.compile(r"/[!-~]*")
PING = b"neither TLS nor HTTP, and long enough to tell"
DECODING = "DECODE_AND_MERGE_SLASHES"


def options(mode: str = DECODING) -> CompileOptions:
    """A compile for a mesh that treats paths like this."""
    return CompileOptions(DAY, (("istio.path-normalization", mode), ("istio.custom-providers", "many")), "hash")


def compilable(mesh: Mesh, mode: str = DECODING) -> tuple[Mesh, IstioLowered] | None:
    """The mesh without routes and without the rules that Istio cannot express; None if that is not all."""
    mesh = replace(mesh, routes=())
    for _ in range(4):
        lowered = TARGET.lower(mesh, options(mode))
        if not has_errors(lowered.diagnostics):
            return mesh, lowered
        blamed = {one.subject for one in lowered.diagnostics if one.severity is Severity.ERROR}
        blamed |= {loss.subject for loss in lowered.losses if loss.direction != "stricter"}
        rules = tuple(rule for rule in mesh.rules if rule.id not in blamed)
        if rules == mesh.rules:
            return None
        mesh = replace(mesh, rules=rules)
    return None


@dataclass(frozen=True, slots=True)
class Play:
    """A mesh on the air. `lifted` is what its files mean when they are read back, `lossy` the rules for which a loss
    was listed; `merges`: its proxies merge slashes.
    """

    number: int
    mesh: Mesh
    lifted: Mesh
    lossy: frozenset[str]
    merges: bool


@dataclass(slots=True)
class Stage:
    """A fleet, and what came of the requests to it."""

    fleet: Fleet
    sender: Sender
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def put_on(self, text: str, mode: str = DECODING, *, has_mesh: bool = False) -> Play:
        """The policy of a text, of which nothing may be refused."""
        mesh = mesh_of(text, has_mesh=has_mesh)
        lowered = TARGET.lower(mesh, options(mode))
        errors = [one.message for one in lowered.diagnostics if one.severity is Severity.ERROR]
        assert not errors, errors
        return self.add(mesh, lowered)

    def add(self, mesh: Mesh, lowered: IstioLowered) -> Play:
        """A mesh that was lowered."""
        lossy = frozenset(loss.subject for loss in lowered.losses)
        files = with_authorities(TARGET.emit(lowered), mesh.trusts)
        lifted = TARGET.lift(files, lowered.compile_options, mesh).mesh
        assert lifted is not None
        merges = lowered.options.path_normalization.merges_slashes
        return Play(self.fleet.add(mesh, lowered), mesh, lifted, lossy, merges)

    @contextmanager
    def open(self, folder: Path) -> Iterator[None]:
        """Envoy runs until the block ends; then nothing must have been wrong."""
        with running(self.fleet.bootstrap(), folder):
            yield
        assert not self.wrong, "\n".join(self.wrong[:20])

    def send(self, play: Play, request: Request, meant: Request | None = None) -> Reply | None:
        """Send a request and compare with what the language says of it, or of `meant`. None if nobody listens."""
        place = self.fleet.places.get((play.number, str(request.destination), request.port))
        if place is None:
            return None
        is_tcp = request.protocol is RequestProtocol.TCP
        way = self.sender.way(play.mesh, request, place, is_tcp=is_tcp)
        if is_tcp:
            is_let = echoes(way, client_hello(request.sni) if way.tls is None and request.sni else PING)
            reply = Reply(200 if is_let else 0)
        else:
            reply = ask(way, self.sender.message(play.mesh, request, self.counts["sent"]))
        self.counts["sent"] += 1
        self._judge(play, meant or request, reply)
        self._compare_lifted(play, request, reply)
        return reply

    def _compare_lifted(self, play: Play, request: Request, reply: Reply) -> None:
        """What the files mean must be what Envoy does, also where that is not what the policy says."""
        path = request.path or "/"
        if request.method is not None and (request.method not in KNOWN_METHODS or not _IN_A_LINE.fullmatch(path)):
            return  # refused or read otherwise by Envoy's HTTP/1.1, before there is a path or method to judge
        says = decide(play.lifted, request, DAY)
        if says.is_allowed != (reply.status == 200):
            self.wrong.append(f"lifted {says}: {request}, answered {reply.status} {reply.headers}")

    def _judge(self, play: Play, request: Request, reply: Reply) -> None:
        says = decide(play.mesh, request, DAY)
        if says.is_observed and says.reason is Reason.TRANSPORT:
            return  # Envoy ends a handshake with a stranger itself, observed or not
        self.counts[f"{says.reason} {says.is_allowed}"] += 1
        if request.protocol is RequestProtocol.TCP:
            found = None if says.is_allowed == (reply.status == 200) else str(says)
        else:
            found = disagreement(play.mesh, request, reply, DAY, merges=play.merges)
        if found is not None and not (found == "stricter" and is_told(play.mesh, request, play.lossy)):
            self.wrong.append(f"{found}: {request}, answered {reply.status} {reply.headers}")


def with_authorities(files: tuple[Artifact, ...], domains: tuple[str, ...]) -> tuple[Artifact, ...]:
    """The files in a mesh in which the authorities of the foreign domains were configured, which is done by hand."""
    if not domains:
        return files
    config = next(one for one in files if one.path == "meshconfig.yaml")
    whole = yaml.safe_load(config.content)
    settings = yaml.safe_load(whole["data"]["mesh"])
    settings["caCertificates"] = [{"pem": "", "trustDomains": list(domains)}]
    whole["data"]["mesh"] = yaml.safe_dump(settings)
    changed = replace(config, content=yaml.safe_dump(whole).encode())
    return tuple(changed if one is config else one for one in files)


def http_request(destination: str, port: int, path: str = "/", **fields: object) -> Request:
    """A plain request; `identity` and `ip` are the caller's."""
    peer = Peer(_text(fields.pop("identity", None)), _text(fields.pop("ip", None)) or "127.0.0.1")
    request = Request(peer, NodeName(destination), port, RequestProtocol.HTTP, method="GET", path=path, host="h")
    return replace(request, **fields)  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    assert value is None or isinstance(value, str)
    return value
