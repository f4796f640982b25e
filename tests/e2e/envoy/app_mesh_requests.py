"""Requests to an emitted mesh: full of what its rules name, from everybody, and with paths in all spellings."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.e2e.envoy.app_mesh_emitted import Emitted
from tests.e2e.envoy.app_mesh_judging import is_allowed
from tests.e2e.envoy.judging import KNOWN_METHODS
from tests.strategies import vocabulary as words
from tests.strategies.requests import COMPLETE, random_request

from meshproof.compiler.ir.entities import Gateway, Layer, Service, ServicePort
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.targets.appmesh.naming import SERVICE_HEADER

_TRIES = 20
_OUTSIDE = 0.3
_OWN = "127.0.0.1"
_UNLISTED = "PURGE"
"""A method that no match can name."""


def drawn(rng: Random, one: Emitted) -> tuple[Request, ServicePort]:
    """A request that a client can send to a declared port of the mesh, and the port: now and then one that is allowed.

    What gateways are asked for is what is asked of services: rules about those are what their routes hold.
    """
    is_outside = bool(one.mesh.gateways) and rng.random() < _OUTSIDE
    tries = [_drawn(rng, one, is_outside=is_outside) for _ in range(rng.choice((1, 1, _TRIES)))]
    allowed = (found for found in tries if len(tries) > 1 and is_allowed(one.mesh, found[0]))
    return next(allowed, tries[0])


def _drawn(rng: Random, one: Emitted, *, is_outside: bool) -> tuple[Request, ServicePort]:
    node, port, request = _aimed(rng, one, Gateway if is_outside else Service)
    if isinstance(node, Gateway):
        _, _, content = _aimed(rng, one, Service)
        if content.path is not None:
            request = replace(request, method=content.method, path=content.path, headers=content.headers)
    if port.layer is Layer.TCP:
        return _bare(replace(request, source=Peer(_caller(rng, one, request), _OWN)), RequestProtocol.TCP), port
    request = _bare(request, RequestProtocol.HTTP)
    if request.method not in KNOWN_METHODS:
        request = replace(request, method=rng.choice((*words.METHODS, _UNLISTED)))
    path = _sendable(_spelled(rng, request.path or "/"))
    if isinstance(node, Gateway):
        return replace(request, source=Peer(None, _OWN), path=path, host=_asked(rng, one, node)), port
    headers = (*request.headers, *_confusing(rng, one))
    source = Peer(_caller(rng, one, request), _OWN)
    host = rng.choice(_names(one)) if rng.random() < 0.1 else request.host
    return replace(request, source=source, headers=headers, path=path, host=host), port


def _aimed(rng: Random, one: Emitted, kind: type[Service | Gateway]) -> tuple[Service | Gateway, ServicePort, Request]:
    while True:
        request = random_request(rng, one.mesh, COMPLETE)
        node = one.mesh.node(request.destination)
        if not isinstance(node, kind) or request.method == "CONNECT":
            continue
        port = next((each for each in node.ports if each.workload == request.port), None)
        if port is not None and port.layer is not Layer.SNIFFED:
            return node, port, request


def _bare(request: Request, protocol: RequestProtocol) -> Request:
    found = replace(request, protocol=protocol, sni=None, token=None, answers=(), day=None)
    found = replace(found, client_ip=_OWN)
    if protocol is RequestProtocol.TCP:
        return replace(found, method=None, path=None, host=None, headers=())
    return found


def _caller(rng: Random, one: Emitted, request: Request) -> str | None:
    """Whom the request is from, or somebody else: gates, strangers of the domain, others, nobody."""
    domain = one.mesh.trust_domain
    strangers = (f"spiffe://{domain}/ns/other/sa/stranger", "spiffe://elsewhere.example/ns/shop/sa/cart", None)
    return rng.choice((*(request.source.identity,) * 12, one.gate, *strangers))


def _names(one: Emitted) -> list[str]:
    """The names of virtual services, with the ports at which gates call them."""
    found = [each["virtualServiceName"] for each in one.documents if "virtualServiceName" in each]
    ports = {port.workload for service in one.mesh.services for port in service.ports}
    return [*found, *(f"{name}:{port}" for name in found for port in sorted(ports))]


def _confusing(rng: Random, one: Emitted) -> tuple[tuple[str, str], ...]:
    """What App Mesh's gateways tell themselves by a header, told by a caller: gates do not listen."""
    return ((SERVICE_HEADER, rng.choice(_names(one))),) if rng.random() < 0.1 else ()


def _asked(rng: Random, one: Emitted, gateway: Gateway) -> str:
    host = rng.choice(gateway.hosts or ("x.example",))
    below = host.replace("*", rng.choice(("x", "a.b")))
    return rng.choice((*(below,) * 6, "other.example", rng.choice(_names(one))))


def _spelled(rng: Random, path: str) -> str:
    """The path as it is, or in another spelling."""
    if rng.random() < 0.6:
        return path
    whole, mark, query = path.partition("?")
    first = whole[1:2] or "x"
    last = whole.rpartition("/")[2] or "x"
    spelled = (
        f"/{whole}",
        f"{whole}/",
        f"{whole}//",
        f"/x/..{whole}",
        f"/x/%2e%2E{whole}",
        f"/.{whole}",
        f"/x/..;y{whole}",
        f"/x/..%2F{whole[1:]}",
        f"{whole}%2Fx",
        f"{whole}/..%2f{last}",
        f"{whole}/../{last}",
        f"{whole};v=1",
        f"/%{ord(first):02x}{whole[2:]}",
        f"/%{ord(first):02X}%25{whole[2:]}",
        f"{whole}%5Cx",
        whole.swapcase(),
        whole.replace("/", "\\", 2),
        f"{whole}%00",
        f"{whole}%zz",
    )
    return rng.choice(spelled) + mark + query


def _sendable(path: str) -> str:
    """What stands in a line of a request. Fragments are cut off by some proxies, and refused by others."""
    return path.replace(" ", "").partition("#")[0] or "/"
