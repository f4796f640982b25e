"""The same request with a last slash of its path added or taken away, as a condition on the one that is there."""

from __future__ import annotations

from dataclasses import replace

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Or,
    Path,
    Predicate,
    Test,
    attributes_of,
    conjunction,
    disjunction,
    negation,
)

_SLASH = Test(Path(), Suffix("/"))
_HAS_OTHER = And((Test(Path(), Present()), Not(Test(Path(), Exact("/")))))


def is_denying_paths(rule: AuthzRule) -> bool:
    """Whether a last slash may make a difference to a deny."""
    return rule.effect is Effect.DENY and (
        any(operation.path is not None for operation in rule.operations) or Path() in attributes_of(rule.when)
    )


def slashed(predicate: Predicate) -> Predicate:
    """What holds of a request with a path only if `predicate` holds of the same request with a last slash of the path
    added or taken away. A path that the predicate names to leave it out is not in it, in neither form: that is meant.
    Regular expressions and templates are read in one direction: not all such requests are in it.
    """  # noqa: D205
    return conjunction((_HAS_OTHER, _slashed(predicate, is_positive=True)))


def _slashed(predicate: Predicate, *, is_positive: bool) -> Predicate:
    match predicate:
        case Test(Path(), matcher):
            found = _test(matcher, is_positive=is_positive)
            return found if is_positive else disjunction((predicate, found))
        case Not(operand):
            return negation(_slashed(operand, is_positive=not is_positive))
        case And(operands):
            return conjunction(tuple(_slashed(operand, is_positive=is_positive) for operand in operands))
        case Or(operands):
            return disjunction(tuple(_slashed(operand, is_positive=is_positive) for operand in operands))
        case _:
            return predicate


def _test(matcher: Matcher, *, is_positive: bool) -> Predicate:
    """The test of the path with the slash, for a path that is not `/`."""
    match matcher:
        case Exact(value):
            return Never() if value in {"", "/"} else Test(Path(), replace(matcher, value=_toggled(value)))
        case Segments(pattern):
            if pattern.endswith("**"):
                return Test(Path(), matcher)
            return Never() if pattern == "/" else Test(Path(), Segments(_toggled(pattern)))
        case Prefix(value) if value.endswith("/") and value != "/":
            exact = Exact(value, matcher.ignore_case)
            rest = And((Test(Path(), matcher), Not(Test(Path(), exact))))
            return Or((Test(Path(), replace(exact, value=value[:-1])), rest))
        case Suffix(value) if value.endswith("/"):
            return conjunction((Test(Path(), replace(matcher, value=value[:-1])), Not(_SLASH)))
        case Suffix(value) if value:
            return Test(Path(), replace(matcher, value=f"{value}/"))
        case Regex(pattern) if is_positive:
            return Test(Path(), Regex(f"(?:{pattern})/"))
        case Regex() | Template():
            return Never() if is_positive else Always()
        case _:
            return Test(Path(), matcher)


def _toggled(path: str) -> str:
    return path[:-1] if path.endswith("/") else f"{path}/"
