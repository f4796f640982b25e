"""Sets as destinations: nodes and the workload ports of them that are meant (language reference, "Sets")."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from meshproof.compiler.ir.entities import Destination, Service
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.resolve.members import domain_of, in_namespace, tagged
from meshproof.compiler.resolve.ports import find_port, matching_ports, port_help
from meshproof.compiler.resolve.scope import NODES, Kind
from meshproof.compiler.resolve.sets import callers
from meshproof.dsl.ast.sets import (
    AllServices,
    Anyone,
    AtPort,
    Authenticated,
    Braces,
    Except,
    Identity,
    Internet,
    Intersection,
    Named,
    NamespaceSet,
    Plaintext,
    Tagged,
    Union,
)
from meshproof.dsl.ast.values import Name
from meshproof.dsl.format.words import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.sets import PrimarySet, SetExpression
    from meshproof.dsl.ast.values import PortRef

PortSets: TypeAlias = dict[NodeName, frozenset[int]]
"""Workload ports by node; a node without ports is a member of a set nevertheless."""

_DESTINATIONS = NODES | {Kind.ZONE}


def destinations(written: SetExpression, ctx: Context) -> tuple[Destination, ...] | None:
    """The destinations that the set means, sorted by name, those without ports too; None where it cannot be read."""
    key = ctx.set_key(written)
    known = ctx.destination_sets.get(key)
    if known is not None:
        return known
    before = ctx.findings.count
    found = port_sets(written, ctx)
    if found is None:
        return None
    made = tuple(_destination(name, found[name], ctx) for name in sorted(found))
    if ctx.findings.count == before:
        ctx.destination_sets[key] = made
    return made


def _destination(name: NodeName, ports: frozenset[int], ctx: Context) -> Destination:
    """The ports that are meant; every port where they are all that there are in foreign files."""
    is_whole = name in ctx.unseen_ports and ports == _every_port(name, ctx)
    return Destination(name, None if is_whole else tuple(sorted(ports)))


def _every_port(name: NodeName, ctx: Context) -> frozenset[int]:
    return ctx.directory.ports[name] | ctx.unseen_ports.get(name, frozenset())


def port_sets(written: SetExpression, ctx: Context) -> PortSets | None:
    """The same as a table."""
    match written:
        case Named():
            return _named(written, ctx)
        case NamespaceSet():
            domain = domain_of(written, ctx)
            return None if domain is None else _services(in_namespace(written.namespace.text, domain, ctx), ctx)
        case Tagged(tag):
            names = tagged(tag, ctx)
            return None if names is None else _whole(names, ctx)
        case AllServices():
            return _whole(ctx.directory.services, ctx)
        case Identity() | Authenticated() | Plaintext() | Anyone() | Internet():
            found = callers(written, ctx)
            return None if found is None else _services(found.members, ctx)
        case Braces(items):
            return _union(items, ctx)
        case Union(operands):
            return _union(operands, ctx)
        case Intersection(operands):
            return _intersection(operands, ctx)
        case Except(base, removed):
            return _difference(base, removed, ctx)
        case AtPort(base, port):
            return _at_port(base, port, ctx)
        case _ as never:
            assert_never(never)


def _whole(names: Iterable[NodeName], ctx: Context) -> PortSets:
    return {name: _every_port(name, ctx) for name in names}


def _services(names: Iterable[NodeName], ctx: Context) -> PortSets:
    return _whole((name for name in names if isinstance(ctx.directory.nodes[name], Service)), ctx)


def _named(written: Named, ctx: Context) -> PortSets | None:
    name = written.name
    if ctx.scope.is_parameter(name):
        bound = ctx.parameters.get((name.span.file, name.text))
        return None if bound is None else _whole(bound.destinations, ctx)
    found = ctx.scope.find(name, _DESTINATIONS, ctx.findings)
    if found is None:
        return None
    if found.kind is not Kind.ZONE:
        return _whole((NodeName(name.text),), ctx) if NodeName(name.text) in ctx.directory.nodes else None
    zone = ctx.zones.get(name.text)
    return None if zone is None else _whole(zone.destinations, ctx)


def _all(items: Iterable[SetExpression], ctx: Context) -> list[PortSets] | None:
    found = [port_sets(item, ctx) for item in items]
    read = [one for one in found if one is not None]
    return read if len(read) == len(found) else None


def _union(items: Iterable[SetExpression], ctx: Context) -> PortSets | None:
    found = _all(items, ctx)
    if found is None:
        return None
    joined: PortSets = {}
    for one in found:
        for name, ports in one.items():
            joined[name] = joined[name] | ports if name in joined else ports
    return joined


def _intersection(items: Iterable[SetExpression], ctx: Context) -> PortSets | None:
    found = _all(items, ctx)
    if found is None:
        return None
    first, *rest = found
    common = {
        name: ports.intersection(*(other[name] for other in rest))
        for name, ports in first.items()
        if all(name in other for other in rest)
    }
    return {name: ports for name, ports in common.items() if ports or not first[name]}


def _difference(base: SetExpression, removed: SetExpression, ctx: Context) -> PortSets | None:
    found = _all((base, removed), ctx)
    if found is None:
        return None
    kept, out = found
    left = {name: ports - out.get(name, frozenset()) for name, ports in kept.items()}
    return {name: ports for name, ports in left.items() if ports or name not in out}


def _at_port(base: PrimarySet, port: PortRef, ctx: Context) -> PortSets | None:
    found = port_sets(base, ctx)
    if found is None:
        return None
    if isinstance(base, Named) and not ctx.scope.is_parameter(base.name) and NodeName(base.name.text) in found:
        name = NodeName(base.name.text)
        one = find_port(ctx.directory.nodes[name], port, ctx)
        return None if one is None else {name: frozenset((one.workload,))}
    wanted = port.text if isinstance(port, Name) else ctx.values.scalar(port)
    if wanted is None:
        return None
    chosen = {
        name: frozenset(one.workload for one in matching_ports(ctx.directory.nodes[name], wanted)) & ports
        for name, ports in found.items()
    }
    chosen = {name: ports for name, ports in chosen.items() if ports}
    if found and not chosen:
        members = [ctx.directory.nodes[name] for name in found]
        ctx.findings.add(
            "MP211",
            f"no member of the set has a port `{scalar(port)}`",
            port.span,
            help=port_help(wanted, members, ctx),
        )
        return None
    return chosen
