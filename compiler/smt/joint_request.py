"""From a point of two policies to the request, and to what becomes of it before either side sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token
from meshproof.compiler.smt.concretize import caller_at, request_at
from meshproof.compiler.smt.formula import Point
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.view import View


@dataclass(frozen=True, slots=True)
class JointRequest:
    """A request as it is sent, and as it arrives at each side.

    Where mTLS is disabled a caller has no identity, and a port of connections sees nothing of HTTP.
    """

    sent: Request
    old: Request
    new: Request


def joint_request_at(joint: Joint, point: Point, caller: int | None = None) -> JointRequest:
    """The request of a point; `caller` is the class of callers to show, one that the port does not tell apart."""
    shown = caller_at(joint.environment, point) if caller is None else caller
    base = request_at(joint.environment, point, shown)
    client = request_at(joint.old, point).client_ip or request_at(joint.new, point).client_ip
    token = base.token
    if joint.unreadable is not None and point[joint.unreadable] and base.protocol is not RequestProtocol.TCP:
        token = Token(is_valid=False, claims=ClaimObject(()))
    found = joint.callers.classes[shown]
    common = replace(base, client_ip=client, token=token)
    sent = replace(common, source=Peer(found.new, base.source.ip))
    return JointRequest(
        sent,
        _arriving(joint.old, replace(common, source=Peer(found.old, base.source.ip)), point),
        _arriving(joint.new, sent, point),
    )


def _arriving(view: View, request: Request, point: Point) -> Request:
    policy = view.policy
    identity = None if policy.mode is MtlsMode.DISABLED else request.source.identity
    has_tls = identity is not None or policy.has_tls_without_identity
    arrived = replace(
        request,
        source=Peer(identity, request.source.ip),
        destination=NodeName(policy.key.node),
        port=policy.key.port,
        sni=request.sni if has_tls else None,
    )
    if request.protocol is RequestProtocol.TCP or view.formulas.holds(view.is_http, point):
        return arrived
    return Request(
        source=arrived.source,
        destination=arrived.destination,
        port=arrived.port,
        protocol=RequestProtocol.TCP,
        client_ip=arrived.client_ip,
        sni=arrived.sni,
        answers=arrived.answers,
    )
