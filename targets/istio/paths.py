"""Path patterns as the values of `paths`, exactly, and where Istio tells paths apart differently.

Istio matches the path that Envoy has normalized. On normal paths of the language the two agree but for two things,
measured with Envoy 1.40: `"<>^`{|}` are percent-encoded first, so a pattern that holds one of them, or its escape,
cannot tell the two apart; and a segment that holds `[` or `]` matches no `{*}` and no `{**}`. Of raw paths, one of
slashes alone is `/` to the language and `//` to Envoy, also where Envoy merges slashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.patterns.template import ONE, REST
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.path_templates import template_of

_ENCODED = re.compile(r'["<>^`{|}]|%(?:22|3C|3E|5E|60|7B|7C|7D)')
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?\Z")
_ESCAPE_TAIL = re.compile(r"(?:22|3C|3E|5E|60|7B|7C|7D|[02BCDE](?![0-9A-Fa-f]))")
_DOTS_WITH_PARAMETERS = re.compile(r"/\.\.?;")
_TEMPLATE_LITERAL = re.compile(r"[A-Za-z0-9._~%!$&'()+,;:@=/-]*")

BRACKETS = "a raw `[` or `]` in a path matches no `{*}`, so such paths are refused"


class Kind(Enum):
    """How Istio reads a value of `paths`."""

    EXACT = auto()
    PREFIX = auto()
    SUFFIX = auto()
    TEMPLATE = auto()


@dataclass(frozen=True, slots=True)
class PathValue:
    """One value: `text` without the star of a prefix or suffix. `is_exact`: a template misses nothing that is meant."""

    kind: Kind
    text: str
    is_exact: bool = False

    @property
    def written(self) -> str:
        """The value as it stands in `paths`."""
        match self.kind:
            case Kind.PREFIX:
                return self.text + "*"
            case Kind.SUFFIX:
                return "*" + self.text
            case _:
                return self.text


EVERY_PATH = (PathValue(Kind.TEMPLATE, "/{**}"),)
"""Every normal path without brackets."""


ROOT = PathValue(Kind.EXACT, "/")
RAW_ROOT = PathValue(Kind.EXACT, "//")


def path_values(matchers: Iterable[Matcher]) -> tuple[PathValue, ...] | None:
    """The values of which some matches exactly if one of the matchers does (None: every path), brackets aside.

    Raises `NotExpressibleError`.
    """
    found: list[PathValue] = []
    for matcher in matchers:
        values = _values(matcher)
        if values is None:
            return None
        found += values
    return tuple(dict.fromkeys(found))


def with_raw_root(values: tuple[PathValue, ...] | None) -> tuple[PathValue, ...] | None:
    """The same paths, and the raw path `//` wherever `/` is one of them: Envoy merges all slashes but those."""
    if values is None or ROOT not in values:
        return values
    return tuple(dict.fromkeys(one for value in values for one in ((value, RAW_ROOT) if value == ROOT else (value,))))


def _values(matcher: Matcher) -> tuple[PathValue, ...] | None:
    match matcher:
        case Present():
            return None
        case Exact(text):
            return (_exact(text),)
        case Prefix(text):
            if _CUT_ESCAPE.search(text):
                raise _ambiguous(text)
            return None if text in {"", "/"} else (PathValue(Kind.PREFIX, _literal(text)),)
        case Suffix(text):
            if _ESCAPE_TAIL.match(text):
                raise _ambiguous(text)
            return (PathValue(Kind.SUFFIX, _literal(text)),) if text else None
        case Segments(pattern):
            return _segments(pattern)
        case Template(pattern):
            return (PathValue(Kind.TEMPLATE, pattern),)
        case Regex(expression):
            return (PathValue(Kind.TEMPLATE, _template(expression), is_exact=True),)
        case _:
            raise NotExpressibleError(Feature.PATH_SEGMENTS, "a path is compared with a pattern of another kind")


def _template(expression: str) -> str:
    found = template_of(expression)
    if found is None:
        raise NotExpressibleError(
            Feature.PATH_REGEX,
            "an AuthorizationPolicy has no regular expressions for paths",
            "write patterns of segments such as `/item/*`, or `startswith` or `endswith`",
        )
    _literal(found.replace(ONE, "").replace(REST, ""))
    return found


def _segments(pattern: str) -> tuple[PathValue, ...] | None:
    parsed = parse_segments(pattern)
    if parsed.has_rest and not parsed.segments:
        return None
    start = "".join("/{*}" if segment is None else f"/{_literal(segment)}" for segment in parsed.segments)
    is_template = None in parsed.segments
    if is_template and not all(_TEMPLATE_LITERAL.fullmatch(segment or "") for segment in parsed.segments):
        raise NotExpressibleError(
            Feature.PATH_SEGMENTS, f"a path template such as `{pattern}` cannot hold this character"
        )
    if is_template and parsed.segments[-1] == "":
        raise NotExpressibleError(
            Feature.PATH_SEGMENTS,
            f"a path template cannot end in a slash, as `{pattern}` does",
            "end it with `/**`, or leave the last slash out",
        )
    if not is_template:
        exact = _exact(start)
        return (exact, PathValue(Kind.PREFIX, f"{start}/")) if parsed.has_rest else (exact,)
    template = PathValue(Kind.TEMPLATE, start)
    return (template, PathValue(Kind.TEMPLATE, f"{start}/{{**}}")) if parsed.has_rest else (template,)


def holds_dots(text: str) -> bool:
    """Whether a segment of the path is one of dots with parameters, which Envoy removes like one of dots."""
    return _DOTS_WITH_PARAMETERS.search(text) is not None


def closed(values: tuple[PathValue, ...] | None) -> tuple[PathValue, ...]:
    """The same paths without those that hold brackets, which a deny by template would miss.

    Raises `NotExpressibleError` where no template says so: for a suffix, and a prefix that ends within a segment.
    """
    if values is None:
        return EVERY_PATH
    found: list[PathValue] = []
    for value in values:
        if value.kind is Kind.TEMPLATE or (value.kind is Kind.EXACT and not set("[]") & set(value.text)):
            found.append(value)
        elif value.kind is Kind.PREFIX and value.text.endswith("/") and _TEMPLATE_LITERAL.fullmatch(value.text):
            found.append(PathValue(Kind.TEMPLATE, f"{value.text}{{**}}"))
        else:
            raise NotExpressibleError(
                Feature.PATH_SEGMENTS,
                f"`{value.written}` lets paths with `[` or `]` through, where `*` in a deny or `unless` misses them",
                "write the path as whole segments ending in `/**`",
            )
    return tuple(dict.fromkeys(found))


def is_open(values: tuple[PathValue, ...] | None) -> bool:
    """Whether some raw path with `//` or an escaped slash is among them, if Envoy leaves those as they are."""
    return values is None or any(value.kind is not Kind.EXACT for value in values)


def _exact(text: str) -> PathValue:
    if text.endswith("*"):
        raise NotExpressibleError(Feature.PATH_SEGMENTS, f"in `{text}` it reads the star as a wildcard")
    if not text.startswith("/"):
        raise NotExpressibleError(Feature.PATH_SEGMENTS, f"`{text}` is no path")
    return PathValue(Kind.EXACT, _literal(text))


def _literal(text: str) -> str:
    if holds_dots(f"/{text}"):
        raise NotExpressibleError(
            Feature.PATH_SEGMENTS,
            f"`{text}` matches nothing there: Envoy removes segments that begin with `.;` or `..;`",
        )
    if _ENCODED.search(text):
        raise _ambiguous(text)
    return text


def _ambiguous(text: str) -> NotExpressibleError:
    return NotExpressibleError(
        Feature.PATH_SEGMENTS,
        f"in `{text}` it cannot tell a character from its escape: Envoy percent-encodes before it matches",
    )
