"""Envoy's matchers of strings, addresses and paths (envoy/type/matcher/v3), read from its protocol's documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

Config = Mapping[str, Any]

_SEGMENT = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=*]"


def is_match(matcher: Config, value: str) -> bool:
    """A StringMatcher."""
    if "safeRegex" in matcher:
        return re.fullmatch(matcher["safeRegex"]["regex"], value) is not None
    kind = next(name for name in ("exact", "prefix", "suffix", "contains") if name in matcher)
    wanted = str(matcher[kind])
    if matcher.get("ignoreCase"):
        wanted, value = wanted.lower(), value.lower()
    if kind == "exact":
        return value == wanted
    if kind == "contains":
        return wanted in value
    return value.startswith(wanted) if kind == "prefix" else value.endswith(wanted)


def is_in_range(block: Config, address: str) -> bool:
    """A CidrRange; one of IPv4 holds no address of IPv6."""
    network = ip_network(f"{block['addressPrefix']}/{block.get('prefixLen', 0)}", strict=False)
    found = ip_address(address)
    return found.version == network.version and found in network


def is_value_match(matcher: Config, value: object) -> bool:
    """A ValueMatcher on a value of metadata; a number, truth or object is no string."""
    if "orMatch" in matcher:
        return any(is_value_match(one, value) for one in matcher["orMatch"]["valueMatchers"])
    if "listMatch" in matcher:
        inner = matcher["listMatch"]["oneOf"]
        return isinstance(value, list) and any(is_value_match(inner, one) for one in value)
    return isinstance(value, str) and is_match(matcher["stringMatch"], value)


def is_template_match(template: str, path: str) -> bool:
    """A UriTemplateMatch, anchored at both ends."""
    pieces = re.split(r"(\*\*|\*)", template)
    meant = {"*": f"{_SEGMENT}+", "**": f"(?:{_SEGMENT}|/)*"}
    return re.fullmatch("".join(meant.get(piece, re.escape(piece)) for piece in pieces), path) is not None


def header_match(matcher: Config, lines: tuple[str, ...]) -> bool:
    """A HeaderMatcher, on each line of a header by itself."""
    if matcher.get("presentMatch"):
        return bool(lines)
    return any(is_match(matcher["stringMatch"], line) for line in lines)
