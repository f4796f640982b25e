"""What Envoy takes for the client's address (istio.md, "IP attributes"): for lifted Istio rules alone."""

from __future__ import annotations

from meshproof.compiler.ir.entities import Gateway, Node
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.wellformed import canonical_address

_FORWARDED = "x-forwarded-for"


def remote_address(node: Node, request: Request) -> str | None:
    """The address, None where the request leaves it out.

    A request that tells its `client_ip` has said it, but to a gateway without trusted proxies, which takes its peer for
    the client. Else it is the last address in `x-forwarded-for`, which any caller may write; at a gateway the one as
    many places from the right as there are trusted proxies, and with too few addresses the peer's.
    """
    has_no_proxies = isinstance(node, Gateway) and node.trusted_proxies == 0
    if has_no_proxies and request.source.ip is not None:
        return canonical_address(request.source.ip)
    if request.client_ip is not None:
        return canonical_address(request.client_ip)
    lines = (value for name, value in request.headers if name == _FORWARDED)
    addresses = [address.strip() for line in lines for address in line.split(",")]
    place = node.trusted_proxies if isinstance(node, Gateway) else 1
    if 0 < place <= len(addresses):
        found = canonical_address(addresses[-place])
        if found is not None:
            return found
    return None if request.source.ip is None else canonical_address(request.source.ip)
