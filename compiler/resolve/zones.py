"""Zones: names for sets, those of the policy and those that a used file asks for."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Zone
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.resolve.callers import depth
from meshproof.compiler.resolve.destinations import port_sets
from meshproof.compiler.resolve.sets import MEMBERS, as_source_set, callers
from meshproof.compiler.resolve.written import written_set
from meshproof.dsl.ast.sets import Named
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.visitor import walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.sets import SetExpression
    from meshproof.dsl.source import Span

MOST_DEPTH = 100
"""What zones in zones may come to; everything behind this walks predicates by recursion."""


@dataclass(frozen=True, slots=True)
class WrittenZone:
    """A zone before it is resolved. `file` is the one that asks for it; empty for a zone of the policy.

    `chain` are the uses that bind it.
    """

    name: str
    members: SetExpression
    at: Span
    file: str = ""
    purpose: str | None = None
    chain: tuple[Span, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """By what other zones find it."""
        return (self.file, self.name)


def resolve_zones(written: Iterable[WrittenZone], ctx: Context) -> None:
    """Put every zone into the context, those it rests on first; zones in a circle are findings and are left out."""
    zones = {zone.key: zone for zone in written}
    graph = {key: _rests_on(zone, zones, ctx) for key, zone in zones.items()}
    for key in _in_order(graph, zones, ctx):
        _resolve(zones[key], ctx)


def _rests_on(
    zone: WrittenZone, zones: dict[tuple[str, str], WrittenZone], ctx: Context
) -> tuple[tuple[str, str], ...]:
    names = [node.name for node in walk(zone.members) if isinstance(node, Named)]
    keys = ((name.span.file if ctx.scope.is_parameter(name) else "", name.text) for name in names)
    return tuple(dict.fromkeys(key for key in keys if key in zones))


def _in_order(
    graph: dict[tuple[str, str], tuple[tuple[str, str], ...]],
    zones: dict[tuple[str, str], WrittenZone],
    ctx: Context,
) -> tuple[tuple[str, str], ...]:
    graph = dict(graph)
    while True:
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = _from_smallest(tuple(error.args[1][:-1]))
            _report_circle([zones[key] for key in circle], ctx)
            for key in circle:
                del graph[key]
            graph = {key: tuple(on for on in below if on in graph) for key, below in graph.items()}


def _from_smallest(circle: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The same circle from its first name on, so that the order of files does not matter."""
    start = circle.index(min(circle))
    return circle[start:] + circle[:start]


def _report_circle(circle: list[WrittenZone], ctx: Context) -> None:
    names = " contains ".join(f"`{zone.name}`" for zone in [*reversed(circle[1:]), circle[0]])
    ctx.findings.add(
        "MP215",
        f"zones contain each other: `{circle[0].name}` contains {names}",
        circle[0].at,
        labels=tuple(Label(zone.at, "and this one") for zone in circle[1:]),
    )


def _resolve(zone: WrittenZone, ctx: Context) -> None:
    found = callers(zone.members, ctx, MEMBERS)
    places = port_sets(zone.members, ctx)
    if found is None or places is None:
        return
    if depth(found.matches) > MOST_DEPTH:
        message = f"zones are nested too deeply in `{zone.name}`"
        ctx.findings.add("MP215", message, zone.at, help="write out what some of them hold")
        return
    resolved = Zone(
        name=zone.name,
        sources=as_source_set(found, written_set(zone.members), ctx.directory),
        destinations=tuple(sorted(places)),
        origin=Origin(zone.at, zone.chain),
        purpose=zone.purpose,
    )
    if zone.file:
        ctx.parameters[zone.key] = resolved
    else:
        ctx.zones[zone.name] = resolved
