"""One port of the own workload, as its connections see it: the policy of now, and where requests go."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.runtime.core.http1_server import ServerRules
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Telemetry, Tracer, Upstream
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.inbound_policy import PortPolicy
from meshproof.runtime.net.outbound_dial import Dialer

_ALPN = ("h2", "http/1.1")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all inbound ports share. `wall` is the time of day; `clock` only goes forward."""

    identities: Identities
    telemetry: Telemetry
    tracer: Tracer
    dialer: Dialer
    rules: ServerRules
    http2: Http2Limits
    clock: Callable[[], float]
    wall: Callable[[], float]
    handshake_seconds: float
    idle_seconds: float


class Port:
    """`upstream` is where its requests go, `application` where its connections over TCP do."""

    __slots__ = ("application", "application_name", "around", "day", "fault", "is_draining", "local", "mode", "policy",
                 "tracer", "upstream")  # fmt: skip

    def __init__(self, local: str, application: Address, around: Surroundings, policy: PortPolicy, day: date) -> None:
        self.local = local
        self.application = application
        self.application_name = str(application)
        self.around = around
        self.tracer = around.tracer
        self.fault = around.telemetry.fault
        self.is_draining = False
        self.upstream: Upstream
        self.adopt(policy, day)

    def adopt(self, policy: PortPolicy, day: date) -> None:
        """Go by this policy, on this day, from the next request and the next connection on."""
        self.policy = policy
        self.day = day
        self.mode: MtlsMode = policy.mode(day)

    def context(self) -> ssl.SSLContext:
        """For one handshake that begins now. Raises `CredentialsError`."""
        return noting_names(self.around.identities.server_context(() if self.policy.layer is Layer.TCP else _ALPN))


def noting_names(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, which notes what name each client asks for: `asked_name` says it after the handshake."""
    if context.sni_callback is None:
        context.sni_callback = _note
    return context


def asked_name(secured: object) -> str | None:
    """The name that a client asked for in its handshake; None if it named none."""
    return getattr(secured, "asked_name", None)


def _note(secured: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    del context
    secured.asked_name = name  # type: ignore[attr-defined]  # nobody else keeps it, and it lives as long as this does
