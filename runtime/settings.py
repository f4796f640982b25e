"""The settings of `meshproof-proxy authz`, as values. `authz.schema.json` describes the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.settings_run import PolicyFiles, TelemetrySettings, TokenKeys


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Mutual TLS: who the authorizer is, and who may ask. Without `clients`: all that `client_ca` signed."""

    certificate: Path
    key: Path
    client_ca: Path
    clients: tuple[str, ...] = ()

    def takes(self, uris: tuple[str, ...]) -> bool:
        """Whether who has these URIs in its certificate may ask."""
        return len(uris) == 1 and (not self.clients or uris[0] in self.clients)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where something listens. Port 0 takes one that is free."""

    address: str = "127.0.0.1"
    port: int = 9191
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer, and all together, may take."""

    head_bytes: int = 65_536
    headers: int = 128
    connections: int = 1024
    head_seconds: int = 10
    idle_seconds: int = 3600
    drain_seconds: int = 30


@dataclass(frozen=True, slots=True)
class AuthzSettings:
    """All of one file. Paths are whole. It listens at `listen` over HTTP, at `grpc` over gRPC, or at both.

    Of `telemetry` the decision log is told alone.
    """

    policy: PolicyFiles
    destinations: tuple[Destination, ...]
    listen: Listen | None = field(default_factory=Listen)
    admin: Listen | None = None
    limits: Limits = field(default_factory=Limits)
    grpc: Listen | None = None
    tokens: tuple[TokenKeys, ...] = ()
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
