"""Sets of callers as the language writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Or, Predicate, SourceIdentity, Test
from meshproof.dsl.ast import sets as ast
from meshproof.dsl.ast.values import Name, Text

if TYPE_CHECKING:
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.ir.entities import SourceSet

_NAMESPACE = re.compile(r"spiffe://([a-z0-9._-]+)/ns/([^/*]+)/")
_ANY_DOMAIN = re.compile(r"\.\*/ns/([A-Za-z0-9-]+)/\.\*")


def source_expression(sources: SourceSet, names: Names, trust_domain: str) -> ast.SetExpression:
    """The set. Raises InexpressibleError.

    Whoever takes callers without identity takes those that come to a gateway, which is what `internet` is.
    """
    writer = _Writer(names, trust_domain)
    if not sources.has_internet or _takes_plaintext(sources.matches):
        return writer.expression(sources.matches)
    if isinstance(sources.matches, Never):
        return ast.Internet()
    return ast.Braces((writer.expression(sources.matches), ast.Internet()))


def _takes_plaintext(predicate: Predicate) -> bool:
    match predicate:
        case Always():
            return True
        case Not(operand):
            return not _takes_plaintext(operand)
        case And(operands):
            return all(_takes_plaintext(one) for one in operands)
        case Or(operands):
            return any(_takes_plaintext(one) for one in operands)
        case _:
            return False


class _Writer:
    def __init__(self, names: Names, trust_domain: str) -> None:
        self._names = names
        self._trust_domain = trust_domain

    def expression(self, predicate: Predicate) -> ast.SetExpression:
        """A predicate over identities as a set."""
        match predicate:
            case Always():
                return ast.Anyone()
            case Test(SourceIdentity(), matcher):
                return self._primary(matcher)
            case Not(Test(SourceIdentity(), Present())):
                return ast.Plaintext()
            case Not(operand):
                return ast.Except(ast.Anyone(), self._term(operand))
            case Or(operands):
                return ast.Braces(tuple(self.expression(one) for one in operands))
            case And(operands):
                return self._intersection(operands)
            case _:
                raise InexpressibleError("its callers are told apart by more than their identities")

    def _intersection(self, operands: tuple[Predicate, ...]) -> ast.SetExpression:
        """All of them; what is taken away stands behind `except`. Whoever has an identity needs no other mention."""
        kept = tuple(one for one in operands if not isinstance(one, Not))
        removed = tuple(one.operand for one in operands if isinstance(one, Not))
        named = tuple(one for one in kept if one != Test(SourceIdentity(), Present())) or kept
        terms = tuple(self._term(one) for one in named) or (ast.Anyone(),)
        base = terms[0] if len(terms) == 1 else ast.Braces((ast.Intersection(terms),))
        if not removed:
            return base if len(terms) == 1 else ast.Intersection(terms)
        return ast.Except(base, self._term(removed[0] if len(removed) == 1 else Or(removed)))

    def _term(self, predicate: Predicate) -> ast.SetTerm:
        found = self.expression(predicate)
        if isinstance(found, ast.Except | ast.Union | ast.Intersection):
            return ast.Braces((found,))
        return found

    def _primary(self, matcher: Matcher) -> ast.PrimarySet:
        match matcher:
            case Present():
                return ast.Authenticated()
            case Exact(uri, False):
                caller = self._names.callers.get(uri)
                return ast.Identity(Text(uri)) if caller is None else ast.Named(Name(self._names.nodes[caller]))
            case Prefix(text, False) if text.endswith("/"):
                return self._below(text)
            case Regex(text):
                return self._of_expression(text)
            case _:
                raise InexpressibleError("its callers are told apart by a pattern of their identities")

    def _below(self, prefix: str) -> ast.PrimarySet:
        found = _NAMESPACE.fullmatch(prefix)
        if found is None:
            return ast.Identity(Text(f"{prefix}*"))
        domain = None if found[1] == self._trust_domain else Text(found[1])
        return ast.NamespaceSet(Name(found[2]), domain)

    def _of_expression(self, text: str) -> ast.PrimarySet:
        """A namespace of any trusted domain, as Istio compares it: the same as ours where every domain is ours."""
        found = _ANY_DOMAIN.fullmatch(text.replace("\\-", "-"))
        if found is None:
            raise InexpressibleError("its callers are told apart by a pattern of their identities")
        return ast.NamespaceSet(Name(found[1]))
