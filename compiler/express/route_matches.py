"""What branches of routes ask of requests: host, method and path where these are plain, else a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.express.conditions import path_pattern
from meshproof.compiler.express.hosts import with_plain_hosts
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.sets import is_namespace
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Segments, Suffix
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Claim,
    ClientIp,
    Host,
    Method,
    Not,
    Or,
    Path,
    Predicate,
    SourceIdentity,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    attributes_of,
)
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast.expressions import AllOf, AnyOf, Expression
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.values import Text

if TYPE_CHECKING:
    from meshproof.compiler.express.conditions import Conditions
    from meshproof.compiler.ir.routing import Branch

_OF_TOKEN = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)

_ANY_PATH = Test(Path(), Prefix("/"))
"""What every normal path begins with."""


class RouteMatches:
    """Writes the left sides of branches."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def match(self, branch: Branch, *, has_tokens: bool) -> ast.Branch:
        """The branch without targets and settings; `has_tokens` if the sender looks at tokens.

        Raises InexpressibleError.
        """
        _check(branch.condition, has_tokens=has_tokens)
        host: Text | None = None
        methods: tuple[str, ...] = ()
        is_rewritten = branch.settings.rewrite_path is not None or keeps_rest(branch)
        path = _rewritten_from(branch.path) if is_rewritten else None
        rest: list[Predicate] = []
        for part in _parts(branch.condition):
            if part == _ANY_PATH:
                continue
            if (named := _host(part)) is not None and (host is None or host.value == named):
                host = Text(named)
            elif not methods and (listed := _methods(part)):
                methods = listed
            elif path is None and not is_rewritten and (pattern := _path(part)) is not None:
                path = pattern
            elif path is None or _path(part) != path:
                rest.append(part)
        when = [self._conditions.expression(part) for part in rest]
        if host is None and not methods and path is None and not when:
            path = PathPattern((), has_rest=True)
        return ast.Branch(host=host, methods=methods, path=path, when=_all(when))


def keeps_rest(branch: Branch) -> bool:
    """Whether a rewrite or redirect of the branch keeps what stands behind the path that it asks for."""
    is_kept = branch.redirect is not None and (branch.redirect.path or "").endswith("/**")
    if branch.settings.rewrite_path is None and not is_kept:
        return False
    path = branch.path
    return isinstance(path, Prefix) or (isinstance(path, Segments) and path.pattern.endswith("/**"))


def _check(condition: Predicate, *, has_tokens: bool) -> None:
    """What a sender does not know is not for its routes."""
    for attribute in attributes_of(condition):
        if isinstance(attribute, _OF_TOKEN) and not has_tokens:
            raise InexpressibleError("it looks at tokens, and no sender has verified any")
        if isinstance(attribute, ClientIp):
            raise InexpressibleError("it looks at the client, whom no sender knows")
    if _asks_for_sender(condition):
        raise InexpressibleError("it is for some senders alone, told by their identities")


def _asks_for_sender(condition: Predicate) -> bool:
    """Whether the condition asks for more of the sender than the namespace that it is in."""
    match condition:
        case Test(SourceIdentity(), matcher):
            return not is_namespace(matcher)
        case Not(operand):
            return _asks_for_sender(operand)
        case And(operands) | Or(operands):
            return any(map(_asks_for_sender, operands))
        case _:
            return False


def _parts(condition: Predicate) -> tuple[Predicate, ...]:
    match condition:
        case Always():
            return ()
        case And(operands):
            return tuple(map(with_plain_hosts, operands))
        case _:
            return (with_plain_hosts(condition),)


def _all(expressions: list[Expression]) -> Expression | None:
    if not expressions:
        return None
    flat: list[Expression] = []
    for one in expressions:
        flat.extend(one.operands if isinstance(one, AllOf) else (one,))
    if len(flat) == 1:
        return flat[0]
    return AllOf(tuple(flat)) if not isinstance(flat[0], AnyOf) or len(flat) > 1 else flat[0]


def _host(part: Predicate) -> str | None:
    match part:
        case Test(Host(), Exact(name)) if name:
            return name
        case Test(Host(), Suffix(name)) if name.startswith("."):
            return f"*{name}"
        case _:
            return None


def _methods(part: Predicate) -> tuple[str, ...]:
    match part:
        case Test(Method(), Exact(name, False)) if name.isupper():
            return (name,)
        case Or(operands):
            named = tuple(_methods(one) for one in operands if isinstance(one, Test))
            is_all = len(named) == len(operands) and all(named)
            return tuple(name for one in named for name in one) if is_all else ()
        case _:
            return ()


def _path(part: Predicate) -> PathPattern | None:
    match part:
        case Test(Path(), (Exact(_, False) | Segments()) as matcher):
            return _pattern(matcher)
        case _:
            return None


def _pattern(matcher: Matcher) -> PathPattern | None:
    match matcher:
        case Exact(text, False) | Segments(text):
            return path_pattern(text)
        case _:
            return None


def _rewritten_from(taken: Matcher | None) -> PathPattern | None:
    """The pattern whose rest is kept by a rewrite; a prefix that ends in a slash is one of whole segments."""
    match taken:
        case Prefix(start) if start.endswith("/"):
            return path_pattern(f"{start}**")
        case None:
            return None
        case _:
            return _pattern(taken)
