"""Hosts and cases: ASCII letters alone have a case that does not count."""

from __future__ import annotations

import re

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_PORT = re.compile(r":[0-9]*\Z")


def lowered(text: str) -> str:
    """The text with ASCII letters in lower case, and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def normal_host(authority: str) -> str:
    """The host of an authority: in lower case, without port and last dot."""
    host = _PORT.sub("", lowered(authority))
    return host.removesuffix(".")
