"""Rules: who may call what (language reference, "Rules")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Gateway
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import Or, SourceIdentity, Test, conjunction, negation
from meshproof.compiler.resolve.callers import takes
from meshproof.compiler.resolve.conditions import attributes_in, condition, is_reading_http
from meshproof.compiler.resolve.destinations import destinations
from meshproof.compiler.resolve.layers import Layered, layered_ports
from meshproof.compiler.resolve.operations import resolve_operation
from meshproof.compiler.resolve.ports import find_port
from meshproof.compiler.resolve.reasons import because, owner, until
from meshproof.compiler.resolve.sets import source_set
from meshproof.compiler.resolve.written import written_set
from meshproof.dsl.ast.expressions import Field, FieldAttribute
from meshproof.dsl.ast.sets import AtPort, Braces, Except, Intersection, Named, Union
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.format.words import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshproof.compiler.ir.entities import Authorizer, SourceSet
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.placement import Placement
    from meshproof.dsl.ast.rules import Rule
    from meshproof.dsl.ast.sets import SetExpression


def resolve_rules(written: Iterable[Rule], placement: Placement, ctx: Context) -> dict[str, AuthzRule]:
    """The rules by name; of two with one name the first counts, and the second is a finding."""
    rules: dict[str, AuthzRule] = {}
    places: dict[str, Rule] = {}
    for one in written:
        rule = resolve_rule(one, ctx)
        if rule is None:
            continue
        first = places.setdefault(rule.id, one)
        if first is not one:
            _report_second(rule.id, one, first, ctx)
            continue
        rules[rule.id] = rule
        if rule.effect is not Effect.DENY:
            placement.check(f"the rule `{rule.id}`", one.span, (place.node for place in rule.destinations))
    return rules


def _report_second(name: str, second: Rule, first: Rule, ctx: Context) -> None:
    ctx.findings.add(
        "MP202",
        f"two rules are named `{name}`",
        (second.name or second).span,
        "the second rule",
        labels=(Label((first.name or first).span, "the first one"),),
        help="call one of them something else" if second.name else "write a name before the sources: `allow NAME: …`",
    )


def resolve_rule(written: Rule, ctx: Context) -> AuthzRule | None:
    """The rule; None if it cannot be read, and why is among the findings."""
    name = rule_name(written, ctx)
    sources = source_set(written.sources, ctx)
    places = destinations(written.destinations, ctx)
    when = tuple(condition(one, ctx) for one in written.when)
    unless = tuple(negation(condition(one, ctx)) for one in written.unless)
    authorizer = _authorizer(written, ctx)
    if sources is None or places is None or name is None:
        return None
    _check_client_ip(written, sources, ctx)
    spoken, skipped = _spoken_of(written, places, ctx)
    check_internet(sources, spoken, written.sources, ctx)
    reasons = written.reasons
    return AuthzRule(
        id=RuleId(name),
        effect=Effect(written.effect.value),
        sources=sources,
        destinations=spoken,
        operations=tuple(resolve_operation(operation) for operation in written.operations),
        when=conjunction((*when, *unless)),
        origin=ctx.origin(written.span),
        authorizer=None if authorizer is None else authorizer.name,
        is_enforced=written.audit is None,
        because=because(reasons),
        owner=owner(reasons),
        until=until(reasons),
        tags=tuple(sorted({tag.text for tag in written.tags})),
        skipped=skipped,
    )


def rule_name(written: Rule, ctx: Context) -> str | None:
    """The name as written, else `source-to-destination[-port]` where both are single names; else a finding."""
    if written.name is not None:
        return written.name.text
    source, destination = written.sources, written.destinations
    target = destination.base if isinstance(destination, AtPort) else destination
    if isinstance(source, Named) and isinstance(target, Named):
        port = f"-{scalar(destination.port)}" if isinstance(destination, AtPort) else ""
        return f"{source.name.text}-to-{target.name.text}{port}"
    ctx.findings.add(
        "MP216",
        "this rule needs a name: its sources and destinations are not both single names",
        written.span,
        help=f"write `{written.effect.value} NAME: {written_set(source)} -> {written_set(destination)}`",
    )
    return None


def _authorizer(written: Rule, ctx: Context) -> Authorizer | None:
    is_asking = written.effect.value == Effect.ASK.value
    if written.via is None:
        if is_asking:
            ctx.findings.add("MP230", "an `ask` says whom to ask", written.span, help="write `via AUTHORIZER`")
        return None
    if not is_asking:
        ctx.findings.add(
            "MP230",
            f"`via` is for `ask`, and this rule is an `{written.effect.value}`",
            written.via.span,
            help="write a rule of its own: `ask NAME: … { … via AUTHORIZER }`",
        )
    return ctx.authorizer(written.via)


def check_internet(sources: SourceSet, places: tuple[Destination, ...], written: SetExpression, ctx: Context) -> None:
    """`internet` stands before gateways alone; `plaintext` and `anyone` may stand before everything."""
    if not sources.has_internet or takes(sources.matches, None):
        return
    inside = next((place.node for place in places if not isinstance(ctx.directory.nodes[place.node], Gateway)), None)
    if inside is not None:
        ctx.findings.add(
            "MP219",
            f"`internet` comes to gateways alone, and `{inside}` is none",
            written.span,
            help=f"let it in at a gateway, and the gateway to `{inside}`; a caller without identity is `plaintext`",
        )


def _check_client_ip(written: Rule, sources: SourceSet, ctx: Context) -> None:
    reads = (read for one in (*written.when, *written.unless) for read in attributes_in(one))
    read = next((read for read in reads if isinstance(read, FieldAttribute) and read.field is Field.CLIENT_IP), None)
    if read is None or _are_gateways(sources, ctx):
        return
    ctx.findings.add(
        "MP229",
        "`client.ip` is what a gateway saw, and other callers than gateways are among the sources",
        read.span,
        labels=(Label(written.sources.span, "these are not gateways alone"),),
        help="name gateways as sources; the address of the caller itself is `source.ip`",
    )


def _are_gateways(sources: SourceSet, ctx: Context) -> bool:
    members = (ctx.directory.nodes[name] for name in sources.members)
    identities = {node.identity.uri for node in members if isinstance(node, Gateway)}
    tests = sources.matches.operands if isinstance(sources.matches, Or) else (sources.matches,)
    is_named = all(
        isinstance(test, Test)
        and isinstance(test.attribute, SourceIdentity)
        and isinstance(test.matcher, Exact)
        and test.matcher.value in identities
        for test in tests
    )
    return is_named and not sources.has_internet


def _spoken_of(
    written: Rule, places: tuple[Destination, ...], ctx: Context
) -> tuple[tuple[Destination, ...], tuple[Destination, ...]]:
    """The ports that the rule speaks of, and those in its set that it cannot: TCP, if it reads HTTP."""
    is_single = isinstance(written.destinations, Named) and len(places) == 1
    if is_single and not places[0].ports:
        ctx.findings.add("MP218", f"`{places[0].node}` has no port: it only calls", written.destinations.span)
        return (), ()
    layered = layered_ports(written.destinations, places, ctx)
    if not layered.ported:
        message = f"`{written_set(written.destinations)}` has no member with a port, so the rule matches nothing"
        ctx.findings.add("MP234", message, written.destinations.span, subject=written.name.text if written.name else "")
    if not is_speaking_http(written):
        return layered.ported, ()
    _check_tcp(written, layered, ctx)
    return layered.http, layered.tcp


def is_speaking_http(written: Rule) -> bool:
    """Whether the rule has operations or reads something that HTTP alone has."""
    conditions = (*written.when, *written.unless)
    return bool(written.operations) or any(is_reading_http(read) for one in conditions for read in attributes_in(one))


def _check_tcp(written: Rule, layered: Layered, ctx: Context) -> None:
    if not layered.tcp:
        return
    named = tuple(_named_ports(written.destinations))
    silent = {(place.node, port) for place in layered.tcp for port in place.ports or ()} if named else set()
    for at, name in named:
        node = ctx.directory.nodes.get(name)
        port = None if node is None else find_port(node, at.port, ctx)
        if port is not None and (name, port.workload) in silent:
            _report_tcp(f"`{written_set(at)}` carries TCP, and the rule speaks of HTTP", at, ctx)
            return
    if not layered.http:
        text = written_set(written.destinations)
        _report_tcp(f"every port of `{text}` carries TCP, and the rule speaks of HTTP", written.destinations, ctx)


def _report_tcp(message: str, at: SetExpression, ctx: Context) -> None:
    advice = (
        "leave out operations and HTTP conditions, or name an HTTP port; the TLS of `https` is opaque where no proxy "
        "of the mesh ends or starts it"
    )
    ctx.findings.add("MP217", message, at.span, help=advice)


def _named_ports(written: SetExpression) -> Iterator[tuple[AtPort, NodeName]]:
    """The ports that are named of one destination, other than those that are taken out."""
    match written:
        case AtPort(Named(name), _):
            yield written, NodeName(name.text)
        case Braces(items):
            for item in items:
                yield from _named_ports(item)
        case Union(operands) | Intersection(operands):
            for operand in operands:
                yield from _named_ports(operand)
        case Except(base, _):
            yield from _named_ports(base)
        case _:
            return
