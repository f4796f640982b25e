"""The ports of a set of destinations by what the judging proxy sees on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Destination

if TYPE_CHECKING:
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.sets import SetExpression


@dataclass(frozen=True, slots=True)
class Layered:
    """Destinations with all their ports, with their HTTP ports alone, and with the others alone; none without ports."""

    ported: tuple[Destination, ...]
    http: tuple[Destination, ...]
    tcp: tuple[Destination, ...]


def layered_ports(written: SetExpression, places: tuple[Destination, ...], ctx: Context) -> Layered:
    """The destinations `places` of a written set, divided; once for each set, since many rules name the same ones."""
    key = ctx.set_key(written)
    known = ctx.layered.get(key)
    if known is None:
        known = ctx.layered[key] = _divided(places, ctx)
    return known


def _divided(places: tuple[Destination, ...], ctx: Context) -> Layered:
    http: list[Destination] = []
    tcp: list[Destination] = []
    for place in places:
        ports = place.ports or ()
        opaque = ctx.directory.opaque[place.node]
        seen = tuple(port for port in ports if port not in opaque)
        unseen = tuple(port for port in ports if port in opaque)
        if seen:
            http.append(place if not unseen else Destination(place.node, seen))
        if unseen:
            tcp.append(place if not seen else Destination(place.node, unseen))
    return Layered(tuple(place for place in places if place.ports), tuple(http), tuple(tcp))
