"""Tests and the requests that they make."""

from __future__ import annotations

from meshproof.dsl.ast.declarations import Endpoint
from meshproof.dsl.ast.expressions import Attribute
from meshproof.dsl.ast.operations import CallOperation
from meshproof.dsl.ast.routes import Target
from meshproof.dsl.ast.sets import Identity
from meshproof.dsl.ast.tests import (
    Answer,
    Case,
    CaseOperation,
    CaseRequest,
    CaseSource,
    DenyReason,
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
from meshproof.dsl.ast.values import Date, Name, Scalar, Text
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.paths import is_wildcard
from meshproof.dsl.tree_to_ast.routes import RoutesBuilder


class TestsBuilder(RoutesBuilder):
    """The productions of `test` blocks."""

    __test__ = False  # no test of pytest's

    def suite(self, start: int, end: int, name: Name, *entries: Case | Setting) -> Suite:
        cases = tuple(entry for entry in entries if isinstance(entry, Case))
        env = Settings(self, [entry for entry in entries if isinstance(entry, Setting)]).env()
        return Suite(name, cases, env, span=self.span(start, end))

    def case(self, start: int, end: int, request: CaseRequest, outcome: Outcome) -> Case:
        return Case(request, outcome, span=self.span(start, end))

    def case_request(
        self,
        start: int,
        end: int,
        source: CaseSource,
        destination: Endpoint,
        operation: CaseOperation | None,
        givens: tuple[Given, ...] | None,
    ) -> CaseRequest:
        if isinstance(source, Identity) and isinstance(source.uri, Text) and source.uri.value.endswith("/*"):
            self.find("MP122", "a test has many sources", source.span, "one identity", advice="write a whole identity")
        if isinstance(operation, CallOperation) and operation.method is None:
            advice = "name the method that is called"
            self.find("MP113", "a test calls every method of a service", operation.span, "one request", advice=advice)
        return CaseRequest(source, destination, operation, givens or (), span=self.span(start, end))

    def send(self, start: int, end: int, method: str, path: str) -> Send:
        if is_wildcard(path):
            at = self.span(end - len(path), end)
            advice = f'a test sends one path; one with these very characters is a string: `"{path}"`'
            self.find("MP113", "a test sends a pattern", at, "many paths", advice=advice)
        return self._send(start, end, method, path)

    def send_quoted(self, start: int, end: int, method: str, quoted: str) -> Send:
        return self._send(start, end, method, self.decoded(end - len(quoted), quoted))

    def _send(self, start: int, end: int, method: str, path: str) -> Send:
        if "|" in method:
            at = self.span(start, start + len(method))
            self.find("MP113", "a test sends several methods", at, "one request", advice="write a line for each")
        return Send(method, path, span=self.span(start, end))

    # ---- what is given

    def givens(self, _start: int, _end: int, *givens: Given) -> tuple[Given, ...]:
        return givens

    def given_attribute(self, start: int, end: int, attribute: Attribute, value: Scalar) -> GivenAttribute:
        return GivenAttribute(attribute, value, span=self.span(start, end))

    def given_token(self, start: int, end: int, issuer: Name) -> GivenToken:
        return GivenToken(issuer, span=self.span(start, end))

    def given_invalid_token(self, start: int, end: int) -> GivenInvalidToken:
        return GivenInvalidToken(span=self.span(start, end))

    def given_day(self, start: int, end: int, day: Date) -> GivenDay:
        return GivenDay(day, span=self.span(start, end))

    def given_answer(self, start: int, end: int, authorizer: Name, answer: Answer) -> GivenAnswer:
        return GivenAnswer(authorizer, answer, span=self.span(start, end))

    def answer(self, start: int, end: int) -> Answer:
        return Answer(self.text[start:end])

    # ---- what is expected

    def expect_allow(self, start: int, end: int, by: Name | None) -> ExpectAllow:
        return ExpectAllow(by, span=self.span(start, end))

    def expect_deny(self, start: int, end: int, by: Name | None) -> ExpectDeny:
        return ExpectDeny(by, span=self.span(start, end))

    def expect_deny_at(self, start: int, end: int, word: Name) -> ExpectDeny:
        known = self.expect_word(word, [reason.value for reason in DenyReason], "step that refuses")
        return ExpectDeny(at=DenyReason(word.text) if known else None, span=self.span(start, end))

    def expect_route(self, start: int, end: int, targets: tuple[Target, ...]) -> ExpectRoute:
        return ExpectRoute(targets, span=self.span(start, end))
