"""Headers as Envoy's matchers see them, which is not always as the client sent them."""

from __future__ import annotations

from meshproof.compiler.ir.predicate import Header, JoinedHeader
from meshproof.targets.istio.headers import JOINED, TAKEN_AWAY, WRITTEN


def header_of(name: str, *, has_joined_headers: bool) -> Header | JoinedHeader:
    """The lines of a header; as one text where the proxies join them, which of some headers all of them do."""
    return JoinedHeader(name) if has_joined_headers or name in JOINED else Header(name)


def is_seen(name: str) -> bool:
    """Whether a matcher sees what the client sent: not of a header that Envoy takes away, or writes itself."""
    return name not in TAKEN_AWAY and name not in WRITTEN
