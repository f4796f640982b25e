"""Which fields may stand after the body of a request.

RFC 9110, section 6.5.1: a trailer must not hold what routes a request, authenticates it or says how it is to be
processed, and some servers join trailers to headers all the same. What is judged, or written by a proxy, stands in the
head alone.
"""

from __future__ import annotations

from meshproof.runtime.core.messages import Fields

OF_IDENTITIES = frozenset(
    {
        b"x-forwarded-client-cert",
        *(b"x-client-cert", b"x-client-cert-chain", b"client-cert", b"client-cert-chain"),  # RFC 9440, and before it
        *(b"x-ssl-cert", b"x-ssl-client-cert", b"x-ssl-client-verify", b"x-ssl-client-s-dn", b"ssl-client-cert"),
        *(b"x-envoy-peer-metadata", b"x-envoy-peer-metadata-id", b"x-spiffe-id"),
    }
)
"""Headers in which others have told workloads who calls: none comes from outside."""

_OF_HEADS = frozenset({b"host", b"authorization", b"cookie", b"content-type", b"content-encoding", b"forwarded"})


def may_follow(fields: Fields) -> Fields:
    """The trailers of a request without those that belong to a head."""
    return [line for line in fields if not (line[0] in OF_IDENTITIES or line[0] in _OF_HEADS or _is_forwarded(line[0]))]


def _is_forwarded(name: bytes) -> bool:
    return name.startswith((b"x-forwarded-", b"x-envoy-"))
