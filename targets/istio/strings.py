"""Matchers as Istio's string patterns: `*`, `prefix*`, `*suffix`, or the value itself (matcher/string.go)."""

from __future__ import annotations

from typing import assert_never

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.targets.common.findings import NotExpressibleError

STAR = "*"


def string_pattern(matcher: Matcher, what: str, feature: Feature) -> str:
    """The pattern that takes the same values; `what` names the attribute in the refusal.

    Only one leading or one trailing star is special, and they are looked for in this order: what a literal star would
    turn into something else is refused with `NotExpressibleError`, like the empty value, which the webhook refuses.
    """
    match matcher:
        case Present():
            return STAR
        case Exact(value):
            if value.startswith(STAR) or value.endswith(STAR):
                raise NotExpressibleError(feature, f"in `{value}` it reads the star as a wildcard")
            return _filled(value, what)
        case Prefix(value):
            if value.startswith(STAR):
                raise NotExpressibleError(feature, f"in `{value}*` it reads the first star as the wildcard")
            return value + STAR
        case Suffix(value):
            return STAR + value
        case Regex():
            raise NotExpressibleError(
                feature,
                f"an AuthorizationPolicy matches {what} by value, prefix or suffix, not by regular expression",
                "write the values with `in [...]`, or use `startswith` or `endswith`",
            )
        case Segments() | Template() | Cidr():
            raise NotExpressibleError(feature, f"{what} is compared with a pattern of another kind")
        case _:
            assert_never(matcher)


def _filled(value: str, what: str) -> str:
    if not value:
        raise NotExpressibleError(Feature.EMPTY_VALUE, f"its webhook refuses the empty string as a value of {what}")
    return value
