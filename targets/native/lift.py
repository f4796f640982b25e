"""What a bundle means, for a comparison with the policy that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.backend.transport import LiftedServer, LiftedTransport, TlsEnd
from meshproof.compiler.ir.bundle import load
from meshproof.compiler.ir.entities import Gateway, Protocol, ServicePort
from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.mtls import MeshScope, MtlsMode, MtlsPolicy, NamespaceScope, ServiceScope
from meshproof.compiler.ir.names import NOWHERE
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import SourceFile, Span

_TLS = {Protocol.HTTPS, Protocol.TLS}


def lift(files: tuple[Artifact, ...]) -> Lifted:
    """The mesh of the one bundle among the files. What is no bundle is MP001 at its file."""
    sources = tuple(SourceFile(file.path, file.content.decode("utf-8", "replace")) for file in files)
    if len(files) != 1:
        return Lifted(None, (_unreadable("", "a bundle is one file"),), sources)
    try:
        mesh = load(files[0].content).mesh
    except JsonError as error:
        return Lifted(None, (_unreadable(files[0].path, str(error)),), sources)
    return Lifted(replace(mesh, mtls=tuple(_statements(mesh))), sources=sources, transport=_transport(mesh))


def _unreadable(path: str, message: str) -> Diagnostic:
    return Diagnostic(
        code="MP001",
        severity=Severity.ERROR,
        message=message,
        labels=(Label(Span(path, 0, 0), is_primary=True),),
        fingerprint=f"native:{message}",
    )


def _statements(mesh: Mesh) -> Iterator[MtlsPolicy]:
    """What is said of connections, service by service: there are no proxies of ours but theirs.

    Of several for one service the first in force counts, so the closest stands first. Workloads of a closed namespace
    that nobody declares refuse everybody, which is `strict` and no rule.
    """
    wide = [one for one in mesh.mtls if isinstance(one.scope, NamespaceScope | MeshScope)]
    yield from (one for one in mesh.mtls if one not in wide)
    for service in mesh.services:
        for scope in (NamespaceScope(service.namespace), MeshScope()):
            yield from (replace(one, scope=ServiceScope(service.name)) for one in wide if one.scope == scope)
    for namespace in mesh.namespaces:
        if namespace.is_closed:
            yield MtlsPolicy(NamespaceScope(namespace.name), MtlsMode.STRICT, NOWHERE)


def _transport(mesh: Mesh) -> LiftedTransport:
    """Gateways listen for what they declare, and senders are held to the policy where egress is closed."""
    is_closed = mesh.egress is Egress.CLOSED
    return LiftedTransport(
        servers=tuple(server for gateway in mesh.gateways for server in _servers(gateway)),
        closed=frozenset(service.name for service in mesh.services) if is_closed else frozenset(),
    )


def _servers(gateway: Gateway) -> Iterator[LiftedServer]:
    for port in gateway.ports:
        end = _end(gateway, port)
        is_ended = end in {TlsEnd.SERVER, TlsEnd.CLIENT}
        for host in gateway.hosts:
            yield LiftedServer(
                gateway=gateway.name,
                number=port.number,
                workload=port.workload,
                host=host.lower(),
                binds=gateway.namespace,
                end=end,
                certificate=gateway.certificate if is_ended else None,
                client_ca=gateway.client_ca if is_ended else None,
            )


def _end(gateway: Gateway, port: ServicePort) -> TlsEnd:
    if port.is_passthrough:
        return TlsEnd.PASSED
    if port.protocol not in _TLS:
        return TlsEnd.PLAIN
    return TlsEnd.SERVER if gateway.client_ca is None else TlsEnd.CLIENT
