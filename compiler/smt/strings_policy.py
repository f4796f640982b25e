"""One port policy and one set of requests as SMT-LIB text over strings: the second encoding, read from the reference.

Nothing is divided into classes: an attribute is a string, one with many values as many slots as there are tests of it
(of the values of a request only those matter that some test asks for). What it has no words for is said, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import assert_never

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Gateway, Layer, Service, SourceSet
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Claim,
    Header,
    Host,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    SourceIdentity,
    Test,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    reads_http,
)
from meshproof.compiler.smt.atoms import tests_of
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.region import (
    Admitted,
    Allowed,
    Answered,
    Both,
    ComingFrom,
    Conditional,
    Either,
    Everything,
    Identified,
    MatchedBy,
    Nothing,
    Outside,
    Region,
    Satisfying,
    SentBy,
    Taken,
    predicates_of,
)
from meshproof.compiler.smt.strings_patterns import (
    NotCovered,
    is_header_value,
    is_host,
    is_identity,
    is_method,
    is_normal_path,
    is_query_value,
    passes,
    quoted,
)

_SINGLES: dict[Attribute, str] = {Method(): "method", Path(): "path", Host(): "host"}
_CLAIMS: dict[Attribute, Claim] = {TokenSubject(): Claim(("sub",)), TokenPresenter(): Claim(("azp",))}


def script(mesh: Mesh, policy: PortPolicy, region: Region) -> str:
    """Declarations and assertions that can be satisfied exactly if some request is in the region.

    Raises NotCovered.
    """
    if policy.paths is not PathMode.LANGUAGE:
        raise NotCovered("paths that are judged as Istio does")
    writer = _Writer(mesh, policy, region)
    wanted = writer.region(region)
    return "\n".join((*writer.declarations(), *(f"(assert {one})" for one in (*writer.axioms(), wanted))))


class _Writer:
    """Terms over one request; what they need is declared as it is met."""

    def __init__(self, mesh: Mesh, policy: PortPolicy, region: Region) -> None:
        self._mesh = mesh
        self._policy = policy
        self._rules = {rule.id: rule for rule in policy.rules}
        contents = [*(rule.content for rule in policy.rules), *predicates_of(region)]
        self._slots = Counter(_canonical(test.attribute) for test in set(tests_of(contents)))
        self._names: dict[Attribute, str] = {}
        self._answers: dict[str, str] = {}

    # --- what there is

    def declarations(self) -> Iterable[str]:
        """Every constant that the terms use."""
        yield "(declare-const identified Bool)\n(declare-const identity String)"
        yield "(declare-const http Bool)"
        yield "(declare-const token Bool)\n(declare-const issuer String)"
        for attribute, name in self._names.items():
            if attribute in _SINGLES:
                yield f"(declare-const {name} String)"
            else:
                for slot in range(self._slots[attribute]):
                    yield f"(declare-const {name}-{slot} String)\n(declare-const {name}-{slot}-is Bool)"
        for name in self._answers.values():
            yield f"(declare-const {name} Bool)"

    def axioms(self) -> Iterable[str]:
        """What a well-formed request is."""
        yield f"(=> identified {is_identity('identity', (self._mesh.trust_domain, *self._mesh.trusts))})"
        if self._policy.mode is MtlsMode.DISABLED:
            yield "(not identified)"
        if self._policy.layer is not Layer.SNIFFED:
            yield "http" if self._policy.layer is Layer.HTTP else "(not http)"
        urls = " ".join(f"(= issuer {quoted(one.url)})" for one in self._policy.issuers)
        yield f"(=> token (or false {urls}))"
        domains = {Method(): is_method, Path(): is_normal_path, Host(): is_host}
        for attribute, name in self._names.items():
            if attribute in domains:
                yield domains[attribute](name)
            else:
                yield from self._slot_axioms(attribute, name)
        preflight = [self._names.get(Header(name)) for name in ("origin", "access-control-request-method")]
        if Method() in self._names and all(preflight):  # "A CORS preflight has none"
            some = (self._some(name, Header(header)) for name, header in zip(preflight, _PREFLIGHT, strict=True))
            yield f'(=> (and (= method "OPTIONS") {" ".join(some)}) (not token))'

    def _slot_axioms(self, attribute: Attribute, name: str) -> Iterable[str]:
        for slot in range(self._slots[attribute]):
            value = f"{name}-{slot}"
            match attribute:
                case Header():
                    yield f"(=> {value}-is {is_header_value(value)})"
                case Query():
                    yield f"(=> {value}-is {is_query_value(value)})"
                case _:
                    yield f"(=> {value}-is token)"

    def _some(self, name: str | None, attribute: Attribute) -> str:
        slots = " ".join(f"{name}-{slot}-is" for slot in range(self._slots[attribute]))
        return f"(or false {slots})"

    # --- conditions

    def predicate(self, predicate: Predicate) -> str:
        """Where a condition holds."""
        match predicate:
            case Always():
                return "true"
            case Never():
                return "false"
            case Test(attribute, matcher):
                return self._test(_canonical(attribute), matcher)
            case Not(operand):
                return f"(not {self.predicate(operand)})"
            case And(operands):
                return f"(and true {' '.join(map(self.predicate, operands))})"
            case Or(operands):
                return f"(or false {' '.join(map(self.predicate, operands))})"
            case Opaque(field=field):
                raise NotCovered(f"`{field}`")
            case _:
                assert_never(predicate)

    def _test(self, attribute: Attribute, matcher: Matcher) -> str:
        match attribute:
            case SourceIdentity():
                return f"(and identified {passes(matcher, 'identity')})"
            case Port():
                return passes(matcher, quoted(str(self._policy.key.port)))
            case Method() | Path() | Host():
                name = self._names.setdefault(attribute, _SINGLES[attribute])
                return f"(and http {passes(matcher, name)})"
            case TokenIssuer():
                return f"(and http token {passes(matcher, 'issuer')})"
            case Header() | Query() | Claim():
                return f"(and http {self._some_passes(attribute, matcher)})"
            case _:
                raise NotCovered(f"an attribute of the kind {type(attribute).__name__}")

    def _some_passes(self, attribute: Header | Query | Claim, matcher: Matcher) -> str:
        if isinstance(attribute, Claim) and (len(attribute.path) != 1 or attribute.path[0] in {"iss", "aud"}):
            raise NotCovered("a claim inside of another, `iss` or `aud`")
        name = self._names.setdefault(attribute, f"many{len(self._names)}")
        slots = (
            f"(and {name}-{slot}-is {passes(matcher, f'{name}-{slot}')})" for slot in range(self._slots[attribute])
        )
        return f"(or false {' '.join(slots)})"

    def _sources(self, sources: SourceSet) -> str:
        internet = "(not identified)" if sources.has_internet and self._policy.is_gateway else "false"
        return f"(or {internet} {self.predicate(sources.matches)})"

    # --- "What happens to a request"

    def _matches(self, rule: AuthzRule) -> str:
        layers = [layer for layer in (Layer.HTTP, Layer.TCP) if rule.layer in {None, layer}]
        if rule.operations or reads_http(rule.when):
            layers = [layer for layer in layers if layer is Layer.HTTP]
        return f"(and {_on(layers)} {self._sources(rule.sources)} {self.predicate(rule.content)})"

    def _admitted(self) -> str:
        is_open = self._policy.is_observed or self._policy.mode is not MtlsMode.STRICT
        return "true" if is_open else "identified"

    def _allowed(self, without: Iterable[str]) -> str:
        if self._policy.is_observed:
            return "true"
        left = set(without)
        rules = [rule for rule in self._policy.rules if rule.id not in left]
        refused = [self._refused(rule) for rule in rules if rule.effect is not Effect.ALLOW]
        allowed = [self._matches(rule) for rule in rules if rule.effect is Effect.ALLOW]
        return (
            f"(and {self._admitted()} (not (or false {' '.join(refused)}))"
            f" (or {_on(self._policy.open_layers)} {' '.join(allowed)}))"
        )

    def _refused(self, rule: AuthzRule) -> str:
        if rule.effect is Effect.DENY or rule.authorizer is None:
            return self._matches(rule)
        return f"(and {self._matches(rule)} (not {self._answer(rule.authorizer)}))"

    def _answer(self, authorizer: str) -> str:
        return self._answers.setdefault(authorizer, f"answer{len(self._answers)}")

    def region(self, region: Region) -> str:  # noqa: C901, PLR0911, PLR0912  one case a kind of region
        """Where a request is in the region."""
        match region:
            case Everything():
                return "true"
            case Nothing():
                return "false"
            case Admitted():
                return self._admitted()
            case Allowed(without):
                return self._allowed(without)
            case MatchedBy(rule):
                return self._matches(self._rules[rule]) if rule in self._rules else "false"
            case Satisfying(predicate):
                return self.predicate(predicate)
            case ComingFrom(sources):
                return self._sources(sources)
            case SentBy(nodes):
                return f"(and identified (or false {' '.join(self._identities(nodes))}))"
            case Identified():
                return "identified"
            case Answered(authorizer):
                return self._answer(authorizer)
            case Taken() | Conditional():
                raise NotCovered("what a route takes")
            case Both(parts):
                return f"(and true {' '.join(map(self.region, parts))})"
            case Either(parts):
                return f"(or false {' '.join(map(self.region, parts))})"
            case Outside(part):
                return f"(not {self.region(part)})"
            case _:
                assert_never(region)

    def _identities(self, nodes: Iterable[NodeName]) -> Iterable[str]:
        wanted = set(nodes)
        callers: tuple[Service | Gateway, ...] = (*self._mesh.services, *self._mesh.gateways)
        for node in callers:
            if node.name in wanted:
                yield f"(= identity {quoted(canonical(self._mesh, node.identity))})"


_PREFLIGHT = ("origin", "access-control-request-method")


def _canonical(attribute: Attribute) -> Attribute:
    return _CLAIMS.get(attribute, attribute)


def _on(layers: Iterable[Layer]) -> str:
    terms = {Layer.HTTP: "http", Layer.TCP: "(not http)", Layer.SNIFFED: "true"}
    return f"(or false {' '.join(terms[layer] for layer in layers)})"
