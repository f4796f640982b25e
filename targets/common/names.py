"""Names of objects that Kubernetes takes (RFC 1123), made from names that it might not take."""

from __future__ import annotations

import hashlib
import re

LABEL_MAX = 63
"""The longest DNS label, and the longest value of a Kubernetes label."""

SUBDOMAIN_MAX = 253
"""The longest name of most Kubernetes objects."""

_HASH_LENGTH = 8
_FORBIDDEN = re.compile(r"[^a-z0-9-]+")


def mangle(text: str, limit: int = LABEL_MAX) -> str:
    """An RFC 1123 label of at most `limit` characters: the text itself if it is one, else the nearest.

    A name that had to be cut ends in a hash of the whole text, so that two long names do not become one. Texts that
    differ only in characters that a label cannot hold may still meet: `Names.claim` reports that.
    """
    label = _FORBIDDEN.sub("-", text.lower()).strip("-")
    if label and len(label) <= limit:
        return label
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    kept = label[: limit - _HASH_LENGTH - 1].rstrip("-")
    return f"{kept}-{digest}" if kept else f"x{digest}"


class Names:
    """The names taken so far, a scope (kind and namespace) at a time."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], str] = {}

    def claim(self, scope: str, name: str, owner: str) -> str | None:
        """Take `name` for `owner`: None, or the other owner that has it already."""
        first = self._owners.setdefault((scope, name), owner)
        return None if first == owner else first
