"""The sides of a box in words, as the language writes them, and as conditions that the interpreter reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from meshproof.compiler.ir.entities import Protocol
from meshproof.compiler.ir.matchers import Exact, Matcher, Present, Segments, Template
from meshproof.compiler.ir.predicate import (
    Always,
    Method,
    Path,
    Predicate,
    Test,
    TokenIssuer,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.ir.predicate_text import matcher_text, predicate_text
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.variables import CONNECT
from meshproof.compiler.verify.semantic_diff_dimensions import Dimension, DimensionKind
from meshproof.compiler.verify.semantic_diff_names import Named, Term, described, predicate_of

UNREADABLE = "with a token that is not accepted"
READABLE = "without a token that is not accepted"


@dataclass(frozen=True, slots=True)
class Worded:
    """A part of a region in words and as a condition; what the condition cannot say is in neither."""

    text: str
    predicate: Predicate


class Indescribable(Exception):  # noqa: N818  it says what is so
    """A set that the names in play do not tell apart."""


def condition_of(joint: Joint, dimension: Dimension, mask: int) -> Worded:
    """One side of a box but for callers, methods and paths. Raises Indescribable."""
    match dimension.kind:
        case DimensionKind.ATOM:
            return _of_atom(dimension, mask)
        case DimensionKind.UNREADABLE:
            return Worded(UNREADABLE if mask & 0b10 else READABLE, Always())
        case DimensionKind.ANSWER:
            return Worded(f"`{dimension.authorizer}` says {'yes' if mask & 0b10 else 'no'}", Always())
        case DimensionKind.LAYER:
            return Worded("as a request" if mask & 0b01 else "as a connection", Always())
        case DimensionKind.ISSUER:
            return _of_issuer(joint, dimension, mask)
        case _:
            predicate = predicate_of(_terms(mask, dimension.every, _single_names(joint, dimension)))
            return Worded(predicate_text(predicate), predicate)


def _of_atom(dimension: Dimension, mask: int) -> Worded:
    if dimension.attribute is None:
        raise AssertionError(dimension)
    test: Predicate = Test(dimension.attribute, Present() if dimension.matcher is None else dimension.matcher)
    predicate = test if mask & 0b10 else negation(test)
    return Worded(predicate_text(predicate), predicate)


def _of_issuer(joint: Joint, dimension: Dimension, mask: int) -> Worded:
    """No token is value 0."""
    names = {issuer.url: issuer.name for view in (joint.old, joint.new) for issuer in view.policy.issuers}
    urls = joint.environment.issuer_urls
    if mask == dimension.every & ~1 and len(urls) > 1:
        return Worded("has token", Test(TokenIssuer(), Present()))
    chosen = [url for number, url in enumerate(urls, 1) if mask >> number & 1]
    texts = [f"token from {names.get(url, url)}" for url in chosen]
    tests: list[Predicate] = [Test(TokenIssuer(), Exact(url)) for url in chosen]
    if mask & 1:
        texts.insert(0, "not has token")
        tests.insert(0, negation(Test(TokenIssuer(), Present())))
    return Worded(" or ".join(texts), disjunction(tuple(tests)))


def _single_names(joint: Joint, dimension: Dimension) -> Iterator[Named]:
    """The tests of an attribute with one value; hosts and authorities as sent share a variable."""
    for attribute, single in joint.environment.singles.items():
        if single.variable == dimension.variable:
            shift = int(single.may_be_absent)
            for matcher, mask in single.masks.items():
                test = Test(attribute, matcher)
                yield Named(matcher_text(attribute, matcher), mask << shift, test, _rank(matcher))
            if shift:
                present = Test(attribute, Present())
                yield Named(matcher_text(attribute, Present()), dimension.every & ~1, present, 1)


def _rank(matcher: Matcher) -> int:
    match matcher:
        case Exact():
            return 0
        case Segments() | Template():
            return 1
        case _:
            return 2


def reading_cost(joint: Joint, dimension: Dimension, mask: int) -> float:
    """How much there is to read about a set of values of an attribute; endless if it has no names."""
    try:
        return sum(term.cost for term in _terms(mask, dimension.every, _single_names(joint, dimension)))
    except Indescribable:
        return inf


def _terms(mask: int, every: int, names: Iterable[Named]) -> tuple[Term, ...]:
    found = described(mask & every, every, tuple(names))
    if found is None:
        raise Indescribable
    return found


def operations_of(joint: Joint, methods: tuple[Dimension, int] | None, paths: tuple[Dimension, int] | None) -> Worded:
    """Methods and paths as operations, several on lines of their own. Raises Indescribable."""
    method = _terms(*_possible(joint, methods)) if methods is not None else (Term(),)
    path = _terms(paths[1], paths[0].every, _single_names(joint, paths[0])) if paths is not None else (Term(),)
    is_call = _is_only(method, "POST") and any(
        view.policy.declared is not None and view.policy.declared.protocol is Protocol.GRPC
        for view in (joint.old, joint.new)
    )
    lines = [_line(_methods_text(method), term, is_call=is_call) for term in path]
    return Worded("\n".join(lines), conjunction((predicate_of(method), predicate_of(path))))


def _possible(joint: Joint, methods: tuple[Dimension, int]) -> tuple[int, int, tuple[Named, ...]]:
    """The methods, without CONNECT, which no request has."""
    dimension, mask = methods
    connect = joint.environment.singles[Method()].masks[CONNECT]
    names = tuple(one for one in _single_names(joint, dimension) if one.mask != connect)
    return mask & ~connect, dimension.every & ~connect, names


def _is_only(terms: tuple[Term, ...], method: str) -> bool:
    return len(terms) == 1 and not terms[0].outside and [_value(one) for one in terms[0].inside] == [method]


def _value(one: Named) -> str | None:
    match one.predicate:
        case Test(_, Exact(value)):
            return value
        case _:
            return None


def _methods_text(terms: tuple[Term, ...]) -> str:
    if all(len(term.inside) == 1 and not term.outside and _value(term.inside[0]) for term in terms):
        return "|".join(sorted(_value(term.inside[0]) or "" for term in terms))
    if terms == (Term(),):
        return "*"
    if len(terms) == 1 and not terms[0].inside and all(map(_value, terms[0].outside)):
        return f"(not {'|'.join(sorted(_value(one) or '' for one in terms[0].outside))})"
    return f"({predicate_text(predicate_of(terms))})"


def _line(methods: str, path: Term, *, is_call: bool) -> str:
    """One operation: `GET /a/** except /a/b`, `call x.Y/Z`, or with a condition where a path is no pattern."""
    if path == Term():
        return f"{methods} /**"
    inside = [_pattern(one) for one in path.inside]
    outside = [_pattern(one) for one in path.outside]
    if None in {*inside, *outside} or len(inside) > 1:
        return f"{methods} where {predicate_text(path.predicate)}"
    words = [f"{methods} {inside[0] if inside else '/**'}"]
    if is_call and len(inside) == 1 and str(inside[0]).count("/") == len("//"):
        words = [f"call {str(inside[0]).removeprefix('/')}"]
    if outside:
        words.append(f"except {', '.join(map(str, outside))}")
    return " ".join(words)


def _pattern(one: Named) -> str | None:
    match one.predicate:
        case Test(Path(), Exact(value)):
            return value
        case Test(Path(), Segments(pattern) | Template(pattern)):
            return pattern
        case _:
            return None
