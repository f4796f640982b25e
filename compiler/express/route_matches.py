"""What branches of routes ask of requests: host, method and path where these are plain, else a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.express.conditions import path_pattern
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Segments, Suffix
from meshproof.compiler.ir.predicate import Always, And, Host, Method, Or, Path, Predicate, Test
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast.expressions import AllOf, AnyOf, Expression
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.values import Text

if TYPE_CHECKING:
    from meshproof.compiler.express.conditions import Conditions
    from meshproof.compiler.ir.routing import Branch


class RouteMatches:
    """Writes the left sides of branches."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def match(self, branch: Branch) -> ast.Branch:
        """The branch without targets and settings. Raises InexpressibleError."""
        host: Text | None = None
        methods: tuple[str, ...] = ()
        path = _rewritten_from(branch.path) if branch.settings.rewrite_path is not None else None
        rest: list[Predicate] = []
        for part in _parts(branch.condition):
            if host is None and (named := _host(part)) is not None:
                host = Text(named)
            elif not methods and (listed := _methods(part)):
                methods = listed
            elif path is None and (pattern := _path(part)) is not None:
                path = pattern
            elif path is None or _path(part) != path:
                rest.append(part)
        when = [self._conditions.expression(part) for part in rest]
        if host is None and not methods and path is None and not when:
            path = PathPattern((), has_rest=True)
        return ast.Branch(host=host, methods=methods, path=path, when=_all(when))


def _parts(condition: Predicate) -> tuple[Predicate, ...]:
    match condition:
        case Always():
            return ()
        case And(operands):
            return operands
        case _:
            return (condition,)


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
