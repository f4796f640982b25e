"""Claims and tests as items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from meshproof.dsl.ast.claims import (
    AssumeUnreachable,
    AtMostAttempts,
    CanCall,
    CanReach,
    Claim,
    EveryRequestIs,
    EveryRequestIsMtls,
    EveryRequestSatisfies,
    IsolatedFrom,
    NoMirror,
    NoPath,
    NoRequest,
    OnlyReaches,
    Prove,
)
from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.operations import CallOperation
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.tests import (
    Case,
    CaseRequest,
    ExpectAllow,
    ExpectDeny,
    ExpectRoute,
    Given,
    GivenAnswer,
    GivenAttribute,
    GivenDay,
    GivenInvalidToken,
    GivenToken,
    Outcome,
    Send,
    Suite,
)
from meshproof.dsl.ast.values import Name
from meshproof.dsl.format.declarations import endpoint, many, reasons
from meshproof.dsl.format.item import Block, Item
from meshproof.dsl.format.rules import target
from meshproof.dsl.format.words import (
    GIVEN_WORDS,
    Words,
    comma_separated,
    first_name,
    name,
    operation,
    operations,
    place_of,
    regions_of,
    scalar,
)
from meshproof.dsl.parser.lexer import PATH_ALONE
from meshproof.dsl.tree_to_ast.paths import is_wildcard
from meshproof.dsl.tree_to_ast.strings import encode


class ClaimItems:
    """Makes items of `prove` and `test` blocks."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def prove(self, node: Prove) -> Item:
        """`prove "title" [for …] { … }`."""
        controls = comma_separated(f"{name(one.framework)} {scalar(one.control)}" for one in node.controls)
        head = (f"prove {scalar(node.title)}", *([f"for {controls[0]}", *controls[1:]] if controls else []))
        entries = (
            *(Item(item.place, item.cells) for item in many("env", node.env)),
            *map(self._assumption, node.assumptions),
            *map(self._claim_item, node.claims),
        )
        last = node.controls[-1] if node.controls else node.title
        block = Block(entries, (last.span.end, node.span.end))
        return Item(place_of(node), lambda: head, kind="prove", aligned=1, block=block)

    def _assumption(self, node: AssumeUnreachable) -> Item:
        given = [" ".join(item.cells()) for item in reasons(node.reasons)]
        return Item(
            place_of(node),
            lambda: (f"assume unreachable {self._words.set(node.callers)}", *given),
            regions=regions_of(node.callers),
        )

    def _claim_item(self, node: Claim) -> Item:
        return Item(place_of(node), lambda: self.claim(node), regions=regions_of(node))

    def claim(self, node: Claim) -> tuple[str, ...]:
        """A claim as cells, so that it may be broken between them."""
        to = self._words.set
        match node:
            case OnlyReaches(sources, destinations, ops, when):
                return f"only {to(sources)} reaches {to(destinations)}", *operations(ops), *self._when(when)
            case NoRequest(sources, destinations, ops, when):
                head = f"no request from {to(sources)} to {to(destinations)}"
                return head, *operations(ops), *self._when(when)
            case EveryRequestIs(sources, destinations, ops):
                first, *rest = operations(ops)
                return self._every(sources, destinations), f"is {first}", *rest
            case EveryRequestIsMtls(sources, destinations):
                return self._every(sources, destinations), "is mtls"
            case EveryRequestSatisfies(sources, destinations, ops, condition):
                first, *rest = self._words.condition(condition)
                return self._every(sources, destinations), *operations(ops), f"satisfies {first}", *rest
            case CanReach(sources, destinations, ops):
                return f"{to(sources, is_first=True)} can reach {to(destinations)}", *operations(ops)
            case CanCall(sources, destinations, op, given):
                head = f"{to(sources, is_first=True)} can call {to(destinations)}"
                return head, " ".join(operation(op)), *self._givens(given)
            case _:
                return self._path_claim(node)

    def _path_claim(self, node: NoPath | IsolatedFrom | NoMirror | AtMostAttempts) -> tuple[str, ...]:
        to = self._words.set
        match node:
            case NoPath(sources, destinations, bypassing, within):
                around = () if bypassing is None else (f"bypassing {to(bypassing)}",)
                hops = () if within is None else (f"within {scalar(within)} hops",)
                return f"no path from {to(sources)} to {to(destinations)}", *around, *hops
            case IsolatedFrom(sources, destinations):
                return (f"{to(sources, is_first=True)} is isolated from {to(destinations)}",)
            case NoMirror(destinations, zone):
                return (f"no mirror from {to(destinations)} leaves {to(zone)}",)
            case AtMostAttempts(limit, sources):
                return (f"at most {scalar(limit)} attempts from {to(sources)}",)
            case _:
                assert_never(node)

    def _every(self, sources: SetExpression | None, destinations: SetExpression) -> str:
        of = "" if sources is None else f" from {self._words.set(sources)}"
        return f"every request{of} to {self._words.set(destinations)}"

    def _when(self, node: Expression | None) -> tuple[str, ...]:
        if node is None:
            return ()
        first, *rest = self._words.condition(node)
        return f"when {first}", *rest

    # ---- tests

    def suite(self, node: Suite) -> Item:
        """`test NAME { … }`."""
        env = (Item(item.place, item.cells) for item in many("env", node.env))
        entries = (*env, *map(self._case_item, node.cases))
        block = Block(entries, (node.name.span.end, node.span.end))
        return Item(place_of(node), lambda: (f"test {name(node.name)}",), kind="test", aligned=1, block=block)

    def _case_item(self, node: Case) -> Item:
        return Item(
            place_of(node),
            lambda: self._short_case(node),
            kind="case",
            aligned=2,
            parts=lambda: self.case(node),
        )

    def _short_case(self, node: Case) -> tuple[str, ...]:
        source, *request, outcome = self.case(node)
        return source, " ".join(request), outcome

    def case(self, node: Case) -> tuple[str, ...]:
        """A test line as cells."""
        return *self.request(node.request), f"=> {' '.join(self._outcome(node.outcome))}"

    def request(self, node: CaseRequest) -> tuple[str, ...]:
        """The request of a test line as cells."""
        head = f"-> {endpoint(node.destination)}"
        match node.operation:
            case Send(method, path):
                head += f" {method} {_sent_path(path)}"
            case CallOperation() as call:
                head += f" {' '.join(operation(call))}"
            case None:
                pass
            case _:
                assert_never(node.operation)
        return self._words.set(node.source, is_first=True), head, *self._givens(node.givens)

    def _givens(self, nodes: Iterable[Given]) -> tuple[str, ...]:
        first, *rest = (*comma_separated(map(self._given, nodes)), "")
        return (f"with {first}", *rest[:-1]) if first else ()

    def _given(self, node: Given) -> str:
        match node:
            case GivenAttribute(attribute, value):
                return f"{self._words.attribute(attribute)} == {scalar(value)}"
            case GivenToken(issuer):
                return f"token from {name(issuer)}"
            case GivenInvalidToken():
                return "token invalid"
            case GivenDay(day):
                return f"at {scalar(day)}"
            case GivenAnswer(authorizer, answer):
                return f"{first_name(authorizer, GIVEN_WORDS)} == {answer.value}"
            case _:
                assert_never(node)

    def _outcome(self, node: Outcome) -> tuple[str, ...]:
        match node:
            case ExpectAllow(by):
                return ("allow", *_by(by))
            case ExpectDeny(by, at):
                return ("deny", *_by(by), *(() if at is None else ("at", at.value)))
            case ExpectRoute(targets):
                return ("route", *comma_separated(map(target, targets)))
            case _:
                assert_never(node)


def _by(rule: Name | None) -> tuple[str, ...]:
    return () if rule is None else ("by", name(rule))


def _sent_path(path: str) -> str:
    """A path of a test, in quotes if it would end early or be taken for a pattern."""
    is_plain = PATH_ALONE.fullmatch(path) is not None and not is_wildcard(path) and path.isprintable()
    return path if is_plain else encode(path)
