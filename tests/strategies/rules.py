"""Random authorization rules, of the shape that resolve gives them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.strategies import vocabulary as words
from tests.strategies.entities import some
from tests.strategies.predicates import Scope, origin, random_predicate
from tests.strategies.sources import gateway_sources, random_sources

from meshproof.compiler.ir.authz import AuthzRule, Effect, Operation
from meshproof.compiler.ir.entities import Authorizer, Destination, Gateway, Layer, Node, Service
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.names import AuthorizerName, RuleId
from meshproof.compiler.ir.predicate import Always, ClientIp, Predicate, attributes_of, negation, reads_http

_EFFECTS = (Effect.ALLOW,) * 6 + (Effect.DENY,) * 3 + (Effect.ASK,)


def random_rule(
    rng: Random, name: str, nodes: tuple[Node, ...], authorizers: tuple[Authorizer, ...], *, is_lifted: bool
) -> AuthzRule:
    """A rule whose destinations have ports that it can speak of, and whose sources may come there."""
    callers = tuple(node for node in nodes if isinstance(node, Service | Gateway))
    effect = rng.choice(_EFFECTS)
    destinations = _destinations(rng, nodes, is_every_port=is_lifted or effect is not Effect.ALLOW)
    is_at_gateways = all(isinstance(node, Gateway) for node in nodes if node.name in {d.node for d in destinations})
    rule = AuthzRule(
        id=RuleId(name),
        effect=effect,
        sources=random_sources(rng, callers, may_be_internet=is_at_gateways),
        destinations=destinations,
        operations=_operations(rng),
        when=_when(rng, is_lifted=is_lifted),
        origin=origin(),
        authorizer=_asked(rng, authorizers, is_lifted=is_lifted) if effect is Effect.ASK else None,
        is_enforced=effect is Effect.ASK or rng.random() < 0.93,
        because="it is random",
        owner="team",
        until=rng.choice((None, None, None, *words.UNTILS)),
        tags=("guardrail",) if effect is Effect.DENY and rng.random() < 0.2 else (),
        layer=rng.choice((None, None, Layer.HTTP, Layer.TCP)) if is_lifted else None,
    )
    return _of_gateways(rng, rule, callers) if is_lifted else _speaking(_of_gateways(rng, rule, callers), nodes)


def _asked(rng: Random, authorizers: tuple[Authorizer, ...], *, is_lifted: bool) -> AuthorizerName | None:
    """Whom a rule asks; in lifted files perhaps somebody whom nobody configured."""
    return None if is_lifted and rng.random() < 0.2 else rng.choice(authorizers).name


def _destinations(rng: Random, nodes: tuple[Node, ...], *, is_every_port: bool) -> tuple[Destination, ...]:
    listening = tuple(node for node in nodes if node.ports)
    chosen = some(rng, listening, most=2) or (rng.choice(listening),)
    return tuple(_destination(rng, node, is_every_port=is_every_port) for node in sorted(chosen, key=lambda n: n.name))


def _destination(rng: Random, node: Node, *, is_every_port: bool) -> Destination:
    ports = tuple(sorted(port.workload for port in node.ports))
    if is_every_port and rng.random() < 0.2:
        return Destination(node.name, None)
    return Destination(node.name, ports if rng.random() < 0.5 else (rng.choice(ports),))


def _operations(rng: Random) -> tuple[Operation, ...]:
    if rng.random() < 0.35:
        return ()
    return tuple(
        Operation(
            methods=some(rng, words.METHODS, most=2),
            path=Segments(words.path_pattern(rng)),
            origin=origin(index),
        )
        for index in range(rng.randint(1, 3))
    )


def _when(rng: Random, *, is_lifted: bool) -> Predicate:
    if rng.random() < 0.45:
        return Always()
    scope = Scope(has_http=rng.random() < 0.85, has_client_ip=rng.random() < 0.3, is_lifted=is_lifted)
    predicate = random_predicate(rng, scope, depth=rng.choice((0, 1, 2)))
    return negation(predicate) if rng.random() < 0.25 else predicate


def _of_gateways(rng: Random, rule: AuthzRule, callers: tuple[Service | Gateway, ...]) -> AuthzRule:
    """A rule that reads `client.ip` has gateways alone as sources; without gateways it reads nothing."""
    if ClientIp() not in attributes_of(rule.when):
        return rule
    sources = gateway_sources(rng, callers)
    return replace(rule, when=Always()) if sources is None else replace(rule, sources=sources)


def _speaking(rule: AuthzRule, nodes: tuple[Node, ...]) -> AuthzRule:
    """The rule without the ports that it cannot speak of; if none is left, one that speaks of them all."""
    if not (rule.operations or reads_http(rule.when)):
        return rule
    named = {node.name: node for node in nodes}
    kept: list[Destination] = []
    skipped: list[Destination] = []
    for destination in rule.destinations:
        for is_http, found in ((True, kept), (False, skipped)):
            ports = tuple(
                sorted(
                    port.workload
                    for port in named[destination.node].ports
                    if (port.layer is Layer.HTTP) is is_http
                    and (destination.ports is None or port.workload in destination.ports)
                )
            )
            if ports:
                found.append(Destination(destination.node, ports))
    if not kept:
        return replace(rule, operations=(), when=Always())
    return replace(rule, destinations=tuple(kept), skipped=tuple(skipped))
