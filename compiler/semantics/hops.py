"""What a request becomes further on: "Through a gateway it is two requests, each judged", and mirrored copies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from meshproof.compiler.ir.entities import Gateway, Node, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol, Token
from meshproof.compiler.ir.routing import Branch, HeaderAction, HeaderEdit, Target
from meshproof.compiler.semantics.errors import MalformedRequest
from meshproof.compiler.semantics.facts import Facts, facts_of
from meshproof.compiler.semantics.handshake import as_sent
from meshproof.compiler.semantics.rewrite import rewritten_path
from meshproof.compiler.semantics.route import route_of, taking_branch
from meshproof.compiler.semantics.token import verifying_issuer
from meshproof.compiler.semantics.wellformed import canonical_address, declared_port


def forwarded(mesh: Mesh, request: Request, day: date) -> tuple[Request, ...]:
    """The requests that a gateway may make of one that it lets in, one for each of its targets that gets a share.

    "`edge -> frontend` with the gateway's identity, the same method, headers, query and token, the path after the
    rewrite, and `client.ip`." Empty where the destination is no gateway, or no branch forwards the request. The
    address of the gateway is left out. `MalformedRequest` as `decide` raises it.
    """
    facts = facts_of(mesh, request, day)
    gateway = mesh.node(request.destination)
    branch = _branch(mesh, request, facts)
    if not isinstance(gateway, Gateway) or branch is None:
        return ()
    onward = replace(
        _edited(branch, request, facts),
        source=Peer(gateway.identity.uri),
        client_ip=client_address(gateway, request),
        token=_kept_token(mesh, gateway, request),
    )
    is_moving = (route := route_of(mesh, request)) is not None and route.weights_by is not None
    targets = (target for target in branch.targets if target.weight > 0 or is_moving)
    return tuple(_sent_to(mesh, target, onward, day) for target in targets)


def mirrored(mesh: Mesh, request: Request, day: date) -> Request | None:
    """The mirrored copy, "a request of its own": the one to the mirror of the branch that takes the request.

    The copy has the sender's identity; a mirror of a gateway's route has the gateway's.
    """
    facts = facts_of(mesh, request, day)
    branch = _branch(mesh, request, facts)
    if branch is None or branch.settings.mirror is None or branch.settings.mirror.percent == 0:
        return None
    copy = _edited(branch, request, facts)
    gateway = mesh.node(request.destination)
    if isinstance(gateway, Gateway):
        client = client_address(gateway, request)
        token = _kept_token(mesh, gateway, request)
        copy = replace(copy, source=Peer(gateway.identity.uri), client_ip=client, token=token)
    return _sent_to(mesh, branch.settings.mirror.target, copy, day)


def client_address(gateway: Gateway, request: Request) -> str | None:
    """The client as the gateway saw it: the peer, or with N trusted proxies the Nth address from the right in
    `x-forwarded-for`; the peer too where it holds fewer (Envoy, `xff_num_trusted_hops`).
    """  # noqa: D205
    lines = (value for name, value in request.headers if name == "x-forwarded-for")
    addresses = [address.strip() for line in lines for address in line.split(",")]
    if not 0 < gateway.trusted_proxies <= len(addresses):
        return request.source.ip
    return canonical_address(addresses[-gateway.trusted_proxies]) or request.source.ip


def _branch(mesh: Mesh, request: Request, facts: Facts) -> Branch | None:
    chosen = route_of(mesh, request)
    if chosen is None or facts.is_path_refused:
        return None
    return taking_branch(mesh, chosen, request, facts)


def _edited(branch: Branch, request: Request, facts: Facts) -> Request:
    """The request after the branch's rewrite and header edits. A path that is not rewritten goes on as judged."""
    path = rewritten_path(branch, request, facts)
    if path is None and request.path is not None and facts.path:
        mark, query = request.path.partition("?")[1:]
        path = facts.path[0] + mark + query
    headers = request.headers
    for edit in branch.settings.headers:
        headers = _apply(edit, headers)
    host = request.host if branch.settings.rewrite_host is None else branch.settings.rewrite_host
    return replace(request, path=path, headers=headers, host=host)


def _apply(edit: HeaderEdit, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    others = tuple((name, value) for name, value in headers if name != edit.name)
    match edit.action:
        case HeaderAction.REMOVE:
            return others
        case HeaderAction.SET:
            return (*others, (edit.name, edit.value))
        case HeaderAction.ADD:
            return (*headers, (edit.name, edit.value))


def _kept_token(mesh: Mesh, gateway: Gateway, request: Request) -> Token | None:
    """The token goes on "unless the issuer says `strip`"."""
    issuer = None if request.token is None else verifying_issuer(mesh, gateway, request.token)
    return None if issuer is not None and issuer.is_stripped else request.token


def _sent_to(mesh: Mesh, target: Target, request: Request, day: date) -> Request:
    node = mesh.node(target.node)
    if node is None:
        raise MalformedRequest(f"the route sends it to `{target.node}`, which is not declared")
    port = request.port if target.port is None else target.port
    sent = replace(
        request,
        destination=node.name,
        destination_ip=None,
        port=port,
        protocol=_protocol(node, port, request.protocol),
        sni=None,
    )
    return as_sent(mesh, sent, day)


def _protocol(node: Node, port: int, otherwise: RequestProtocol) -> RequestProtocol:
    declared = declared_port(node, port)
    if declared is None or otherwise is RequestProtocol.TCP:
        return otherwise
    return RequestProtocol.GRPC if declared.protocol is Protocol.GRPC else RequestProtocol.HTTP
