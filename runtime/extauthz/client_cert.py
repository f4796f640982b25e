"""The header `x-forwarded-client-cert` as an Envoy writes it with `SANITIZE_SET`: one caller with one URI."""

from __future__ import annotations

import re
from functools import lru_cache

HEADER = "x-forwarded-client-cert"
_PAIR = re.compile(r'(By|Hash|Cert|Chain|Subject|URI|DNS)=(?:"((?:[^"\\]|\\["\\])*)"|([^",;=\\]*))(;|$)')
_MOST_REMEMBERED = 1024
_ONCE = frozenset({"Hash", "Cert", "Chain", "Subject"})


class ForwardedError(Exception):
    """The header says not, or not only, who calls. The message is one lower-case sentence without what it holds."""


def caller(value: str) -> str:
    """The URI of the certificate of the only hop that the header names. Raises `ForwardedError`.

    Two hops, two URIs, other keys and anything that might be read in another way are refused. Callers come again: who
    a header names is remembered.
    """
    return _remembered(value) if len(value) <= _MOST_REMEMBERED else _read(value)


def _read(value: str) -> str:
    if not value.isascii():
        raise ForwardedError("it is not ASCII")
    found: list[tuple[str, str]] = []
    end = 0
    while True:
        pair = _PAIR.match(value, end)
        if pair is None:
            raise ForwardedError("it is not one list of known keys and values")
        found.append((pair[1], pair[3] if pair[2] is None else pair[2]))
        end = pair.end()
        if pair[4] != ";":
            break
    keys = [key for key, _ in found]
    if any(keys.count(key) > 1 for key in _ONCE):
        raise ForwardedError("it has a key more than once")
    uris = [text for key, text in found if key == "URI"]
    if len(uris) != 1 or not uris[0]:
        raise ForwardedError("the certificate has not exactly one URI")
    if "\\" in uris[0]:
        raise ForwardedError("the URI has an escape")
    return uris[0]


_remembered = lru_cache(4096)(_read)
