"""Step 1 of "What happens to a request": transport. Who is the peer, and does the connection stand?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import assert_never

from meshproof.compiler.ir.entities import External, Gateway, Node, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, edge_policy, effective_policy
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.request import Request


def mode_of(mesh: Mesh, node: Node, port: int, day: date) -> MtlsMode:
    """The mTLS mode of a workload port: of the closest statement in force, without any `strict`.

    A gateway takes callers with and without identity whatever the mesh says, since the outside has none; in lifted
    meshes its ports may say otherwise (ADR 0135). An external is judged by the sender's proxy, which knows its own
    workload: there is no caller without identity (ADR 0051).
    """
    match node:
        case Service():
            policy = effective_policy(mesh.mtls, node.name, node.namespace, port, day)
            return MtlsMode.STRICT if policy is None else policy.mode
        case Gateway():
            edge = edge_policy(mesh.mtls, node.name, port)
            return MtlsMode.PERMISSIVE if edge is None else edge.mode
        case External():
            return MtlsMode.STRICT
        case _:
            assert_never(node)


def canonical_identity(mesh: Mesh, identity: SpiffeId) -> SpiffeId:
    """The identity with an alias of our trust domain replaced by the trust domain: rules name no other of ours."""
    if identity.trust_domain in mesh.aliases:
        return SpiffeId(mesh.trust_domain, identity.path)
    return identity


def is_trusted(mesh: Mesh, identity: SpiffeId) -> bool:
    """Whether a handshake of that identity can be verified: our domain, its aliases, and the foreign ones trusted."""
    return identity.trust_domain in {mesh.trust_domain, *mesh.aliases, *mesh.trusts}


def _is_verified(mesh: Mesh, node: Node, port: int, identity: SpiffeId) -> bool:
    """Whether the node takes the identity for one. A gateway whose port says how it ends TLS does not look at trust
    domains, only at who signed: whoever has an identity there has one that is verified (ADR 0135).
    """  # noqa: D205
    is_edge = isinstance(node, Gateway) and edge_policy(mesh.mtls, node.name, port) is not None
    return is_edge or is_trusted(mesh, identity)


def passes_handshake(mesh: Mesh, node: Node, request: Request, day: date) -> bool:
    """Whether the transport step lets a well-formed request pass (before `observe`, which refuses nothing)."""
    identity = None if request.source.identity is None else SpiffeId.parse(request.source.identity)
    mode = mode_of(mesh, node, request.port, day)
    match mode:
        case MtlsMode.STRICT:
            # "without a verified identity of a trusted domain the connection is refused"
            return identity is not None and _is_verified(mesh, node, request.port, identity)
        case MtlsMode.PERMISSIVE:
            # "either; a handshake that is tried and fails is refused, never downgraded"
            return identity is None or _is_verified(mesh, node, request.port, identity)
        case MtlsMode.DISABLED:
            # "nobody has an identity": a well-formed request carries none here, and in lifted meshes whoever shows one
            # speaks TLS to a port that takes none
            return identity is None
        case _:
            assert_never(mode)


def as_sent(mesh: Mesh, request: Request, day: date) -> Request:
    """The request of a caller with this identity as it comes out of the caller's proxy.

    "Callers offer mTLS to what is declared unless it is `disabled`": there they have no identity, whoever they are.
    `request.day` wins over `day`.
    """
    node = mesh.node(request.destination)
    if node is None or mode_of(mesh, node, request.port, request.day or day) is not MtlsMode.DISABLED:
        return request
    return replace(request, source=replace(request.source, identity=None))
