"""Claims and what they assume."""

from __future__ import annotations

from meshproof.dsl.ast.claims import (
    AssumeUnreachable,
    AtMostAttempts,
    CanCall,
    CanReach,
    Claim,
    Control,
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
from meshproof.dsl.ast.operations import Operation
from meshproof.dsl.ast.sets import PrimarySet, SetExpression
from meshproof.dsl.ast.tests import Given
from meshproof.dsl.ast.values import Name, Number, Text
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.tests import TestsBuilder


class ClaimsBuilder(TestsBuilder):
    """The productions of `prove` blocks."""

    def prove(
        self,
        start: int,
        end: int,
        title: Text,
        controls: tuple[Control, ...] | None,
        *entries: Claim | AssumeUnreachable | Setting,
    ) -> Prove:
        settings = [entry for entry in entries if isinstance(entry, Setting)]
        return Prove(
            title,
            controls or (),
            claims=tuple(entry for entry in entries if not isinstance(entry, AssumeUnreachable | Setting)),
            assumptions=tuple(entry for entry in entries if isinstance(entry, AssumeUnreachable)),
            env=Settings(self, settings).env(),
            span=self.span(start, end),
        )

    def controls(self, _start: int, _end: int, *controls: Control) -> tuple[Control, ...]:
        return controls

    def control(self, start: int, end: int, framework: Name, control: Text) -> Control:
        return Control(framework, control, span=self.span(start, end))

    def assume(self, start: int, end: int, callers: PrimarySet, *reasons: Setting) -> AssumeUnreachable:
        return AssumeUnreachable(callers, Settings(self, reasons).reasons(), span=self.span(start, end))

    def only_reaches(
        self,
        start: int,
        end: int,
        sources: SetExpression,
        destinations: SetExpression,
        operations: tuple[Operation, ...] | None,
        when: Setting | None,
    ) -> OnlyReaches:
        destinations = self.as_destinations(destinations)
        return OnlyReaches(sources, destinations, operations or (), self._condition(when), span=self.span(start, end))

    def no_request(
        self,
        start: int,
        end: int,
        sources: SetExpression,
        destinations: SetExpression,
        operations: tuple[Operation, ...] | None,
        when: Setting | None,
    ) -> NoRequest:
        destinations = self.as_destinations(destinations)
        return NoRequest(sources, destinations, operations or (), self._condition(when), span=self.span(start, end))

    def _condition(self, when: Setting | None) -> Expression | None:
        conditions = Settings(self, [when] if when else []).conditions("when")
        return conditions[0] if conditions else None

    def every_request_is(
        self,
        start: int,
        end: int,
        sources: SetExpression | None,
        destinations: SetExpression,
        operations: tuple[Operation, ...],
    ) -> EveryRequestIs:
        return EveryRequestIs(sources, self.as_destinations(destinations), operations, span=self.span(start, end))

    def every_request_is_mtls(
        self, start: int, end: int, sources: SetExpression | None, destinations: SetExpression
    ) -> EveryRequestIsMtls:
        return EveryRequestIsMtls(sources, self.as_destinations(destinations), span=self.span(start, end))

    def every_request_satisfies(
        self,
        start: int,
        end: int,
        sources: SetExpression | None,
        destinations: SetExpression,
        operations: tuple[Operation, ...] | None,
        condition: Expression,
    ) -> EveryRequestSatisfies:
        destinations = self.as_destinations(destinations)
        return EveryRequestSatisfies(sources, destinations, operations or (), condition, span=self.span(start, end))

    def can_reach(
        self,
        start: int,
        end: int,
        sources: SetExpression,
        destinations: SetExpression,
        operations: tuple[Operation, ...] | None,
    ) -> CanReach:
        return CanReach(sources, self.as_destinations(destinations), operations or (), span=self.span(start, end))

    def can_call(
        self,
        start: int,
        end: int,
        sources: SetExpression,
        destinations: SetExpression,
        operation: Operation,
        givens: tuple[Given, ...] | None,
    ) -> CanCall:
        destinations = self.as_destinations(destinations)
        return CanCall(sources, destinations, operation, givens or (), span=self.span(start, end))

    def no_path(
        self,
        start: int,
        end: int,
        sources: SetExpression,
        destinations: SetExpression,
        bypassing: SetExpression | None,
        within: Number | None,
    ) -> NoPath:
        if within is not None and within.value == 0:
            self.find(
                "MP110", "a path has no hop", within.span, "at least 1", advice="`within 1 hops` is a direct call"
            )
        return NoPath(sources, self.as_destinations(destinations), bypassing, within, span=self.span(start, end))

    def isolated_from(self, start: int, end: int, sources: SetExpression, destinations: SetExpression) -> IsolatedFrom:
        return IsolatedFrom(sources, self.as_destinations(destinations), span=self.span(start, end))

    def no_mirror(self, start: int, end: int, destinations: SetExpression, zone: SetExpression) -> NoMirror:
        return NoMirror(self.as_destinations(destinations), zone, span=self.span(start, end))

    def at_most_attempts(self, start: int, end: int, limit: Number, sources: SetExpression) -> AtMostAttempts:
        return AtMostAttempts(limit, sources, span=self.span(start, end))
