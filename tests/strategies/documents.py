"""Random trees of the policy language: everything that can be written, whether it makes sense or not."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from meshproof.dsl.ast import (
    claims,
    declarations,
    document,
    expressions,
    operations,
    reasons,
    routes,
    rules,
    sets,
    tests,
    values,
)
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.problems import LEDGER

T = TypeVar("T")
FEW = 3
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BARE = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
WORDS = st.sampled_from(
    [
        *("a", "checkout", "v1", "shop", "by", "call", "env", "of", "path", "port", "route", "test", "token", "with"),
        *("all", "namespace", "not", "every", "3scale", "my_sa", "a.b/c", "Upper", "x" * 64, 'quo"te'),
        *("back\\slash", "é", "a b"),
    ]
)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
FLAGS = st.sampled_from([None, Flag()])

names = st.builds(values.Name, BARE | WORDS)
texts = st.builds(values.Text, ANY_TEXT)
numbers = st.builds(values.Number, st.integers(0, 2**31 - 1))
value_refs = st.builds(values.ValueRef, BARE)
percents = st.builds(values.Percent, st.integers(0, 100))
dates = st.builds(values.Date, st.dates(dt.date(1000, 1, 1)))
durations = st.builds(values.Duration, st.integers(1, 10**6), st.sampled_from(values.DurationUnit))
string_values = texts | value_refs
number_values = numbers | value_refs
scalars = texts | numbers | value_refs
port_refs = names | numbers | value_refs


def few(elements: SearchStrategy[T], least: int = 0) -> SearchStrategy[tuple[T, ...]]:
    """A short tuple."""
    return st.lists(elements, min_size=least, max_size=FEW).map(tuple)


def maybe(element: SearchStrategy[T]) -> SearchStrategy[T | None]:
    """The element, or nothing."""
    return st.none() | element


env = few(names)

# ---- sets

namespace_sets = st.builds(sets.NamespaceSet, names, maybe(string_values))
simple_sets = st.one_of(
    st.builds(sets.Named, names),
    st.builds(sets.Named, names),
    namespace_sets,
    st.builds(sets.Tagged, names),
    st.just(sets.AllServices()),
)
source_sets = simple_sets | st.one_of(
    st.builds(sets.Identity, string_values),
    *(st.just(kind()) for kind in (sets.Authenticated, sets.Plaintext, sets.Anyone, sets.Internet)),
)


def operators(terms: SearchStrategy[object]) -> SearchStrategy[object]:
    """A term, or one operator over terms."""
    several = few(terms, least=2)
    return st.one_of(
        terms,
        st.builds(sets.Except, terms, terms),
        st.builds(sets.Union, several),
        st.builds(sets.Intersection, several),
    )


def in_braces(inner: SearchStrategy[object]) -> SearchStrategy[object]:
    """Members in braces."""
    return st.builds(sets.Braces, few(inner, least=1))


caller_terms = st.recursive(source_sets, lambda inner: in_braces(operators(inner)), max_leaves=5)
callers = operators(caller_terms)


def destination_terms_over(primary: SearchStrategy[object]) -> SearchStrategy[object]:
    """A set, or one of its ports."""
    return primary | st.builds(sets.AtPort, primary, port_refs)


destination_primaries = st.recursive(
    simple_sets, lambda inner: in_braces(operators(destination_terms_over(inner))), max_leaves=5
)
destinations = operators(destination_terms_over(destination_primaries))

# ---- operations and conditions

SEGMENT_TEXT = st.text("abcXYZ019-._~!$&'()+,;:@[]", min_size=1, max_size=6)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "M-SEARCH", "X_1"])
methods = st.lists(METHODS, unique=True, max_size=FEW).map(tuple)
UNNORMAL = frozenset({".", ".."})


def balanced(text: str) -> bool:
    """Whether the brackets of a segment are such that a path does not end at them."""
    depth = 0
    opened = ""
    for character in text:
        if character in "([":
            depth += 1
            opened += ")" if character == "(" else "]"
        elif character in ")]":
            if not opened or opened[-1] != character:
                return False
            opened = opened[:-1]
    return not opened and depth <= 2


literal_segments = st.builds(
    operations.LiteralSegment,
    SEGMENT_TEXT.filter(lambda text: text not in UNNORMAL and balanced(text))
    | st.sampled_from(["%2B", "a%20b", "a;x=1"]),
)
any_segments = st.builds(operations.AnySegment, maybe(st.from_regex(r"[a-z_][A-Za-z0-9_.-]{0,4}", fullmatch=True)))


def paths_over(segments: SearchStrategy[object]) -> SearchStrategy[operations.PathPattern]:
    """Patterns of segments, some with a last slash, some with a rest."""
    start = st.lists(segments, max_size=FEW)
    end = st.sampled_from([[], [operations.LiteralSegment("")]])
    closed = st.tuples(start, end).map(lambda parts: tuple(parts[0] + parts[1])).filter(bool)
    return st.one_of(
        st.builds(operations.PathPattern, closed, st.just(value=False)),
        st.builds(operations.PathPattern, start.map(tuple), st.just(value=True)),
    )


paths = paths_over(literal_segments | any_segments)
literal_paths = paths_over(literal_segments)
SERVICE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,4}(\.[A-Za-z0-9_]{1,4}){0,2}", fullmatch=True)
METHOD_NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
calls = st.builds(operations.CallOperation, SERVICE, maybe(METHOD_NAME))
single_calls = st.builds(operations.CallOperation, SERVICE, METHOD_NAME)
any_operations = st.builds(operations.HttpOperation, methods, paths) | calls

path_attribute = st.just(expressions.FieldAttribute(expressions.Field.PATH))
attributes = st.one_of(
    st.builds(expressions.FieldAttribute, st.sampled_from(expressions.Field)),
    st.builds(expressions.HeaderAttribute, ANY_TEXT),
    st.builds(expressions.QueryAttribute, ANY_TEXT),
    st.builds(expressions.ClaimAttribute, few(ANY_TEXT, least=1)),
)
PATTERN = st.text(r"abc.*[]()|\^$ é", max_size=6)
simple_tests = st.one_of(
    st.builds(expressions.SourceIn, st.builds(sets.Named, names) | namespace_sets | in_braces(callers)),
    st.builds(expressions.Equals, attributes, scalars, st.booleans()),
    st.builds(expressions.OneOf, attributes, few(scalars, least=1)),
    st.builds(expressions.InNetwork, attributes, string_values),
    st.builds(expressions.PathIn, paths),
    st.builds(expressions.StartsWith, attributes, string_values),
    st.builds(expressions.EndsWith, attributes, string_values),
    st.builds(expressions.Matches, attributes, st.builds(values.Regex, PATTERN)),
    st.builds(expressions.Has, attributes),
    st.just(expressions.HasToken()),
    st.builds(expressions.TokenFrom, names),
)


def not_negated(inner: SearchStrategy[object]) -> SearchStrategy[object]:
    """What `not` may stand before."""
    return inner.filter(lambda node: not isinstance(node, expressions.Not))


conditions = st.recursive(
    simple_tests,
    lambda inner: st.one_of(
        st.builds(expressions.Not, not_negated(inner)),
        st.builds(expressions.AllOf, few(inner, least=2)),
        st.builds(expressions.AnyOf, few(inner, least=2)),
    ),
    max_leaves=5,
)

# ---- declarations

some_reasons = st.builds(reasons.Reasons, maybe(texts), maybe(texts), maybe(dates))
mtls_defaults = st.builds(reasons.MtlsDefault, st.sampled_from(reasons.MtlsMode), some_reasons)
observes = st.builds(reasons.Observe, some_reasons)
labels = few(st.builds(declarations.Label, names, string_values))
endpoints = st.builds(declarations.Endpoint, names, maybe(port_refs))


def ports(**flags: SearchStrategy[object]) -> SearchStrategy[tuple[object, ...]]:
    """The ports of a declaration."""
    protocols = st.sampled_from(declarations.Protocol)
    return few(st.builds(declarations.Port, maybe(names), protocols, number_values, maybe(number_values), **flags))


meshes = st.builds(
    declarations.Mesh,
    names,
    maybe(numbers),
    maybe(string_values),
    few(string_values),
    few(string_values),
    maybe(names),
    maybe(mtls_defaults),
    maybe(st.builds(declarations.EgressDefault, st.sampled_from(declarations.Egress))),
    few(names),
)
namespaces = st.builds(
    declarations.Namespace, names, maybe(texts), maybe(mtls_defaults), FLAGS, few(texts), maybe(observes), env
)
services = st.builds(
    declarations.Service,
    names,
    ports(),
    maybe(names),
    maybe(names),
    maybe(string_values),
    maybe(string_values),
    labels,
    few(names),
    few(names),
    few(names),
    few(endpoints),
    maybe(observes),
    env,
)
gateways = st.builds(
    declarations.Gateway,
    names,
    ports(passthrough=FLAGS),
    maybe(names),
    maybe(names),
    maybe(string_values),
    few(string_values),
    maybe(string_values),
    maybe(string_values),
    labels,
    maybe(number_values),
    few(names),
    env,
)
externals = st.builds(declarations.External, names, few(string_values), ports(originate=FLAGS), maybe(names), env)
locations = st.builds(declarations.TokenLocation, st.sampled_from(declarations.TokenPlace), string_values)
issuers = st.builds(
    declarations.Issuer,
    names,
    maybe(string_values),
    maybe(string_values),
    few(string_values),
    maybe(locations),
    FLAGS,
    env,
)
protocols = st.builds(declarations.AuthorizerProtocolSetting, st.sampled_from(declarations.AuthorizerProtocol))
authorizers = st.builds(declarations.Authorizer, names, maybe(string_values), maybe(protocols), maybe(durations), env)
zones = st.builds(declarations.Zone, names, callers, env) | st.builds(declarations.ZoneParameter, names, texts)
literals = texts | numbers
overrides = few(st.builds(declarations.ValueOverride, few(names, least=1), literals))
some_values = st.builds(declarations.Value, names, literals, overrides)

# ---- rules and routes

some_rules = st.builds(
    rules.Rule,
    st.sampled_from(rules.Effect),
    maybe(names),
    callers,
    destinations,
    few(any_operations),
    few(conditions),
    few(conditions),
    some_reasons,
    maybe(names),
    few(names),
    env,
    FLAGS,
)
mtls_statements = st.builds(rules.MtlsStatement, st.sampled_from(reasons.MtlsMode), destinations, some_reasons, env)
targets = st.builds(routes.Target, names, maybe(port_refs), maybe(percents))
retry_reasons = st.builds(routes.RetryOn, st.sampled_from(routes.RetryReason) | st.integers(100, 599))
header_names = texts
header_edits = st.builds(
    routes.HeaderEdit,
    st.sampled_from([routes.HeaderAction.SET, routes.HeaderAction.ADD]),
    header_names,
    string_values,
) | st.builds(routes.HeaderEdit, st.just(routes.HeaderAction.REMOVE), header_names)
max_ages = st.builds(values.Duration, st.integers(0, 10**6), st.sampled_from(values.DurationUnit))
cors = st.builds(routes.Cors, few(string_values), methods, few(texts), FLAGS, maybe(max_ages))
redirect_statuses = maybe(st.builds(values.Number, st.sampled_from([301, 302, 307, 308])))
redirects = st.builds(routes.Redirect, redirect_statuses, string_values, maybe(literal_paths)) | st.builds(
    routes.Redirect, redirect_statuses, st.none(), literal_paths
)
balances = st.sampled_from([routes.BalanceKind.LEAST_REQUEST, routes.BalanceKind.ROUND_ROBIN]).map(routes.Balance)
hashes = st.builds(routes.Balance, st.just(routes.BalanceKind.HASH), texts)
limits = st.lists(
    st.builds(routes.Limit, st.sampled_from(routes.LimitKind), number_values),
    unique_by=lambda limit: limit.kind,
    max_size=FEW,
).map(tuple)


def settings(redirect: SearchStrategy[object]) -> SearchStrategy[routes.RouteSettings]:
    """The settings of a route or a branch."""
    statuses = st.builds(values.Number, st.integers(100, 599))
    return st.builds(
        routes.RouteSettings,
        maybe(durations),
        maybe(st.builds(routes.Retry, number_values, few(retry_reasons, least=1), maybe(durations))),
        maybe(st.builds(routes.Mirror, st.builds(routes.Target, names, maybe(port_refs), percents))),
        maybe(st.builds(routes.Rewrite, literal_paths)),
        redirect,
        few(header_edits),
        maybe(cors),
        maybe(st.builds(routes.FaultDelay, durations, percents)),
        maybe(st.builds(routes.FaultAbort, statuses, percents)),
        limits,
        maybe(st.builds(routes.Ejection, number_values, durations, percents)),
        maybe(balances | hashes),
        maybe(texts),
    )


ENDS = st.one_of(
    st.tuples(few(targets, least=1), maybe(settings(st.none()))),
    st.tuples(st.just(()), settings(maybe(redirects))),
)


@st.composite
def branches(draw: st.DrawFn) -> routes.Branch:
    """Branches, each with something to match."""
    whole = st.tuples(maybe(string_values), methods, maybe(paths), maybe(conditions)).filter(any)
    host, taken, path, when = draw(whole)
    targets, settings = draw(ENDS)
    return routes.Branch(host, taken, path, when, targets, settings)


@st.composite
def branch_lists(draw: st.DrawFn) -> tuple[routes.RouteBranch, ...]:
    """Branches with an `otherwise` at the end or none."""
    last = [routes.Otherwise(*draw(ENDS))] if draw(st.booleans()) else []
    return (*draw(st.lists(branches(), max_size=FEW)), *last)


some_routes = st.builds(routes.Route, destinations, branch_lists(), settings(st.none()), env)

# ---- claims and tests

givens = few(
    st.one_of(
        st.builds(tests.GivenAttribute, attributes, scalars),
        st.builds(tests.GivenToken, names),
        st.just(tests.GivenInvalidToken()),
        st.builds(tests.GivenDay, dates),
        st.builds(tests.GivenAnswer, names, st.sampled_from(tests.Answer)),
    )
)
some_operations = few(any_operations)
some_claims = st.one_of(
    st.builds(claims.OnlyReaches, callers, destinations, some_operations, maybe(conditions)),
    st.builds(claims.NoRequest, callers, destinations, some_operations, maybe(conditions)),
    st.builds(claims.EveryRequestIs, maybe(callers), destinations, few(any_operations, least=1)),
    st.builds(claims.EveryRequestIsMtls, maybe(callers), destinations),
    st.builds(claims.EveryRequestSatisfies, maybe(callers), destinations, some_operations, conditions),
    st.builds(claims.CanReach, callers, destinations, some_operations),
    st.builds(claims.CanCall, callers, destinations, any_operations, givens),
    st.builds(
        claims.NoPath,
        callers,
        destinations,
        maybe(callers),
        maybe(st.builds(values.Number, st.integers(1, 9))),
    ),
    st.builds(claims.IsolatedFrom, callers, destinations),
    st.builds(claims.NoMirror, destinations, callers),
    st.builds(claims.AtMostAttempts, numbers, callers),
)
proves = st.builds(
    claims.Prove,
    texts,
    few(st.builds(claims.Control, names, texts)),
    few(some_claims),
    few(st.builds(claims.AssumeUnreachable, caller_terms, some_reasons)),
    env,
)
identities = st.builds(
    sets.Identity,
    value_refs | st.builds(values.Text, ANY_TEXT.filter(lambda text: not text.endswith("/*"))),
)
sources = st.one_of(st.builds(sets.Named, names), identities, st.just(sets.Plaintext()), st.just(sets.Internet()))
sent_paths = ANY_TEXT | st.sampled_from(
    ["/", "/a/b?x=1", "/a#b", "/%2e%2e", "/x/*", "/**", "/t/{tenant}", "/a=>b", "/(a"]
)
sends = st.builds(tests.Send, METHODS, sent_paths)
requests = st.builds(tests.CaseRequest, sources, endpoints, maybe(sends | single_calls), givens)
outcomes = st.one_of(
    st.builds(tests.ExpectAllow, maybe(names)),
    st.builds(tests.ExpectDeny, maybe(names)),
    st.builds(tests.ExpectDeny, st.none(), st.sampled_from(tests.DenyReason)),
    st.builds(tests.ExpectRoute, few(targets, least=1)),
)
cases = st.builds(tests.Case, requests, outcomes)
suites = st.builds(tests.Suite, names, few(cases), env)

# ---- documents

bindings = st.lists(
    st.builds(document.Binding, names, callers), unique_by=lambda binding: binding.name.text, max_size=FEW
).map(tuple)
codes = st.sampled_from([problem.code for problem in LEDGER]) | st.just("MP901")
waives = st.builds(document.Waive, st.builds(document.WaiverCode, codes), destinations, some_reasons)
statements = st.one_of(
    meshes,
    namespaces,
    services,
    gateways,
    externals,
    issuers,
    authorizers,
    zones,
    some_values,
    some_rules,
    some_rules,
    mtls_statements,
    some_routes,
    proves,
    suites,
    st.builds(document.UseFile, texts, bindings),
    st.builds(document.UsePack, texts, bindings),
    waives,
)
documents = st.builds(document.Document, few(statements))
