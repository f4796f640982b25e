"""Rules and mTLS statements."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.operations import CallOperation, HttpOperation, Operation
from meshproof.dsl.ast.reasons import MtlsMode
from meshproof.dsl.ast.rules import Effect, MtlsStatement, Rule
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Name
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.problems import found
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.declarations import DeclarationsBuilder


@dataclass(frozen=True, slots=True)
class _Body:
    operations: tuple[Operation, ...] = ()
    clauses: tuple[Setting, ...] = ()


class RulesBuilder(DeclarationsBuilder):
    """The productions of rules and mTLS statements."""

    def rule(  # noqa: PLR0913, PLR0917 - the parts of the production
        self,
        start: int,
        end: int,
        audit: Flag | None,
        effect: Effect,
        name: Name | None,
        sources: SetExpression,
        destinations: SetExpression,
        body: _Body | None,
    ) -> Rule:
        span = self.span(start, end)
        destinations = self.as_destinations(destinations)
        if body is None or not body.clauses:
            operations = () if body is None else body.operations
            return Rule(effect, name, sources, destinations, operations, audit=audit, span=span)
        clauses = Settings(self, body.clauses)
        return Rule(
            effect,
            name,
            sources,
            destinations,
            body.operations,
            when=clauses.conditions("when"),
            unless=clauses.conditions("unless"),
            reasons=clauses.reasons(),
            via=clauses.one("via", Name),
            tags=clauses.many("tags", Name),
            env=clauses.env(),
            audit=audit,
            span=span,
        )

    def audit(self, start: int, end: int) -> Flag:
        return Flag(span=self.span(start, end))

    def effect(self, start: int, end: int) -> Effect:
        return Effect(self.text[start:end])

    def rule_body(self, _start: int, _end: int, *entries: Operation | Setting) -> _Body:
        operations = tuple(entry for entry in entries if isinstance(entry, HttpOperation | CallOperation))
        clauses = tuple(entry for entry in entries if isinstance(entry, Setting))
        if clauses and len(operations) > 1:
            self._clause_on_operation_line(operations, clauses[0])
        return _Body(operations, clauses)

    def _clause_on_operation_line(self, operations: tuple[Operation, ...], clause: Setting) -> None:
        last = operations[-1].span
        if "\n" in self.text[last.end : clause.span.start]:
            return
        self.findings.append(
            found(
                "MP116",
                f"`{clause.key}` stands on the line of an operation, but it is a clause of the whole rule",
                clause.span,
                f"holds for all {len(operations)} operations",
                help="put it on a line of its own, or make the operation a rule of its own",
                others=(Label(last, "not for this one alone"),),
            )
        )

    def mtls_statement(
        self, start: int, end: int, mode: MtlsMode, destinations: SetExpression, body: Settings | None
    ) -> MtlsStatement:
        clauses = body or Settings(self, ())
        destinations = self.as_destinations(destinations)
        return MtlsStatement(mode, destinations, clauses.reasons(), clauses.env(), span=self.span(start, end))

    def mtls_body(self, _start: int, _end: int, *clauses: Setting) -> Settings:
        return Settings(self, clauses)
