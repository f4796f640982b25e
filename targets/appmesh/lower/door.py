"""A door: the port of a gate at which callers of one class come in for one port of one service."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.entities import Service, ServicePort
from meshproof.compiler.ir.names import SpiffeId
from meshproof.targets.appmesh.values import Value


@dataclass(frozen=True, slots=True)
class Door:
    """The listener `number` of the virtual gateway `gate`: `callers` may do the same at `port` of `service`."""

    service: Service
    port: ServicePort
    callers: tuple[SpiffeId, ...]
    gate: str
    number: int

    @property
    def protocol(self) -> str:
        """What is spoken at the door: methods of gRPC are paths of HTTP/2."""
        return "http2" if self.port.protocol in {"grpc", "http2"} else "http"


@dataclass(frozen=True, slots=True)
class Doors:
    """All doors, and the virtual gateways and gateway routes that they are made of."""

    every: tuple[Door, ...] = ()
    resources: tuple[Value, ...] = ()

    def of(self, service: Service, port: ServicePort) -> tuple[Door, ...]:
        """The doors of a port of a service."""
        return tuple(one for one in self.every if one.service.name == service.name and one.port == port)

    def every_of(self, service: Service) -> tuple[Door, ...]:
        """The doors of all ports of a service."""
        return tuple(one for one in self.every if one.service.name == service.name)

    def for_caller(self, service: Service, caller: SpiffeId) -> tuple[Door, ...]:
        """The doors by which a caller comes to a service."""
        return tuple(one for one in self.every if one.service.name == service.name and caller in one.callers)
