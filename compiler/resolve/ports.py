"""Ports: how they are declared and how they are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Layer, Protocol, Service, ServicePort
from meshproof.compiler.resolve.scope import Kind
from meshproof.dsl.ast.values import Name
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.declarations import Port
    from meshproof.dsl.ast.values import NumberValue, PortRef

_HIGHEST = 65535
_CALLED_AS_PROTOCOL = "a port without a name has that of its protocol: write `port NAME PROTOCOL NUMBER`"
_CLEAR = (Protocol.HTTP, Protocol.TCP)


def resolve_ports(declared: Iterable[Port], kind: Kind, ctx: Context) -> tuple[ServicePort, ...]:
    """The ports of a service, gateway or external by workload number, without those that cannot be."""
    ports: list[ServicePort] = []
    for written in declared:
        port = _resolve(written, kind, ctx)
        if port is None:
            continue
        clash = next((other for other in ports if _same(other, port)), None)
        if clash is None:
            ports.append(port)
            continue
        what = _same(clash, port)
        ctx.findings.add(
            "MP212",
            f"two ports have the {what}",
            written.span,
            labels=(Label(clash.origin.span, "the first one"),),
            help=_CALLED_AS_PROTOCOL if clash.name == port.name else "each port has numbers of its own",
        )
    return tuple(sorted(ports, key=lambda port: port.workload))


def _same(one: ServicePort, other: ServicePort) -> str:
    """What two ports have in common that would make them one; empty if nothing."""
    if one.name == other.name:
        return f"name `{one.name}`"
    if one.workload == other.workload:
        return f"workload number {one.workload}"
    return f"number {one.number} that callers dial" if one.number == other.number else ""


def _resolve(written: Port, kind: Kind, ctx: Context) -> ServicePort | None:
    number = _number(written.number, ctx)
    workload = number if written.workload is None else _number(written.workload, ctx)
    if number is None or workload is None:
        return None
    protocol = Protocol(written.protocol.value)
    if written.originate is not None and protocol in _CLEAR:
        ctx.findings.add(
            "MP212",
            f"`originate` starts TLS, and a port that speaks {protocol.value} has none",
            written.originate.span,
            help="name the protocol that the outside speaks, such as `https`",
        )
    if written.passthrough is not None and protocol not in (Protocol.HTTPS, Protocol.TLS):
        ctx.findings.add(
            "MP212", f"`passthrough` hands TLS on, and {protocol.value} has none", written.passthrough.span
        )
    return ServicePort(
        name=protocol.value if written.name is None else written.name.text,
        protocol=protocol,
        layer=_layer(written, protocol, kind),
        number=number,
        workload=workload,
        origin=ctx.origin(written.span),
        is_passthrough=written.passthrough is not None,
        is_originated=written.originate is not None,
    )


def _number(written: NumberValue, ctx: Context) -> int | None:
    number = ctx.values.number(written)
    if number is not None and not 1 <= number <= _HIGHEST:
        ctx.findings.add("MP212", f"{number} is no port number: they go from 1 to {_HIGHEST}", written.span)
        return None
    return number


def _layer(written: Port, protocol: Protocol, kind: Kind) -> Layer:
    """What the judging proxy sees: https is HTTP where that proxy ends or starts the TLS, else an opaque connection."""
    if protocol in (Protocol.TCP, Protocol.TLS) or written.passthrough is not None:
        return Layer.TCP
    if protocol is not Protocol.HTTPS:
        return Layer.HTTP
    is_seen = kind is Kind.GATEWAY or (kind is Kind.EXTERNAL and written.originate is not None)
    return Layer.HTTP if is_seen else Layer.TCP


def matching_ports(node: Node, wanted: str | int) -> tuple[ServicePort, ...]:
    """The port of that name, or with that workload number."""
    return tuple(port for port in node.ports if wanted in (port.name, port.workload))


def is_unseen(node: Node, ctx: Context) -> bool:
    """Whether it may listen on ports that nothing shows: policies of others select it, and no file has its Service."""
    return isinstance(node, Service) and node.name in ctx.unseen_ports and not node.ports


def find_port(node: Node, written: PortRef, ctx: Context) -> ServicePort | None:
    """The port of a node by its name or the workload's number; if it has none such, that is a finding."""
    wanted = written.text if isinstance(written, Name) else ctx.values.scalar(written)
    if wanted is None:
        return None
    found = matching_ports(node, wanted)
    if found:
        return found[0]
    if is_unseen(node, ctx) and isinstance(wanted, int) and 1 <= wanted <= _HIGHEST:
        return ServicePort(str(wanted), Protocol.TCP, Layer.SNIFFED, wanted, wanted, node.origin)
    ctx.findings.add(
        "MP211",
        f"`{node.name}` has no port `{wanted}`",
        written.span,
        labels=(Label(node.origin.span, "it is declared here"),),
        help=port_help(wanted, (node,), ctx),
    )
    return None


def port_help(wanted: str | int, nodes: Iterable[Node], ctx: Context) -> str | None:
    """What may have been meant by a port that does not exist."""
    ports = [port for node in nodes for port in node.ports]
    if isinstance(wanted, str):
        close = ctx.findings.did_you_mean(wanted, (port.name for port in ports))
        names = sorted({port.name for port in ports})
        return close or ("its ports: " + ", ".join(f"`{name}`" for name in names) if names else "it has no port")
    dialled = next((port for port in ports if port.number == wanted), None)
    if dialled is not None:
        return f"callers dial {wanted}, but here the workload's port is meant: `{dialled.workload}` or `{dialled.name}`"
    numbers = sorted({port.workload for port in ports})
    return "its ports: " + ", ".join(f"`{number}`" for number in numbers) if numbers else "it has no port"
