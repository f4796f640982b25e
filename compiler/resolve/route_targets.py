"""Targets: versions of a service, or services behind a gateway. Whether a version exists is for a check to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.routing import Target
from meshproof.compiler.resolve.ports import find_port
from meshproof.compiler.resolve.scope import Kind

if TYPE_CHECKING:
    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.ir.names import Origin
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast import routes as ast

WHOLE = 100


def undivided(node: Node, origin: Origin) -> Target:
    """The whole traffic to the node, whatever version."""
    return Target(node.name, None, None, WHOLE, origin)


def resolve_targets(written: tuple[ast.Target, ...], node: Node, ctx: Context) -> tuple[Target, ...]:
    """The targets of a branch; one alone has all, and a share that is left out of several is none."""
    default = WHOLE if len(written) == 1 else 0
    found = [resolve_target(one, node, default, ctx) for one in written]
    return tuple(target for target in found if target is not None)


def resolve_target(written: ast.Target, node: Node, default: int, ctx: Context) -> Target | None:
    """A version of the node (its own name means any), or for a gateway `SERVICE:PORT`."""
    weight = default if written.weight is None else written.weight.value
    if not isinstance(node, Gateway):
        if written.port is not None:
            message = f"`{node.name}` is no gateway: its routes choose among its versions"
            ctx.findings.add("MP232", message, written.span, help="who calls a service sends the request to it")
            return None
        version = None if written.name.text == node.name else written.name.text
        return Target(node.name, version, None, weight, ctx.origin(written.span))
    if written.port is None:
        message = f"the gateway `{node.name}` sends to `SERVICE:PORT`, and `{written.name.text}` names no port"
        ctx.findings.add("MP232", message, written.span)
        return None
    return elsewhere(written, weight, ctx)


def elsewhere(written: ast.Target, weight: int, ctx: Context) -> Target | None:
    """`SERVICE:PORT`."""
    node = ctx.node_of_kind(written.name, Kind.SERVICE, Kind.EXTERNAL)
    if node is None or written.port is None:
        return None
    port = find_port(node, written.port, ctx)
    return None if port is None else Target(node.name, None, port.workload, weight, ctx.origin(written.span))


def resolve_mirror(written: ast.Target, node: Node, ctx: Context) -> Target | None:
    """Where copies go: a version of the node, or another `SERVICE:PORT`; the share is the mirror's."""
    if written.port is not None:
        return elsewhere(written, WHOLE, ctx)
    found = resolve_target(written, node, WHOLE, ctx)
    return None if found is None else Target(found.node, found.version, found.port, WHOLE, found.origin)
