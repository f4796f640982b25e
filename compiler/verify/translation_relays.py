"""How externals are called through a gateway: by which name senders ask it, and what it does with what it lets through.

The gateway tells its externals apart by that name: with another one, a call is judged as one to something else. What it
then sends on must come to that external, as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.transport import LiftedClient
from meshproof.compiler.ir.entities import External, Gateway, Layer
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import And, Host, Predicate, Sni, Test
from meshproof.compiler.ir.routing import Branch, Settings, Target
from meshproof.compiler.verify.translation_gaps import Compared, Gap


def relay_gaps(about: Compared) -> Iterator[Gap]:
    """What differs in the names, for each external with `via` and each way in which it is sent to its gateway."""
    gateways = {gateway.name: gateway for gateway in about.source.gateways}
    for external in about.source.externals:
        gateway = None if external.via is None else gateways.get(external.via)
        if gateway is not None and {gateway.name, external.name} <= about.to_new.keys():
            ways = [*_sent(external, gateway, about)]
            for branch, target in ways:
                yield from _asked(external, gateway, branch, target, about)
            for at in dict.fromkeys(target.port for _, target in ways):
                yield from _sent_on(external, gateway, at, about)


def _sent(external: External, gateway: Gateway, about: Compared) -> Iterator[tuple[Branch, Target]]:
    name, emitted = about.to_new[external.name], about.to_new[gateway.name]
    for route in about.lifted.routes:
        for branch in route.branches if route.node == name else ():
            yield from ((branch, target) for target in branch.targets if target.node == emitted)


def _asked(external: External, gateway: Gateway, branch: Branch, target: Target, about: Compared) -> Iterator[Gap]:
    names = _names(branch.condition) or set(external.hosts)
    ports = {port.number for port in gateway.ports if port.workload == target.port}
    found = [one for one in about.transport.clients if _is_of(one, gateway, target, about) and one.number in ports]
    for sni in dict.fromkeys(one.sni for one in found):
        if sni not in names:
            asked = "by no name" if sni is None else f"as `{sni}`"
            yield Gap(
                is_looser=sni is not None,
                place=f"{external.name}",
                subject=str(external.name),
                emitted=f"has senders call {gateway.name} {asked}",
                policy=f"as {' or '.join(f'`{name}`' for name in sorted(names))}",
            )


def _sent_on(external: External, gateway: Gateway, at: int | None, about: Compared) -> Iterator[Gap]:
    """What the gateway does with calls of each of the external's names at the port where it takes them."""
    layer = Layer.TCP if all(port.layer is Layer.TCP for port in external.ports) else Layer.HTTP
    emitted, name = about.to_new[gateway.name], about.to_new[external.name]
    routes = [one for one in about.lifted.routes if one.node == emitted and one.is_at(at or 0, layer)]
    for host in external.hosts:
        found = next((one for route in routes for one in route.branches if _takes(one, host)), None)
        gap = Gap(
            is_looser=True,
            place=f"{external.name} behind {gateway.name}",
            subject=str(external.name),
            emitted=f"sends calls of `{host}` elsewhere, or not as they are",
            policy="sends them on as they are",
        )
        if found is None:
            yield replace(gap, is_looser=False, emitted=f"sends calls of `{host}` nowhere")
        elif [(one.node, one.port) for one in found.targets] != [(name, _dialled(external))] or _is_changing(found):
            yield gap


def _takes(branch: Branch, host: str) -> bool:
    """Whether it takes calls of the name: the first that does is the only one, where it asks for nothing besides."""
    names = _names(branch.condition)
    return not names or host in names


def _dialled(external: External) -> int:
    """The port at which it is called: what goes through a gateway has one."""
    return external.ports[0].number


def _is_changing(branch: Branch) -> bool:
    return branch.redirect is not None or branch.answer is not None or branch.settings != Settings()


def _is_of(client: LiftedClient, gateway: Gateway, target: Target, about: Compared) -> bool:
    return client.node == about.to_new[gateway.name] and client.version == target.version


def _names(condition: Predicate) -> set[str]:
    """The names that a branch is for, if it is for some alone."""
    match condition:
        case Test(Host() | Sni(), Exact(value=value)):
            return {value}
        case And(operands):
            return set().union(*map(_names, operands))
        case _:
            return set()
