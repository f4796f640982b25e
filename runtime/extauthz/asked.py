"""A request about which an Envoy asks, whichever protocol it asks over."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.request import ClaimObject
from meshproof.runtime.core.http1 import Head
from meshproof.runtime.engine.facts import Headers
from meshproof.runtime.extauthz.client_cert import HEADER, ForwardedError, caller


@dataclass(frozen=True, slots=True)
class Asked:
    """What is told of a request: `path` as the caller sent it, header names in lower case.

    `caller` is the URI of its certificate, and None if it has none. `are_joined`: each header is one line, into which
    an Envoy has joined all that there were. `payload`: the claims of a token that this Envoy has verified.
    """

    method: str
    path: str
    hosts: tuple[str, ...]
    headers: Headers
    caller: str | None
    are_joined: bool = True
    payload: ClaimObject | None = None


def asked_over_http(head: Head, path_prefix: str) -> Asked:
    """What an `http_service` tells. Raises `ForwardedError` where it does not say who calls, or says it twice."""
    forwarded = head.values(HEADER)
    if len(forwarded) > 1:
        raise ForwardedError("it is there once")
    return Asked(
        method=head.method,
        path=head.target[len(path_prefix) :],
        hosts=head.values("host"),
        headers=head.headers,
        caller=caller(forwarded[0]) if forwarded else None,
    )
