"""Sets as sources: what a written set says of callers (language reference, "Sets")."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.entities import External, SourceSet
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, Never, Not
from meshproof.compiler.resolve.callers import (
    ANY_IDENTITY,
    Callers,
    below,
    difference,
    either,
    exactly,
    intersection,
    taker,
    takes,
    union,
)
from meshproof.compiler.resolve.directory import namespace_prefix
from meshproof.compiler.resolve.members import domain_of, in_namespace, tagged
from meshproof.compiler.resolve.scope import Kind
from meshproof.compiler.resolve.written import written_set
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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Zone
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.directory import Directory
    from meshproof.dsl.ast.sets import SetExpression

CALLERS = frozenset((Kind.SERVICE, Kind.GATEWAY, Kind.ZONE))
MEMBERS = CALLERS | {Kind.EXTERNAL}
"""What a zone may hold: externals are in it as destinations, and call nobody."""


def source_set(written: SetExpression, ctx: Context) -> SourceSet | None:
    """The callers that the set means, or None where it cannot be read; why is among the findings then."""
    key = ctx.set_key(written)
    known = ctx.source_sets.get(key)
    if known is not None:
        return known
    before = ctx.findings.count
    found = callers(written, ctx)
    if found is None:
        return None
    made = as_source_set(found, written_set(written), ctx.directory)
    if ctx.findings.count == before:
        ctx.source_sets[key] = made
    return made


def as_source_set(found: Callers, text: str, directory: Directory) -> SourceSet:
    """The IR's form, with the declared callers that share an identity with the set but are not named."""
    takes_identity = taker(found.matches)
    shared = (
        name
        for uri, names in directory.shared.items()
        if takes_identity(uri)
        for name in names
        if name not in found.members
    )
    return SourceSet(found.matches, found.has_internet, tuple(sorted(found.members)), tuple(sorted(shared)), text)


def callers(  # noqa: C901, PLR0911, PLR0912  one case a form
    written: SetExpression, ctx: Context, kinds: frozenset[Kind] = CALLERS
) -> Callers | None:
    """The callers that the set means, before it is put into the IR's form; names must be of `kinds`."""
    match written:
        case Named():
            return _named(written, ctx, kinds)
        case NamespaceSet():
            return _namespace(written, ctx)
        case Tagged(tag):
            names = tagged(tag, ctx)
            return None if names is None else _kept(written, names, ctx)
        case Identity():
            return _identity(written, ctx)
        case AllServices():
            return _kept(written, ctx.directory.services, ctx)
        case Authenticated():
            return Callers(ANY_IDENTITY, has_internet=False, members=frozenset(ctx.directory.callers))
        case Plaintext():
            return Callers(Not(ANY_IDENTITY), has_internet=True, members=frozenset())
        case Anyone():
            return Callers(Always(), has_internet=True, members=frozenset(ctx.directory.callers))
        case Internet():
            return Callers(Never(), has_internet=True, members=frozenset())
        case Braces(items):
            found = _all(items, ctx, kinds)
            return None if found is None else union(found)
        case Union(operands):
            found = _all(operands, ctx, kinds)
            return None if found is None else union(found)
        case Intersection(operands):
            found = _all(operands, ctx, kinds)
            return None if found is None else intersection(found)
        case Except(base, removed):
            return _except(base, removed, ctx, kinds)
        case AtPort(_, port):
            ctx.findings.add("MP203", "a caller has no port here: a port belongs to a destination", port.span)
            return None
        case _ as never:
            assert_never(never)


def _all(items: Iterable[SetExpression], ctx: Context, kinds: frozenset[Kind]) -> tuple[Callers, ...] | None:
    found = [callers(item, ctx, kinds) for item in items]
    read = tuple(one for one in found if one is not None)
    return read if len(read) == len(found) else None


def _except(base: SetExpression, removed: SetExpression, ctx: Context, kinds: frozenset[Kind]) -> Callers | None:
    found = _all((base, removed), ctx, kinds)
    if found is None:
        return None
    rest = difference(*found)
    if takes(rest.matches, None) and not rest.has_internet:
        ctx.findings.add(
            "MP219",
            "`internet` cannot be taken out of callers without identity: at a gateway they are the same",
            removed.span,
            help="write `except plaintext`, which takes out every caller without identity",
        )
        return None
    return rest


def _kept(written: AllServices | Tagged, names: Iterable[NodeName], ctx: Context) -> Callers:
    """`all` and tags are large and stand in many sets: their callers are made once."""
    known = ctx.caller_sets.get(written)
    if known is None:
        known = ctx.caller_sets[written] = _declared(names, ctx.directory)
    return known


def _declared(names: Iterable[NodeName], directory: Directory) -> Callers:
    found = [node for node in (directory.caller(name) for name in names) if node is not None]
    matches = either(tuple(exactly(node.identity.uri) for node in found))
    return Callers(matches, has_internet=False, members=frozenset(node.name for node in found))


def _named(written: Named, ctx: Context, kinds: frozenset[Kind]) -> Callers | None:
    name = written.name
    if ctx.scope.is_parameter(name):
        zone = ctx.parameters.get((name.span.file, name.text))
        return None if zone is None else _zone(zone.sources)
    found = ctx.scope.find(name, kinds, ctx.findings)
    if found is None:
        return None
    if found.kind is not Kind.ZONE:
        return _declared((NodeName(name.text),), ctx.directory)
    known = ctx.zones.get(name.text)
    if known is None:
        return None
    if kinds is CALLERS and _calls_nobody(known, ctx):
        ctx.findings.add("MP203", f"`{name.text}` holds externals alone, and they call nobody", name.span)
        return None
    return _zone(known.sources)


def _calls_nobody(zone: Zone, ctx: Context) -> bool:
    """Whether a zone holds externals and nothing that calls."""
    if zone.sources.members or not zone.destinations:
        return False
    return all(isinstance(ctx.directory.nodes[node], External) for node in zone.destinations)


def _zone(sources: SourceSet) -> Callers:
    return Callers(sources.matches, sources.has_internet, frozenset(sources.members))


def _namespace(written: NamespaceSet, ctx: Context) -> Callers | None:
    domain = domain_of(written, ctx)
    if domain is None:
        return None
    prefix = namespace_prefix(domain, written.namespace.text)
    members = in_namespace(written.namespace.text, domain, ctx)
    nodes = (ctx.directory.caller(name) for name in members)
    others = (exactly(node.identity.uri) for node in nodes if node and not node.identity.uri.startswith(prefix))
    return Callers(either((below(prefix), *others)), has_internet=False, members=members)


def _identity(written: Identity, ctx: Context) -> Callers | None:
    uri = ctx.values.string(written.uri)
    if uri is None:
        return None
    is_prefix = uri.endswith("/*")
    whole = ctx.domains.identity(f"{uri[:-1]}x" if is_prefix else uri)
    if whole is None:
        ctx.findings.add(
            "MP228",
            f"`{uri}` is no SPIFFE ID of a trust domain that is ours or trusted",
            written.span,
            help="write `spiffe://TRUST-DOMAIN/PATH`, or `spiffe://TRUST-DOMAIN/PATH/*` for all below; `trusts` in "
            "the mesh lists foreign domains",
        )
        return None
    matches = below(whole.uri[:-1]) if is_prefix else exactly(whole.uri)
    nodes = (ctx.directory.caller(name) for name in ctx.directory.callers)
    takes_identity = taker(matches)
    members = frozenset(node.name for node in nodes if node and takes_identity(node.identity.uri))
    return Callers(matches, has_internet=False, members=members)
