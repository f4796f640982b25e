"""Which senders share what their proxies do: those who agree in all that the rules of a table ask of a sender."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.targets.istio.lift.destinations import Destinations
from meshproof.targets.istio.lift.route_model import RouteTable, Sending
from meshproof.targets.istio.lift.senders import Sender


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rules of a table ask of senders: who they are, if some match does, and what each has for these."""

    is_for_some: bool
    sendings: tuple[Sending, ...]


class Bearings:
    """Tells what of a sender bears on the branches that `Branches` makes of tables for it.

    Objects stand for themselves by `id`: hosts are those of the registry, policies those that the rules keep, and
    tables are kept here.
    """

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._asked: dict[int, tuple[RouteTable, _Asked]] = {}

    def of(self, tables: tuple[RouteTable, ...], sender: Sender) -> tuple[object, ...]:
        """Equal for two senders only if the same branches are made of the tables for both, whatever was dialled."""
        found: list[object] = []
        for table in tables:
            asked = self._asked_by(table)
            found.append(id(table))
            if asked.is_for_some:
                found.extend((sender.namespace, sender.labels))
            found.extend(self._destinations.bearing(one, sender) for one in asked.sendings)
        return tuple(found)

    def _asked_by(self, table: RouteTable) -> _Asked:
        if id(table) not in self._asked:
            self._asked[id(table)] = (table, _asked_by(table))
        return self._asked[id(table)][1]


def _asked_by(table: RouteTable) -> _Asked:
    rules = (*table.http, *table.opaque_tls, *table.tcp)
    sendings = (one for rule in rules for one in (*rule.sendings, *(copy.sending for copy in rule.copies)))
    return _Asked(
        is_for_some=any(match.asks_for_sender for rule in rules for match in rule.matches),
        sendings=tuple({(one.host, one.subset is None): one for one in sendings if one.status is None}.values()),
    )
