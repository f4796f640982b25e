"""One rule at one workload, as the `rules` of an AuthorizationPolicy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.matchers import Exact, Matcher, Present
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    ClientIp,
    Method,
    Never,
    Not,
    Or,
    Path,
    Port,
    Predicate,
    SourceIdentity,
    Test,
    attributes_of,
    conjunction,
    disjunction,
    negation,
)
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.clauses import Clause, Literal, clauses, join
from meshproof.targets.istio.identities import ANYONE, Domains, sources_of
from meshproof.targets.istio.meets import takes
from meshproof.targets.istio.merge import merged
from meshproof.targets.istio.model import Operation, PolicyRule, Source
from meshproof.targets.istio.requests import OPERATION_ATTRIBUTES, TOKEN_ATTRIBUTES, Shape, conditions, operation
from meshproof.targets.istio.speaker import Speaker
from meshproof.targets.istio.workloads import Judgement, Workload, ports_of_layer

NO_IDENTITY = Not(Test(SourceIdentity(), Present()))


@dataclass(frozen=True, slots=True)
class Bench:
    """Where rules are lowered for. `gateways` are those of the mesh."""

    node: Workload
    domains: Domains
    gateways: tuple[Gateway, ...] = ()


def policy_rules(judgement: Judgement, bench: Bench, shape: Shape) -> tuple[PolicyRule, ...]:
    """The rules of which some matches exactly if the judged rule does, or as far as `shape.speaker` has been told.

    Raises `NotExpressibleError`.
    """
    rule = judgement.rule
    _refuse_client_address(rule.when, judgement, bench)
    starts = [_clause_of(methods=one.methods, path=one.path) for one in rule.operations] or [()]
    found: list[PolicyRule] = []
    for ports, when in _by_port(judgement, bench):
        for clause in clauses(when):
            whole = join(judgement.narrowed, clause)
            request, rest, sources = _split(whole, judgement, bench, shape)
            if not sources:
                continue
            for some, is_http in _by_layer(ports, judgement, bench, shape):
                closed = replace(shape, is_closed=shape.is_closed and is_http)
                written = (operation(join(start, request), some, closed) for start in starts)
                if blocks := merged(block for block in written if block is not None):
                    found.append(PolicyRule(_as_written(sources), blocks, conditions(rest, shape)))
    return tuple(_joined(found))


def _by_layer(
    ports: tuple[int, ...], judgement: Judgement, bench: Bench, shape: Shape
) -> list[tuple[tuple[int, ...], bool]]:
    """The ports, and whether they speak HTTP: where paths are closed, connections must not be asked for a path."""
    if not shape.is_closed:
        return [(ports, True)]
    opaque = ports if judgement.is_opaque else ports_of_layer(bench.node, Layer.TCP)
    parts = ((tuple(port for port in ports if (port in opaque) is not is_http), is_http) for is_http in (True, False))
    return [(some, is_http) for some, is_http in parts if some]


def _as_written(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    return () if sources == (ANYONE,) else sources


def _clause_of(methods: tuple[str, ...], path: Matcher | None) -> Clause:
    found: list[Literal] = []
    if methods:
        found.append(Literal(Method(), tuple(Exact(method) for method in methods)))
    if path is not None:
        found.append(Literal(Path(), (path,)))
    return tuple(found)


def _by_port(judgement: Judgement, bench: Bench) -> list[tuple[tuple[int, ...], Predicate]]:
    """The ports, together where the condition is the same once the port and the absence of tokens are put in."""
    found: dict[Predicate, list[int]] = {}
    for port in judgement.ports:
        # A gateway that looks at tokens looks at those of whoever goes through it: the external accepts none.
        has_tokens = bool(bench.node.accepts) and not judgement.is_relayed
        called = port if judgement.called is None else judgement.called
        when = _specialised(judgement.rule.when, called, has_tokens=has_tokens)
        found.setdefault(when, []).append(port)
    return [(tuple(ports), when) for when, ports in found.items()]


def _specialised(predicate: Predicate, port: int, *, has_tokens: bool) -> Predicate:
    match predicate:
        case Test(Port(), matcher):
            return Always() if takes((matcher,), str(port)) else Never()
        case Test(attribute, _) if isinstance(attribute, TOKEN_ATTRIBUTES) and not has_tokens:
            return Never()
        case Not(operand):
            return negation(_specialised(operand, port, has_tokens=has_tokens))
        case And(operands):
            return conjunction(tuple(_specialised(one, port, has_tokens=has_tokens) for one in operands))
        case Or(operands):
            return disjunction(tuple(_specialised(one, port, has_tokens=has_tokens) for one in operands))
        case _:
            return predicate


def _split(
    clause: Clause, judgement: Judgement, bench: Bench, shape: Shape
) -> tuple[Clause, Clause, tuple[Source, ...]]:
    """The literals for `to`, those for `when`, and the sources for `from`."""
    request = tuple(one for one in clause if isinstance(one.attribute, OPERATION_ATTRIBUTES))
    identity = tuple(one for one in clause if isinstance(one.attribute, SourceIdentity))
    rest = tuple(one for one in clause if one not in request and one not in identity)
    callers = conjunction((_callers(judgement, bench), *(_predicate(one) for one in identity)))
    sources = _sources(callers, judgement, bench, shape.speaker)
    if shape.speaker.effect is not Effect.ASK:
        return request, rest, sources
    visible = tuple(one for one in rest if not isinstance(one.attribute, TOKEN_ATTRIBUTES))
    if visible != rest or sources not in {(), (ANYONE,)}:
        message = "Istio asks before it looks at source and token, so every request that could match is asked"
        # Of callers that are no gateways the policy knows no client, and the proxy takes some address for it.
        known = (one for one in (*request, *visible) if not isinstance(one.attribute, ClientIp))
        region = conjunction(tuple(map(_predicate, known)))
        shape.speaker.widened(Feature.ASK_BY_IDENTITY, message, is_positive=True, region=region)
    return request, visible, (ANYONE,) if sources else ()


def _predicate(literal: Literal) -> Predicate:
    some = disjunction(tuple(Test(literal.attribute, matcher) for matcher in literal.matchers))
    return some if literal.is_positive else negation(some)


def _callers(judgement: Judgement, bench: Bench) -> Predicate:
    sources = judgement.rule.sources
    if sources.has_internet and isinstance(bench.node, Gateway):
        return disjunction((sources.matches, NO_IDENTITY))
    return sources.matches


def _sources(callers: Predicate, judgement: Judgement, bench: Bench, speaker: Speaker) -> tuple[Source, ...]:
    found = sources_of(callers, bench.domains)
    if not isinstance(bench.node, Gateway) or judgement.is_relayed or found == (ANYONE,):
        return found
    seen = tuple(_at_edge(one, bench.node, bench.domains) for one in found)
    if speaker.effect is not Effect.ALLOW:
        return seen
    anonymous = tuple(one for one in seen if not one.principals)
    if len(anonymous) < len(found):
        message = "a gateway sees no identities, so callers with one are not let in by it"
        region = Test(SourceIdentity(), Present())
        speaker.narrowed(Feature.IDENTITY_SOURCE, message, is_positive=True, region=region)
    return anonymous


def _at_edge(source: Source, gateway: Gateway, domains: Domains) -> Source:
    """Clients that show a certificate of `client-ca` have no identity of ours, but are some principal to Istio."""
    if gateway.client_ca is None:
        return source
    ours = tuple(f"{domain}/*" for domain in domains.trusted)
    return Source(
        principals=ours if source.principals == ("*",) else source.principals,
        not_principals=ours if source.not_principals == ("*",) else source.not_principals,
    )


def _refuse_client_address(when: Predicate, judgement: Judgement, bench: Bench) -> None:
    """`remote.ip` is the last address that the sender appended: what the gateway saw, without proxies before it."""
    if ClientIp() not in attributes_of(when):
        return
    if set(judgement.ports) & ports_of_layer(bench.node, Layer.TCP):
        raise NotExpressibleError(
            Feature.CLIENT_ADDRESS,
            "on TCP a gateway does not say which client it connects for",
            "name the ports that speak HTTP",
        )
    edges = {gateway.name: gateway for gateway in bench.gateways}
    for name in (*judgement.rule.sources.members, *judgement.rule.sources.shared):
        if name not in edges:
            raise NotExpressibleError(
                Feature.CLIENT_ADDRESS,
                f"`{name}` is no gateway, and could write any client address that it likes",
                "let gateways alone be the sources of a rule that reads `client.ip`",
            )
        if edges[name].trusted_proxies:
            raise NotExpressibleError(
                Feature.CLIENT_ADDRESS,
                f"behind `{name}`, which trusts {edges[name].trusted_proxies} proxies before it, a sidecar sees the "
                "address of the last of those",
                "judge by `source.ip` at the gateway, or take the proxies before it away",
            )


def _joined(rules: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Rules that differ in their operations alone become one.

    But not what asks for fields of HTTP with what does not: of connections such an allow would take none at all.
    """
    found: dict[tuple[object, ...], PolicyRule] = {}
    for rule in rules:
        is_http = any(replace(one, ports=()) != Operation() for one in rule.operations)
        key = (rule.sources, rule.conditions, is_http)
        known = found.get(key)
        operations: tuple[Operation, ...] = (*known.operations, *rule.operations) if known else rule.operations
        found[key] = PolicyRule(rule.sources, merged(operations), rule.conditions)
    return list(found.values())
