"""Values of headers, hosts and cases: ASCII letters alone have a case that does not count."""

from __future__ import annotations

import re

from meshproof.runtime.engine.errors import MalformedRequestError

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_PORT = re.compile(r":[0-9]*\Z")


def told(value: bytes) -> str:
    """The value of a header as rules read it: UTF-8, which policies are written in, and Envoy compares by.

    Raises `MalformedRequestError` for other bytes: whoever reads them as something else would read another value.
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequestError("a header that is read is not UTF-8") from None


def lowered(text: str) -> str:
    """The text with ASCII letters in lower case, and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def normal_host(authority: str) -> str:
    """The host of an authority: in lower case, without port and last dot."""
    host = _PORT.sub("", lowered(authority))
    return host.removesuffix(".")
