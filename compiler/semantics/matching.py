"""Whether one string passes one matcher: each line is the definition of its kind."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.patterns import pattern, template


def matches(matcher: Matcher, value: str) -> bool:
    """Whether the value passes. Total: an address block takes no text that is no address.

    Raises `PatternRefused` for an expression outside of the RE2 subset, which resolve and the lifts let in nowhere.
    """
    match matcher:
        case Exact(expected, ignore_case):
            return _folded(value, is_folded=ignore_case) == _folded(expected, is_folded=ignore_case)
        case Prefix(start, ignore_case):
            return _folded(value, is_folded=ignore_case).startswith(_folded(start, is_folded=ignore_case))
        case Suffix(end, ignore_case):
            return _folded(value, is_folded=ignore_case).endswith(_folded(end, is_folded=ignore_case))
        case Segments(text):
            return matches_segments(text, value)
        case Template(text):
            return template.Template(text).matches(value)
        case Regex(text):
            return pattern.matches(pattern.Regex(text), value)
        case Present():
            return True
        case Cidr(network):
            return _contains(network, value)
        case _:
            assert_never(matcher)


def matches_segments(text: str, path: str) -> bool:
    """Whether the path matches by whole segments: "a literal; `*` or `{name}` for exactly one non-empty segment (the
    name is a comment); `**` last, for any rest: `/admin/**` is `/admin`, `/admin/` and all below, never
    `/administrator`. `/x` and `/x/` differ".
    """  # noqa: D205
    wanted, given = text.split("/"), path.split("/")
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        given = given[: len(wanted)]
    is_path = path.startswith("/")
    return is_path and len(wanted) == len(given) and all(map(_is_segment, wanted, given))


def _is_segment(wanted: str, given: str) -> bool:
    if wanted == "*" or wanted.startswith("{"):
        return given != ""
    return wanted == given


def _folded(text: str, *, is_folded: bool) -> str:
    return pattern.lower_ascii(text) if is_folded else text


def _contains(network: str, value: str) -> bool:
    try:
        address = ip_address(value)
    except ValueError:
        return False
    block = ip_network(network, strict=False)
    return address.version == block.version and address in block
