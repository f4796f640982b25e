"""What happens to a request at its destination, step by step. This is the definition: plain, and slow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import Exemption, External, Node, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.authorize import authorize
from meshproof.compiler.semantics.errors import MalformedRequest
from meshproof.compiler.semantics.facts import Facts, facts_of
from meshproof.compiler.semantics.handshake import passes_handshake
from meshproof.compiler.semantics.token import seen_token, verifying_issuer


def decide(mesh: Mesh, request: Request, day: date) -> Decision:
    """What the destination's proxy decides about a request as it arrives; `request.day` wins over `day`.

    Raises `MalformedRequest` for a request that cannot exist or leaves out what decides, `MissingAnswer` and
    `NotModelled` where the outcome hangs on something that is not told.
    """
    day = request.day or day
    facts = facts_of(mesh, request, day)
    node = _destination(mesh, request)
    decision = _judge(mesh, node, request, facts, day)
    if not decision.is_allowed and is_observed(mesh, node, day):
        # Under `observe` "decisions are made and logged, nothing is refused".
        return replace(decision, is_allowed=True, is_observed=True)
    return decision


def passes_transport(mesh: Mesh, request: Request, day: date) -> bool:
    """Whether a request is in T of the claims: it passes transport, allowed or not. Under `observe` all do."""
    day = request.day or day
    facts_of(mesh, request, day)
    node = _destination(mesh, request)
    return passes_handshake(mesh, node, request, day) or is_observed(mesh, node, day)


def is_observed(mesh: Mesh, node: Node, day: date) -> bool:
    """Whether nothing is refused at the node: an `observe` of it or of its namespace is in force."""
    if isinstance(node, External):
        return False
    exemptions = [namespace.observe for namespace in mesh.namespaces if namespace.name == node.namespace]
    if isinstance(node, Service):
        exemptions.append(node.observe)
    return any(exemption is not None and is_exempt(exemption, day) for exemption in exemptions)


def is_exempt(exemption: Exemption, day: date) -> bool:
    """Whether the exemption still counts: "`until DATE` is through that day"."""
    return exemption.until is None or day <= exemption.until


def _judge(mesh: Mesh, node: Node, request: Request, facts: Facts, day: date) -> Decision:
    # 1. Transport.
    if not passes_handshake(mesh, node, request, day):
        return Decision(is_allowed=False, reason=Reason.TRANSPORT)
    # 2. Path.
    if facts.is_path_refused:
        return Decision(is_allowed=False, reason=Reason.PATH)
    # 3. Token: "not verifiable, expired, of an issuer or audience not accepted: refused. None is fine".
    token = seen_token(mesh, node, request)
    if token is not None and verifying_issuer(mesh, node, token) is None:
        return Decision(is_allowed=False, reason=Reason.TOKEN)
    # 4. Rules.
    return authorize(mesh, node, request, facts, day)


def _destination(mesh: Mesh, request: Request) -> Node:
    node = mesh.node(request.destination)
    if node is None:
        raise MalformedRequest(f"nothing that is declared is named `{request.destination}`")
    return node
