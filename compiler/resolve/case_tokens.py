"""The token of a test line: valid, with just the claims that are given, or invalid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.predicate import Claim, TokenAudience, TokenIssuer, TokenPresenter, TokenSubject
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Token

if TYPE_CHECKING:
    from meshproof.compiler.ir.entities import Issuer, Node
    from meshproof.compiler.ir.predicate import Attribute
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.source import Span

_REGISTERED = {TokenIssuer: "iss", TokenSubject: "sub", TokenAudience: "aud", TokenPresenter: "azp"}
_Tree: TypeAlias = "dict[str, _Tree | list[str]]"


@dataclass(slots=True)
class TokenDraft:
    """A token while the givens of a line are read."""

    issuer: Issuer | None = None
    is_invalid: bool = False
    given: list[tuple[tuple[str, ...], str, Span]] = field(default_factory=list)

    def add(self, attribute: Attribute, value: str, at: Span) -> bool:
        """Take the value if the attribute is one of the token."""
        if isinstance(attribute, Claim):
            self.given.append((attribute.path, value, at))
            return True
        name = _REGISTERED.get(type(attribute))
        if name is None:
            return False
        self.given.append(((name,), value, at))
        return True

    def made(self, node: Node, at: Span, ctx: Context) -> Token | None:
        """The token that the line speaks of; None if it speaks of none, or cannot (then that is a finding)."""
        if self.issuer is None and not self.given and not self.is_invalid:
            return None
        given = list(self.given)
        if not self.is_invalid and not any(path[:1] == ("iss",) for path, _, _ in given):
            url = self._url(node, at, ctx)
            if url is None:
                return None
            given.insert(0, (("iss",), url, at))
        tree: _Tree = {}
        for path, value, place in given:
            if not _put(tree, path, value):
                message = "a claim cannot be both text and an object that holds claims"
                ctx.findings.add("MP233", message, place)
        return Token(not self.is_invalid, _object(tree))

    def _url(self, node: Node, at: Span, ctx: Context) -> str | None:
        if self.issuer is not None:
            return self.issuer.url
        accepted = () if isinstance(node, External) else node.accepts
        if len(accepted) == 1:
            issuer = ctx.issuers.get(accepted[0])
            return None if issuer is None else issuer.url
        message = f"whose token is it? `{node.name}` accepts {'several issuers' if accepted else 'none'}"
        ctx.findings.add("MP233", message, at, help="write `token from ISSUER`")
        return None


def _put(tree: _Tree, path: tuple[str, ...], value: str) -> bool:
    *above, last = path
    for name in above:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            return False
        tree = below
    values = tree.setdefault(last, [])
    if isinstance(values, dict):
        return False
    values.append(value)
    return True


def _object(tree: _Tree) -> ClaimObject:
    members: list[tuple[str, ClaimValue]] = []
    for name in sorted(tree):
        below = tree[name]
        if isinstance(below, dict):
            members.append((name, _object(below)))
        else:
            members.append((name, below[0] if len(below) == 1 else tuple(below)))
    return ClaimObject(tuple(members))
