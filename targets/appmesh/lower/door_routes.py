"""A permission as the routes of a door, first match first: what they let through is never more than it allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Exact, Matcher, Present
from meshproof.compiler.ir.predicate import (
    Header,
    Method,
    Path,
    Predicate,
    Query,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.targets.appmesh.lower import header_forms, path_forms
from meshproof.targets.appmesh.lower.formula import Alternative, Formula, Group, formula_of
from meshproof.targets.appmesh.lower.header_forms import HeaderForm, QueryForm
from meshproof.targets.appmesh.lower.merging import merged
from meshproof.targets.appmesh.lower.path_forms import CLEAN, PathForm
from meshproof.targets.appmesh.lower.route_match import RouteMatch
from meshproof.targets.appmesh.lower.rows import Permission
from meshproof.targets.appmesh.lower.trimming import LISTED, listed, may_meet, of, reaches_others, trimmed
from meshproof.targets.common.findings import NotExpressibleError

_MOST_TESTS = 10
_ATTRIBUTES = (Method, Path, Header, Query)
_Form = TypeVar("_Form", HeaderForm, QueryForm)


@dataclass(frozen=True, slots=True)
class Routed:
    """The routes in order, and where they refuse more than the permission. With `problems` there are none: rules that
    no route can say, and why.
    """  # noqa: D205

    routes: tuple[RouteMatch, ...] = ()
    losses: tuple[Loss, ...] = ()
    problems: tuple[tuple[AuthzRule, NotExpressibleError], ...] = ()


def door_routes(permission: Permission) -> Routed:
    """The routes of what is neither nothing nor everything. What no route takes is refused."""
    try:
        formula = trimmed(formula_of(permission.allowed, permission.denied))
    except NotExpressibleError as error:
        return Routed(problems=tuple((rule, error) for rule in permission.allowed))
    writer = _Writer(formula)
    routes = writer.routes()
    if writer.problems:
        return Routed(problems=tuple(dict.fromkeys(writer.problems)))
    return Routed(merged(routes), tuple(dict.fromkeys(writer.losses)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parts of a route but for the path; `methods` holds None for any."""

    methods: tuple[str | None, ...]
    headers: tuple[HeaderForm, ...]
    queries: tuple[QueryForm, ...]


@dataclass(slots=True)
class _Writer:
    formula: Formula
    losses: list[Loss] = field(default_factory=list)
    problems: list[tuple[AuthzRule, NotExpressibleError]] = field(default_factory=list)

    @property
    def _groups(self) -> Iterator[tuple[AuthzRule, Group]]:
        yield from self.formula.refused
        for one in self.formula.alternatives:
            for group in one.groups:
                yield one.rule, group

    @property
    def _is_listing(self) -> bool:
        """Whether something is refused of methods that no match can name: then nothing else is let through of them."""
        return any(reaches_others(of(group, Method)) for _, group in self._groups)

    @property
    def _is_refusing_paths(self) -> bool:
        return any(of(group, Path) for _, group in self._groups)

    def routes(self) -> list[RouteMatch]:
        """All of them, unmerged."""
        found: list[RouteMatch] = []
        if any(map(_has_expression, self.formula.alternatives)):
            found.append(RouteMatch(is_allowed=False, path=path_forms.escaped_slash()))
        for rule, group in self.formula.refused:
            found += self._guarded(rule, self._refused(rule, (), group))
        plain = [one for one in self.formula.alternatives if not self._all_groups(one)]
        others = [one for one in self.formula.alternatives if self._all_groups(one)]
        for one in (*plain, *others):
            found += self._guarded(one.rule, self._alternative(one))
        for index, one in enumerate(others):
            for later in others[index + 1 :]:
                self._tell_shadow(one, later)
        self._tell_covered()
        return found

    def _guarded(self, rule: AuthzRule, written: Iterator[RouteMatch]) -> list[RouteMatch]:
        try:
            return list(written)
        except NotExpressibleError as error:
            self.problems.append((rule, error))
            return []

    def _all_groups(self, one: Alternative) -> tuple[Group, ...]:
        """Its groups, and one for every header whose lines an expression might take together."""
        tests = of(one.tests, Header)
        commas = (header_forms.with_comma(_name(test)) for test in tests if header_forms.may_hold_comma(test.matcher))
        return (*one.groups, *((test,) for test in commas))

    def _alternative(self, one: Alternative) -> Iterator[RouteMatch]:
        _check_attributes(one.tests)
        try:
            matcher = path_forms.meet(of(one.tests, Path))
        except LookupError:
            return
        asked = self._asked(one)
        path = path_forms.allowing(matcher) if matcher is not None else CLEAN if self._is_refusing_paths else None
        for group in self._all_groups(one):
            yield from self._refused(one.rule, one.tests, group, asked)
        for method in asked.methods:
            yield _route(one.rule, path, method, asked.headers, asked.queries, is_allowed=True)

    def _asked(self, one: Alternative) -> _Asked:
        """What an alternative asks for, never less."""
        headers = tuple(header_forms.allowing(_name(test), test.matcher) for test in of(one.tests, Header))
        queries = tuple(header_forms.query(_name(test), test.matcher) for test in of(one.tests, Query))
        self._check_size(headers, queries)
        for test in of(one.tests, Header):
            if not isinstance(test.matcher, Present):
                message = f"a header `{_name(test)}` that is sent more than once may not be taken"
                region = Test(test.attribute, Present())
                self._lose(one.rule, Feature.HEADER, message, region, repeated=_name(test))
        for test in of(one.tests, Query):
            if not isinstance(test.matcher, Present):
                message = f"only the first value of the query parameter `{_name(test)}` is looked at"
                self._lose(one.rule, Feature.QUERY, message, conjunction((test, header_forms.has_others(test))))
        return _Asked(self._methods(one), headers, queries)

    def _methods(self, one: Alternative) -> tuple[str | None, ...]:
        tests = of(one.tests, Method)
        if not tests and not self._is_listing:
            return (None,)
        methods = listed(tests)
        if tests and not reaches_others(tests):
            return methods
        if not methods:
            reason = "matches of routes know the methods " + ", ".join(LISTED)
            raise NotExpressibleError(Feature.METHOD, reason)
        others = negation(disjunction(tuple(Test(Method(), Exact(method)) for method in LISTED)))
        message = "methods that no match can name are refused"
        self._lose(one.rule, Feature.METHOD, message, conjunction((*tests, others)))
        return methods

    def _refused(
        self, rule: AuthzRule, tests: Group, group: Group, asked: _Asked | None = None
    ) -> Iterator[RouteMatch]:
        """Refuse all that the group takes, among what the alternative with `tests` takes."""
        try:
            matcher = _narrower(of(tests, Path), of(group, Path))
        except LookupError:
            return
        path = None if matcher is None else path_forms.refusing(matcher)
        _check_attributes(group)
        headers = tuple(header_forms.refusing(_name(test), test.matcher) for test in of(group, Header))
        queries = tuple(QueryForm(_name(test)) for test in of(group, Query))
        self._tell_refused(rule, group)
        own = of(group, Method)
        methods: tuple[str | None, ...] = listed(own) if own else (None,)
        around: tuple[HeaderForm, ...] = ()
        if asked is not None:
            around, queries = asked.headers, (*asked.queries, *queries)
            if asked.methods != (None,):
                methods = tuple(one for one in asked.methods if one in methods or None in methods)
        self._check_size((*around, *headers), queries)
        # What is not clear in one header may hide what the group asks for, whatever the others hold.
        unclear = [(header_forms.unclear(name),) for name in _compared(group)]
        for method in methods:
            for one in (*unclear, headers):
                yield _route(rule, path, method, (*around, *one), queries)

    def _tell_refused(self, rule: AuthzRule, group: Group) -> None:
        for test in of(group, Header):
            if test == header_forms.with_comma(_name(test)):
                message = f"a header `{_name(test)}` with a comma is refused"
                self._lose(rule, Feature.HEADER, message, test)
        for name in _compared(group):
            self._lose_unclear(rule, name)
        for test in of(group, Query):
            if not isinstance(test.matcher, Present):
                message = f"only the first value of a query parameter is looked at, so any `{_name(test)}` is refused"
                self._lose(rule, Feature.QUERY, message, Test(test.attribute, Present()))

    def _tell_covered(self) -> None:
        """What is lost of a condition is lost of each rule that it stands for."""
        own = tuple(dict.fromkeys(self.losses))
        pairs = dict.fromkeys((str(around.rule.id), rule) for rule, around in self.formula.covered)
        for subject, rule in pairs:
            if subject != str(rule.id):
                theirs = (loss for loss in own if loss.subject == subject)
                self.losses += [replace(loss, subject=str(rule.id), origin=rule.origin) for loss in theirs]

    def _tell_shadow(self, one: Alternative, later: Alternative) -> None:
        """What is refused in front of one alternative is refused for those behind it."""
        for group in self._all_groups(one):
            around = _around(one.tests, group)
            if group in self._all_groups(later) or not may_meet((*around, *later.tests), group):
                continue
            message = "what is refused in front of another condition is refused for this one too"
            self._lose(later.rule, Feature.ALLOW, message, conjunction((*around, *_widened(group))))
            for name in _compared(group):
                self._lose_unclear(later.rule, name)
            for name in _compared(around):
                # Lines that are compared as one may be taken where none of them is.
                self._lose(later.rule, Feature.HEADER, message, Test(Header(name), Present()), repeated=name)

    def _lose_unclear(self, rule: AuthzRule, name: str) -> None:
        message = f"a header `{name}` is refused that is sent twice, or holds a comma or more than visible ASCII"
        self._lose(rule, Feature.HEADER, message, header_forms.is_unclear(name))
        self._lose(rule, Feature.HEADER, message, Test(Header(name), Present()), repeated=name)

    def _lose(
        self, rule: AuthzRule, feature: Feature, message: str, region: Predicate, repeated: str | None = None
    ) -> None:
        self.losses.append(
            Loss(feature, Direction.STRICTER, str(rule.id), message, rule.origin, region, repeated=repeated)
        )

    @staticmethod
    def _check_size(headers: tuple[HeaderForm, ...], queries: tuple[QueryForm, ...]) -> None:
        if len(_distinct(headers)) > _MOST_TESTS or len(_distinct(queries)) > _MOST_TESTS:
            reason = f"a match asks for {_MOST_TESTS} headers and {_MOST_TESTS} query parameters at most"
            raise NotExpressibleError(Feature.HEADER, reason)


def _route(
    rule: AuthzRule,
    path: PathForm | None,
    method: str | None,
    headers: tuple[HeaderForm, ...],
    queries: tuple[QueryForm, ...],
    *,
    is_allowed: bool = False,
) -> RouteMatch:
    return RouteMatch(is_allowed, path, method, _distinct(headers), _distinct(queries), (str(rule.id),))


def _distinct(forms: tuple[_Form, ...]) -> tuple[_Form, ...]:
    return tuple(dict.fromkeys(forms))


def _name(test: Test) -> str:
    if not isinstance(test.attribute, Header | Query):
        raise TypeError(test)
    return test.attribute.name


def _compared(group: Group) -> tuple[str, ...]:
    """The headers of a group of which values are compared, and not only looked for commas."""
    tests = (test for test in of(group, Header) if not isinstance(test.matcher, Present))
    return tuple(dict.fromkeys(_name(test) for test in tests if test != header_forms.with_comma(_name(test))))


def _has_expression(one: Alternative) -> bool:
    return any(path_forms.is_expression(test.matcher) for test in of(one.tests, Path))


def _check_attributes(tests: Group) -> None:
    """Permissions that hold anything else are told to be unjudgeable before."""
    for test in tests:
        if not isinstance(test.attribute, _ATTRIBUTES):
            raise NotExpressibleError(Feature.ALLOW, "it asks for what no match of a gateway route reads")


def _widened(group: Group) -> Group:
    """What a route that refuses the group takes: whatever value a query parameter has."""
    return tuple(Test(one.attribute, Present()) if isinstance(one.attribute, Query) else one for one in group)


def _around(tests: Group, group: Group) -> Group:
    """What a route that refuses the group asks of `tests`: all, but for paths that no pattern takes with its own."""
    try:
        path_forms.meet((*of(tests, Path), *of(group, Path)))
    except LookupError:
        return tests
    except NotExpressibleError:
        return tuple(test for test in tests if not isinstance(test.attribute, Path))
    return tests


def _narrower(around: Group, inside: Group) -> Matcher | None:
    """The pattern of the paths that both take, or of those `inside` where no one pattern takes both."""
    try:
        return path_forms.meet((*around, *inside))
    except NotExpressibleError:
        return path_forms.meet(inside)
