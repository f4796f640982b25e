"""Sets of callers as the language writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.express.inexpressible import InexpressibleError, not_modelled
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, SourceIdentity, Test
from meshproof.dsl.ast import sets as ast
from meshproof.dsl.ast.values import Name, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.express.names import Names
    from meshproof.compiler.ir.entities import Gateway, Service, SourceSet
    from meshproof.compiler.ir.mesh import Mesh

_NAMESPACE = re.compile(r"spiffe://([a-z0-9._-]+)/ns/([^/*]+)/")
_DOMAIN = re.compile(r"spiffe://([^/*]+)/")
_WORD = r"[A-Za-z0-9.-]+"
_IN_NAMESPACE = (
    re.compile(rf"\.\*/ns/({_WORD})/\.\*"),
    re.compile(rf"spiffe://\[\^/\]\+/ns/({_WORD})/sa/\[\^/\]\+"),
)
"""How foreign files look for a namespace: identities have that form in Kubernetes."""
_ACCOUNT = (
    re.compile(rf"spiffe://\.\+/ns/({_WORD})/\(\.\+/\|\)sa/({_WORD})\(/\.\+\)\?"),
    re.compile(rf"spiffe://\.\*/ns/({_WORD})/sa/({_WORD})"),
)
"""The same for an account."""


@dataclass(frozen=True, slots=True)
class Domains:
    """Our trust domain, and those that are trusted besides.

    `odd` are the namespaces in which something runs with an identity of another place, or whose identities something
    has that runs in another: their names mean more than their identities.
    """

    own: str
    trusted: tuple[str, ...]
    odd: frozenset[str] = frozenset()

    @classmethod
    def of(cls, mesh: Mesh) -> Domains:
        """Those of a mesh."""
        running: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
        odd: set[str] = set()
        for node in running:
            found = _NAMESPACE.match(node.identity.uri)
            names = found[2] if found is not None and found[1] == mesh.trust_domain else None
            if names != node.namespace:
                odd.update(name for name in (names, node.namespace) if name is not None)
        return cls(mesh.trust_domain, mesh.trusts, frozenset(odd))

    def namespace(self, name: str, domain: str) -> ast.PrimarySet:
        """Every identity of a namespace."""
        if domain != self.own:
            return ast.NamespaceSet(Name(name), Text(domain))
        if name in self.odd:
            return ast.Identity(Text(f"spiffe://{domain}/ns/{name}/*"))
        return ast.NamespaceSet(Name(name))


def source_expression(sources: SourceSet, names: Names, domains: Domains) -> ast.SetExpression:
    """The set. Raises InexpressibleError.

    Whoever takes callers without identity takes those that come to a gateway, which is what `internet` is.
    """
    if not sources.has_internet or takes_plaintext(sources.matches):
        return caller_set(sources.matches, names, domains)
    if isinstance(sources.matches, Never):
        return ast.Internet()
    return ast.Braces((caller_set(sources.matches, names, domains), ast.Internet()))


def caller_set(matches: Predicate, names: Names, domains: Domains) -> ast.SetExpression:
    """A predicate over identities as a set. Raises InexpressibleError."""
    return _Writer(names, domains).expression(matches)


def takes_plaintext(predicate: Predicate) -> bool:
    """Whether callers without identity are in a set."""
    match predicate:
        case Always():
            return True
        case Not(operand):
            return not takes_plaintext(operand)
        case And(operands):
            return all(takes_plaintext(one) for one in operands)
        case Or(operands):
            return any(takes_plaintext(one) for one in operands)
        case _:
            return False


def is_namespace(matcher: Matcher) -> bool:
    """Whether the callers are those of one namespace, of our domain or any."""
    match matcher:
        case Prefix(text, False):
            return _NAMESPACE.fullmatch(text) is not None
        case Regex(text):
            return any(form.fullmatch(_unquoted(text)) for form in _IN_NAMESPACE)
        case _:
            return False


def _unquoted(expression: str) -> str:
    return expression.replace("\\-", "-").replace("\\.", ".")


class _Writer:
    def __init__(self, names: Names, domains: Domains) -> None:
        self._names = names
        self._domains = domains

    def expression(self, predicate: Predicate) -> ast.SetExpression:
        """A predicate over identities as a set."""
        match predicate:
            case Always():
                return ast.Anyone()
            case Test() if self._is_nobody(predicate):
                raise InexpressibleError("nobody can meet it: the trust domain of its callers is not trusted")
            case Not(operand) if self._is_nobody(operand):
                return ast.Anyone()
            case Test(SourceIdentity(), matcher):
                return self._primary(matcher)
            case Not(Test(SourceIdentity(), Present())):
                return ast.Plaintext()
            case Not(operand):
                return ast.Except(ast.Anyone(), self._term(operand))
            case Or(operands):
                kept = tuple(one for one in operands if not self._is_nobody(one)) or operands[:1]
                found = tuple(dict.fromkeys(self.expression(one) for one in kept))
                return found[0] if len(found) == 1 else ast.Braces(found)
            case And(operands):
                return self._intersection(operands)
            case Opaque() as unknown:
                raise not_modelled(unknown)
            case Never():
                raise InexpressibleError("no caller can meet it")
            case _:
                raise InexpressibleError("its callers are told apart by more than their identities")

    def _is_nobody(self, predicate: Predicate) -> bool:
        """Whether only identities of a domain meet it that is neither ours nor trusted: nobody's is verified."""
        match predicate:
            case Test(SourceIdentity(), Exact(text, False) | Prefix(text, False)):
                domain = _DOMAIN.match(text)
                return domain is not None and domain[1] not in {self._domains.own, *self._domains.trusted}
            case _:
                return False

    def _intersection(self, operands: tuple[Predicate, ...]) -> ast.SetExpression:
        """All of them; what is taken away stands behind `except`. Whoever has an identity needs no other mention."""
        kept = tuple(one for one in operands if not isinstance(one, Not))
        removed = tuple(one.operand for one in operands if isinstance(one, Not) and not self._is_nobody(one.operand))
        others = tuple(one for one in kept if one != Test(SourceIdentity(), Present()))
        named = others if others and not all(map(takes_plaintext, others)) else kept
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
                return self._identity(uri)
            case Prefix(text, False) if text.endswith("/"):
                return self._below(text)
            case Regex(text):
                return self._of_expression(text)
            case _:
                raise InexpressibleError("its callers are told apart by a pattern of their identities")

    def _identity(self, uri: str) -> ast.PrimarySet:
        caller = self._names.callers.get(uri)
        return ast.Identity(Text(uri)) if caller is None else ast.Named(Name(self._names.nodes[caller]))

    def _below(self, prefix: str) -> ast.PrimarySet:
        found = _NAMESPACE.fullmatch(prefix)
        if found is None:
            return ast.Identity(Text(f"{prefix}*"))
        return self._domains.namespace(found[2], found[1])

    def _of_expression(self, text: str) -> ast.PrimarySet:
        """A namespace or account of any trusted domain, as foreign files compare them."""
        plain = _unquoted(text)
        if plain == ".+":
            return ast.Authenticated()
        domains = (self._domains.own, *self._domains.trusted)
        namespace = next((found[1] for form in _IN_NAMESPACE if (found := form.fullmatch(plain))), None)
        if namespace is not None:
            return _one_of(self._domains.namespace(namespace, domain) for domain in domains)
        account = next((found for form in _ACCOUNT if (found := form.fullmatch(plain))), None)
        if account is None:
            raise InexpressibleError(f"its callers are told apart by the pattern `{plain}` of their identities")
        return _one_of(self._identity(f"spiffe://{domain}/ns/{account[1]}/sa/{account[2]}") for domain in domains)


def _one_of(sets: Iterable[ast.PrimarySet]) -> ast.PrimarySet:
    found = tuple(sets)
    return found[0] if len(found) == 1 else ast.Braces(found)
