"""The symbolic request to one port: a variable for each thing that may be different, over the classes of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import AuthorizerName
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
    Port,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.smt.atoms import AUDIENCE, canonical
from meshproof.compiler.smt.callers import Callers, members
from meshproof.compiler.smt.classes import Classes, is_match
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula, Formulas
from meshproof.compiler.smt.policy import PortPolicy


@dataclass(frozen=True, slots=True)
class Single:
    """An attribute with one value: a variable over its classes. Where it may be absent, value 0 is absence."""

    variable: int
    classes: Classes
    masks: dict[Matcher, int]
    may_be_absent: bool = False


@dataclass(frozen=True, slots=True)
class Multiple:
    """An attribute with any number of values: for each class a variable that is 1 if some value is in it."""

    variables: tuple[int, ...]
    classes: Classes
    masks: dict[Matcher, int]


@dataclass(slots=True)
class Environment:
    """Variables, and the formula of each test. Made by `environment_of`.

    `local` gives for each value of `caller` the classes of `callers` that it stands for. `issuer` is 0 without a valid
    token that is seen, else the number of one of `issuer_urls`, from 1. `axioms` say what a well-formed request is.
    """

    policy: PortPolicy
    callers: Callers
    formulas: Formulas
    caller: int
    local: tuple[int, ...]
    is_http: Formula
    singles: dict[Attribute, Single] = field(default_factory=dict)
    multiples: dict[Attribute, Multiple] = field(default_factory=dict)
    issuer: int | None = None
    issuer_urls: tuple[str, ...] = ()
    answers: dict[AuthorizerName, int] = field(default_factory=dict)
    opaques: dict[Opaque, int] = field(default_factory=dict)
    axioms: list[Formula] = field(default_factory=list)
    _callers: dict[int, Formula] = field(default_factory=dict, repr=False)
    repeated: dict[str, int] = field(default_factory=dict)
    """For each header that is read line by line and joined (`smt.repeated`): 1 if it stands more than once."""

    def is_repeated(self, name: str) -> Formula:
        """The header stands more than once; nowhere, where nothing tells that apart."""
        found = self.repeated.get(name)
        return FALSE if found is None else self.formulas.literal(found, 0b10)

    def is_caller(self, mask: int) -> Formula:
        """The caller is in this set of classes of `callers`.

        Raises KeyError if the set is no union of what this port tells apart.
        """
        known = self._callers.get(mask)
        if known is not None:
            return known
        values = 0
        for value, classes in enumerate(self.local):
            common = classes & mask
            if common == classes:
                values |= 1 << value
            elif common:
                raise KeyError(mask)
        found = self._callers[mask] = self.formulas.literal(self.caller, values)
        return found

    def test(self, attribute: Attribute, matcher: Matcher) -> Formula:
        """The formula of one test. Raises KeyError for one that the environment was not made for."""
        attribute = canonical(attribute)
        match attribute:
            case SourceIdentity():
                return self.is_caller(self.callers.mask(matcher))
            case ClientIp():
                is_gateway = self.is_caller(self.callers.gateways)
                return self.formulas.conjunction((is_gateway, self._single(attribute, matcher)))
            case Port():
                return TRUE if is_match(matcher, str(self.policy.key.port)) else FALSE
            case SourceIp() | RemoteIp() | DestinationIp() | Sni():
                return self._single(attribute, matcher)
            case Method() | Path() | Host() | RawAuthority() | JoinedHeader():
                return self._on_http(lambda: self._single(attribute, matcher))
            case Header() | Query():
                return self._on_http(lambda: self._multiple(attribute, matcher))
            case TokenIssuer() | TokenAudience() | Claim():
                return self._on_http(lambda: self._token(attribute, matcher))
            case TokenSubject() | TokenPresenter():
                raise AssertionError(attribute)
            case _:
                assert_never(attribute)

    def _on_http(self, make: Callable[[], Formula]) -> Formula:
        if self.is_http == FALSE:
            return FALSE
        return self.formulas.conjunction((self.is_http, make()))

    def _single(self, attribute: Attribute, matcher: Matcher) -> Formula:
        found = self.singles[attribute]
        mask = found.masks[matcher]
        return self.formulas.literal(found.variable, mask << 1 if found.may_be_absent else mask)

    def _multiple(self, attribute: Attribute, matcher: Matcher) -> Formula:
        return self.some_in(attribute, self.multiples[attribute].masks[matcher])

    def some_in(self, attribute: Attribute, mask: int) -> Formula:
        """Some value of an attribute that has any number of them is in one of these classes."""
        variables = self.multiples[attribute].variables
        return self.formulas.disjunction(self.formulas.literal(variables[bit], 0b10) for bit in members(mask))

    def has_some(self, attribute: Attribute) -> Formula:
        """The attribute has a value, of those that any number of values."""
        found = self.multiples[attribute]
        return self.formulas.disjunction(self.formulas.literal(variable, 0b10) for variable in found.variables)

    def has_line(self, name: str) -> Formula | None:
        """There is a line of the header; None where nothing in play tells."""
        if Header(name) in self.multiples:
            return self.has_some(Header(name))
        joined = self.singles.get(JoinedHeader(name))
        return None if joined is None else self.formulas.negation(self.formulas.literal(joined.variable, 0b1))

    def has_issuer(self, urls: Iterable[str]) -> Formula:
        """There is a valid token that is seen, of one of these issuers."""
        if self.issuer is None:
            return FALSE
        wanted = set(urls)
        mask = sum(1 << number for number, url in enumerate(self.issuer_urls, 1) if url in wanted)
        return self.formulas.literal(self.issuer, mask)

    def _token(self, attribute: Attribute, matcher: Matcher) -> Formula:
        if self.issuer is None:
            return FALSE
        if isinstance(attribute, TokenIssuer):
            return self.has_issuer(url for url in self.issuer_urls if is_match(matcher, url))
        if isinstance(attribute, TokenAudience):
            return self._audience(matcher)
        return self._multiple(attribute, matcher)

    def _audience(self, matcher: Matcher) -> Formula:
        """Some value of `aud` passes; a token without `aud` has the first audience that its issuer demands."""
        urls = []
        for url in self.issuer_urls:
            issuer = next(issuer for issuer in self.policy.issuers if issuer.url == url)
            audiences = () if issuer.needs_audience else issuer.audiences
            if audiences and is_match(matcher, audiences[0]):
                urls.append(url)
        is_absent = self.formulas.negation(self.has_some(AUDIENCE))
        implied = self.formulas.conjunction((is_absent, self.has_issuer(urls)))
        return self.formulas.disjunction((self._multiple(AUDIENCE, matcher), implied))
