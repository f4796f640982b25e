"""From the conditions in play at a port to its variables and to what a well-formed request is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.compiler.ir.entities import External, Gateway, Layer, Service
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    DestinationIp,
    Header,
    Host,
    JoinedHeader,
    Method,
    Opaque,
    Path,
    Predicate,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenAudience,
    TokenIssuer,
)
from meshproof.compiler.patterns import universe
from meshproof.compiler.smt.atoms import AUDIENCE, matchers_by_attribute, opaques_of
from meshproof.compiler.smt.callers import Callers
from meshproof.compiler.smt.classes import Classes, address_classes, authority_classes, text_classes
from meshproof.compiler.smt.environment import Environment, Multiple, Single
from meshproof.compiler.smt.formula import FALSE, TRUE, Formulas
from meshproof.compiler.smt.paths import judged_paths
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.reading import Matchers
from meshproof.compiler.smt.repeated import Repeated, add_both
from meshproof.compiler.smt.solver import Undecided

CONNECT = Exact("CONNECT")
OPTIONS = Exact("OPTIONS")
ORIGIN = "origin"
PREFLIGHT_METHOD = "access-control-request-method"


def environment_of(
    policy: PortPolicy,
    callers: Callers,
    predicates: Sequence[Predicate],
    sets: Iterable[int],
    *,
    repeated: Repeated = Repeated.REFUSED,
    prefers_anonymous: bool = False,
) -> Environment:
    """The symbolic request that tells apart what the conditions and the sets of callers do.

    `repeated` says what of headers that are read line by line and joined (`smt.repeated`). `prefers_anonymous`: of the
    callers with which something can be shown, one without identity is shown. Raises Undecided where the
    values of an attribute cannot be divided exactly within limits.
    """
    read = matchers_by_attribute(predicates)
    opaques = opaques_of(predicates)
    return environment_reading(
        policy, callers, read, opaques, sets, repeated=repeated, prefers_anonymous=prefers_anonymous
    )


def environment_reading(  # noqa: PLR0913  a port, who calls, what is read, and two preferences
    policy: PortPolicy,
    callers: Callers,
    read: Matchers,
    opaques: Iterable[Opaque],
    sets: Iterable[int],
    *,
    repeated: Repeated = Repeated.REFUSED,
    prefers_anonymous: bool = False,
) -> Environment:
    """The same, of conditions that compare what `read` says and hold what is not modelled. Raises Undecided."""
    formulas = Formulas()
    local = _local(callers, read, sets, is_anonymous_first=policy.is_gateway or prefers_anonymous)
    environment = Environment(
        policy, callers, formulas, formulas.variable(len(local)), local, _is_http(policy, formulas)
    )
    if environment.is_http != FALSE:
        _add_http(environment, read, repeated=repeated)
        _add_token(environment, read)
    _add_addresses(environment, read)
    _add_sni(environment, read)
    environment.answers = {name: formulas.variable(2) for name in policy.authorizers}
    environment.opaques = {opaque: formulas.variable(2) for opaque in opaques}
    if policy.mode is MtlsMode.DISABLED:
        environment.axioms.append(environment.is_caller(callers.anonymous))
    environment.axioms = [axiom for axiom in environment.axioms if axiom != TRUE]
    return environment


def _is_http(policy: PortPolicy, formulas: Formulas) -> int:
    match policy.layer:
        case Layer.HTTP:
            return TRUE
        case Layer.TCP:
            return FALSE
        case Layer.SNIFFED:
            return formulas.literal(formulas.variable(2), 0b01)


def _local(callers: Callers, read: Matchers, sets: Iterable[int], *, is_anonymous_first: bool) -> tuple[int, ...]:
    """The classes of callers that this port tells apart, the one to show first in front."""
    masks = [callers.anonymous, *sets, *(callers.mask(matcher) for matcher in read.get(SourceIdentity(), ()))]
    if ClientIp() in read:
        masks.append(callers.gateways)
    found = _divided((1 << len(callers.classes)) - 1, dict.fromkeys(masks))
    if is_anonymous_first:
        found.sort(key=lambda group: group != callers.anonymous)
    return tuple(found)


def _divided(every: int, masks: Iterable[int]) -> list[int]:
    """The parts of a set that are in the same of the masks, by their first members."""
    parts = [every]
    for mask in masks:
        divided: list[int] = []
        for part in parts:
            common = part & mask
            divided += (part,) if common in {0, part} else (common, part ^ common)
        parts = divided
    return sorted(parts, key=lambda part: part & -part)


def _single(environment: Environment, attribute: Attribute, classes: Classes, *, may_be_absent: bool = False) -> None:
    size = len(classes.witnesses) + may_be_absent
    if size == 0:
        raise Undecided("an attribute has no possible value")
    variable = environment.formulas.variable(size)
    environment.singles[attribute] = Single(variable, classes, dict(classes.masks), may_be_absent)


def _multiple(environment: Environment, attribute: Attribute, classes: Classes) -> None:
    variables = tuple(environment.formulas.variable(2) for _ in classes.witnesses)
    environment.multiples[attribute] = Multiple(variables, classes, dict(classes.masks))


def _add_http(environment: Environment, read: Matchers, *, repeated: Repeated) -> None:
    policy = environment.policy
    for attribute, matchers in read.items():
        match attribute:
            case Method():
                wanted = tuple(dict.fromkeys((*matchers, CONNECT, OPTIONS)))
                _single(environment, attribute, text_classes(wanted, universe.method_tokens(), _methods(policy)))
                is_connect = environment.test(attribute, CONNECT)
                environment.axioms.append(environment.formulas.negation(is_connect))
            case Path():
                _single(
                    environment,
                    attribute,
                    text_classes(matchers, judged_paths(policy.paths, policy.other_paths), ("/",)),
                )
            case Host() if RawAuthority() not in read:
                _single(environment, attribute, text_classes(matchers, universe.host_names(), hosts_of(policy)))
            case RawAuthority():
                _add_authority(environment, matchers, read.get(Host(), ()))
            case Header(name) if JoinedHeader(name) not in read:
                _multiple(environment, attribute, text_classes(matchers, universe.header_values()))
            case Header(name):
                add_both(environment, name, matchers, read[JoinedHeader(name)], repeated)
            case JoinedHeader(name) if Header(name) not in read:
                classes = text_classes(matchers, universe.header_values())
                _single(environment, attribute, classes, may_be_absent=True)
            case Query():
                _multiple(environment, attribute, text_classes(matchers, universe.query_values()))
            case _:
                continue


def _methods(policy: PortPolicy) -> tuple[str, ...]:
    return ("POST",) if is_grpc(policy) else ("GET",)


def is_grpc(policy: PortPolicy) -> bool:
    """Whether the port was declared for gRPC, whose calls are POST."""
    return policy.declared is not None and policy.declared.protocol.value == "grpc"


def hosts_of(policy: PortPolicy) -> tuple[str, ...]:
    """The hosts under which people know the node, a plain name for a wildcard."""
    match policy.node:
        case Gateway(hosts=hosts) | External(hosts=hosts):
            return tuple(host.replace("*", "www", 1).lower() for host in hosts)
        case Service(platform_name=name, namespace=namespace):
            return (name, f"{name}.{namespace}.svc.cluster.local")


def _add_authority(environment: Environment, raw: tuple[Matcher, ...], hosts: tuple[Matcher, ...]) -> None:
    """One variable for the authority as sent; tests of the host are tests of what it is sent as."""
    classes, masks = authority_classes(raw, hosts, hosts_of(environment.policy))
    _single(environment, RawAuthority(), classes)
    environment.singles[Host()] = Single(environment.singles[RawAuthority()].variable, classes, dict(masks))


def _add_token(environment: Environment, read: Matchers) -> None:
    policy = environment.policy
    names = [attribute for attribute in read if isinstance(attribute, TokenIssuer | TokenAudience | Claim)]
    if not names or not policy.issuers:
        return
    formulas = environment.formulas
    environment.issuer_urls = tuple(dict.fromkeys(issuer.url for issuer in policy.issuers))
    environment.issuer = formulas.variable(1 + len(environment.issuer_urls))
    has_none = formulas.literal(environment.issuer, 0b1)
    for attribute in names:
        if isinstance(attribute, Claim):
            samples: tuple[str, ...] = ()
            matchers = read[attribute]
            if attribute == AUDIENCE:
                samples = tuple(audience for issuer in policy.issuers for audience in issuer.accepted_audiences)
                matchers = tuple(dict.fromkeys((*matchers, *map(Exact, samples))))
            _multiple(environment, attribute, text_classes(matchers, universe.any_text(), samples))
            is_absent = formulas.negation(environment.has_some(attribute))
            environment.axioms.append(formulas.disjunction((formulas.negation(has_none), is_absent)))
    _add_token_axioms(environment)


def _add_token_axioms(environment: Environment) -> None:
    """A claim inside of another is there only if the other is an object; the audience is the destination's."""
    formulas, axioms = environment.formulas, environment.axioms
    claims = [attribute for attribute in environment.multiples if isinstance(attribute, Claim)]
    for inner in claims:
        is_absent = formulas.negation(environment.has_some(inner))
        if inner.path[0] == "iss":
            axioms.append(is_absent)
        for outer in claims:
            if len(outer.path) < len(inner.path) and inner.path[: len(outer.path)] == outer.path:
                axioms.append(formulas.disjunction((is_absent, formulas.negation(environment.has_some(outer)))))
    if AUDIENCE in environment.multiples:
        _add_audience_axioms(environment)
    has_origin, has_asked = environment.has_line(ORIGIN), environment.has_line(PREFLIGHT_METHOD)
    if environment.issuer is None or has_origin is None or has_asked is None:
        return
    if Method() in environment.singles:  # "A CORS preflight has none"
        parts = (environment.test(Method(), OPTIONS), has_origin, has_asked)
        has_none = formulas.literal(environment.issuer, 0b1)
        axioms.append(formulas.disjunction((has_none, formulas.negation(formulas.conjunction(parts)))))


def _add_audience_axioms(environment: Environment) -> None:
    formulas = environment.formulas
    is_absent = formulas.negation(environment.has_some(AUDIENCE))
    for url in environment.issuer_urls:
        issuers = [issuer for issuer in environment.policy.issuers if issuer.url == url]
        audiences = [issuer.accepted_audiences for issuer in issuers]
        if not all(audiences):
            continue
        values = dict.fromkeys(audience for one in audiences for audience in one)
        found = environment.multiples[AUDIENCE]
        mask = 0
        for value in values:
            mask |= found.masks[Exact(value)]
        accepted = (formulas.literal(variable, 0b10) for bit, variable in enumerate(found.variables) if mask >> bit & 1)
        other = formulas.negation(environment.has_issuer((url,)))
        needs_one = all(issuer.needs_audience for issuer in issuers)
        absent = () if needs_one else (is_absent,)
        environment.axioms.append(formulas.disjunction((other, *absent, *accepted)))


def _add_addresses(environment: Environment, read: Matchers) -> None:
    if DestinationIp() in read:
        _single(environment, DestinationIp(), address_classes(read[DestinationIp()]))
    is_peer = is_edge_without_proxies(environment.policy)
    _share(environment, read, (SourceIp(), RemoteIp()) if is_peer else (SourceIp(),))
    # What a caller that is a gateway is the client of, and what Envoy takes for the client, is told by one field.
    _share(environment, read, (ClientIp(),) if is_peer else (RemoteIp(), ClientIp()))


def is_edge_without_proxies(policy: PortPolicy) -> bool:
    """Whether the node is a gateway that takes its peer for the client."""
    return isinstance(policy.node, Gateway) and policy.node.trusted_proxies == 0


def _share(environment: Environment, read: Matchers, attributes: tuple[Attribute, ...]) -> None:
    """One variable for several attributes that are one field of a request."""
    found = tuple(attribute for attribute in attributes if attribute in read)
    if found:
        matchers = tuple(dict.fromkeys(matcher for attribute in found for matcher in read[attribute]))
        _single(environment, found[0], address_classes(matchers))
        environment.singles.update(dict.fromkeys(found, environment.singles[found[0]]))


def _add_sni(environment: Environment, read: Matchers) -> None:
    if Sni() not in read:
        return
    classes = text_classes(read[Sni()], universe.server_names(), hosts_of(environment.policy))
    _single(environment, Sni(), classes, may_be_absent=True)
    if not environment.policy.has_tls_without_identity:
        formulas = environment.formulas
        is_absent = formulas.literal(environment.singles[Sni()].variable, 0b1)
        has_identity = formulas.negation(environment.is_caller(environment.callers.anonymous))
        environment.axioms.append(formulas.disjunction((is_absent, has_identity)))
