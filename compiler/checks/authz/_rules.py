"""Rules as they were written: what to point at, and what to call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import written_name
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.source import Span

if TYPE_CHECKING:
    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import RuleId

GUARDRAIL = "guardrail"
"""The tag of a deny that is kept whatever is allowed."""

VERBS = {Effect.ALLOW: "allows", Effect.DENY: "refuses", Effect.ASK: "asks about"}


class Rules:
    """The rules of a policy by name, each with its text where there is one."""

    def __init__(self, ctx: CheckContext) -> None:
        self._written = {
            statement.span: statement
            for document in ctx.documents
            for statement in document.statements
            if isinstance(statement, Rule)
        }
        self._rules = {rule.id: rule for rule in ctx.mesh.rules}

    def __getitem__(self, name: RuleId) -> AuthzRule:
        """The rule of that name."""
        return self._rules[name]

    def written(self, rule: AuthzRule) -> Rule | None:
        """The tree of a rule; a lifted one has none."""
        return self._written.get(rule.origin.span)

    def head(self, rule: AuthzRule) -> Span:
        """The rule up to its destinations: the line that people look for."""
        written = self.written(rule)
        return rule.origin.span if written is None else written.span.to(written.destinations.span)

    def sources(self, rule: AuthzRule) -> Span:
        """The sources of the rule."""
        written = self.written(rule)
        return rule.origin.span if written is None else written.sources.span

    def label(self, name: RuleId, text: str) -> Label:
        """Something to say about another rule."""
        return Label(self.head(self._rules[name]), text)


def title(rule: AuthzRule) -> str:
    """What to call the rule: `deny` and its name."""
    audit = "" if rule.is_enforced else "audit "
    return f"{audit}{rule.effect} `{written_name(rule.id)}`"
