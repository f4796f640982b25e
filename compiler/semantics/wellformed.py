"""Which requests exist at all: "Well-formed" in the language reference, made precise (ADR 0050)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from ipaddress import IPv6Address, ip_address

from meshproof.compiler.ir.entities import External, Layer, Node, Protocol, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.compiler.semantics.handshake import is_trusted, mode_of

_TLS = frozenset({Protocol.HTTPS, Protocol.TLS})
_LAST_PORT = 65535
_PORT_OF_HOST = re.compile(r":[0-9]*\Z")
_LINE_BREAKS = frozenset("\r\n")


def is_well_formed(mesh: Mesh, request: Request, day: date) -> str | None:
    """None, or the reason why no such request exists in the mesh, as one sentence. `request.day` wins over `day`."""
    node = mesh.node(request.destination)
    if node is None:
        return f"nothing that is declared is named `{request.destination}`"
    return next(_faults(mesh, node, request, request.day or day), None)


def declared_port(node: Node, port: int) -> ServicePort | None:
    """The declared port on which the workload listens as `port`."""
    return next((declared for declared in node.ports if declared.workload == port), None)


def layer_of(request: Request) -> Layer:
    """What the judging proxy sees: a request or a connection."""
    return Layer.TCP if request.protocol is RequestProtocol.TCP else Layer.HTTP


def canonical_address(text: str) -> str | None:
    """The address in canonical text, None where it is none. An IPv4-mapped IPv6 address is the IPv4 one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return str(address.ipv4_mapped or address)
    return str(address)


def normal_host(authority: str) -> str:
    """The host of an authority "lower case without port and last dot"."""
    return lower_ascii(_PORT_OF_HOST.sub("", authority).removesuffix("."))


def _faults(mesh: Mesh, node: Node, request: Request, day: date) -> Iterator[str]:
    yield from _port_faults(node, request)
    yield from _tcp_faults(request)
    yield from _host_faults(request)
    yield from _identity_faults(mesh, node, request, day)
    yield from _address_faults(request)
    yield from _sni_faults(node, request)


def _port_faults(node: Node, request: Request) -> Iterator[str]:
    if not 1 <= request.port <= _LAST_PORT:
        yield f"`{request.port}` is no port"
    declared = declared_port(node, request.port)
    layer = layer_of(request)
    if declared is not None and declared.layer not in {layer, Layer.SNIFFED}:
        yield f"port `{request.port}` of `{node.name}` is {declared.layer}, the request is {layer}"


def _tcp_faults(request: Request) -> Iterator[str]:
    if layer_of(request) is Layer.HTTP:
        return
    http_only = {
        "method": request.method is not None,
        "path": request.path is not None,
        "host": request.host is not None,
        "headers": bool(request.headers),
        "token": request.token is not None,
    }
    for name, is_there in http_only.items():
        if is_there:
            yield f"a tcp connection has no `{name}`"


def _host_faults(request: Request) -> Iterator[str]:
    """RFC 9110 §4.2.1: whoever is sent an empty host refuses it."""
    if request.host is not None and not normal_host(request.host):
        yield "a `host` is not empty"


def _identity_faults(mesh: Mesh, node: Node, request: Request, day: date) -> Iterator[str]:
    identity = request.source.identity
    if identity is None:
        return
    if SpiffeId.parse(identity) is None:
        yield f"`{identity}` is no SPIFFE ID of a workload"
    if mode_of(mesh, node, request.port, day) is MtlsMode.DISABLED and not _is_refusing_tls(mesh, node):
        yield f"mTLS is disabled at port `{request.port}` of `{node.name}`, so no caller has an identity there"


def _is_refusing_tls(mesh: Mesh, node: Node) -> bool:
    """Whether a proxy of a lifted mesh stands there, to which a caller may try to show an identity, and fails. What has
    no proxy has no identity that anybody trusts.
    """  # noqa: D205
    return mesh.is_lifted and not isinstance(node, External) and is_trusted(mesh, node.identity)


def _address_faults(request: Request) -> Iterator[str]:
    for address in (request.source.ip, request.destination_ip, request.client_ip):
        if address is not None and canonical_address(address) is None:
            yield f"`{address}` is no IP address"


def _sni_faults(node: Node, request: Request) -> Iterator[str]:
    """SNI is "absent without TLS": with an identity there is TLS, and on ports that are declared as TLS; on opaque
    TCP and on undeclared ports there may be.
    """  # noqa: D205
    if request.sni == "":
        yield "an `sni` is a name, or it is not there"
    if request.sni is not None and not _LINE_BREAKS.isdisjoint(request.sni):
        yield "an `sni` has no line breaks"
    declared = declared_port(node, request.port)
    if request.sni is None or request.source.identity is not None or declared is None:
        return
    if declared.layer is Layer.HTTP and declared.protocol not in _TLS:
        yield f"port `{request.port}` of `{node.name}` has no TLS without an identity, so there is no `sni`"
