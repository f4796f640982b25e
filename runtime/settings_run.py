"""The settings of `meshproof-proxy run`, as values. `run.schema.json` describes the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from meshproof.compiler.ir.names import IssuerName, NodeName

STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something listens: an IP address and a port, or (of those that are connected to) a host name."""

    address: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The bundle, and whose signature it must have. No keys: it is not signed.

    Bundles of less than `minimum_revision`, or older than what was taken and stands in `revision_file`, are refused. 0
    and None: a revision is not asked for.
    """

    bundle: Path
    trusted_keys: tuple[Path, ...] = ()
    minimum_revision: int = 0
    revision_file: Path | None = None


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Who the sidecar is, and whom it believes: the authorities of the own trust domain, and those of others."""

    certificate: Path
    key: Path
    trust_bundle: Path
    federated: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityFolder:
    """A folder in which the same stands under the names that agents write."""

    folder: Path


@dataclass(frozen=True, slots=True)
class WorkloadApi:
    """The socket of an agent that gives and renews the same."""

    socket: Path


@dataclass(frozen=True, slots=True)
class InboundPort:
    """A port of the own workload: `port` as the policy knows it, where callers come in, and where the application is.

    What is spoken there, and whether plaintext is taken, the policy says.
    """

    port: int
    listen: Place
    application: Place


@dataclass(frozen=True, slots=True)
class OutboundPort:
    """A loopback port at which the application finds one destination: a node of the policy and its workload port."""

    destination: NodeName
    port: int
    listen: Place


@dataclass(frozen=True, slots=True)
class EndpointGroup:
    """Where a destination is: the addresses of one version (None: of all), or the name that resolves to them."""

    destination: NodeName
    port: int
    version: str | None = None
    addresses: tuple[Place, ...] = ()
    dns: Place | None = None


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The keys of an issuer of the policy: a file, or else a URL that is asked now and then."""

    issuer: IssuerName
    file: Path | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What one peer, and all together, may take of one worker. `body_bytes` 0 is no bound."""

    head_bytes: int = 65_536
    headers: int = 128
    body_bytes: int = 0
    connections: int = 16_384
    streams: int = 100
    handshake_seconds: int = 10
    head_seconds: int = 10
    stall_seconds: int = 60
    idle_seconds: int = 3600
    connect_seconds: int = 5
    dns_seconds: int = 30


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """A collector that takes spans (`http://HOST:4318/v1/traces`), and the share in percent that begins sampled.

    Where it takes metrics too (`…/v1/metrics`), they are told each so many seconds.
    """

    endpoint: str
    percent: int = 1
    metrics_endpoint: str | None = None
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class EmfSettings:
    """Metrics for CloudWatch, as lines of the Embedded Metric Format."""

    namespace: str
    file: Path = STANDARD_OUTPUT
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What is told of requests, and where: a file may be `STANDARD_OUTPUT`."""

    access_log: Path | None = None
    access_log_hidden: tuple[str, ...] = ()
    decision_log: Path | None = None
    decision_log_headers: tuple[str, ...] = ()
    decision_log_masked: tuple[str, ...] = ()
    cluster: str = "unknown"
    trace_headers: tuple[str, ...] = ("w3c",)
    emf: EmfSettings | None = None
    otlp: OtlpSettings | None = None
    decision_log_key: Path | None = None


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The processes. `watch_seconds` 0: files are looked at on SIGHUP alone."""

    workers: int = 1
    watch_seconds: int = 2
    drain_seconds: int = 30


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All of one file. Paths are whole."""

    service: NodeName
    policy: PolicyFiles
    identity: IdentityFiles | IdentityFolder | WorkloadApi
    inbound: tuple[InboundPort, ...] = ()
    outbound: tuple[OutboundPort, ...] = ()
    endpoints: tuple[EndpointGroup, ...] = ()
    tokens: tuple[TokenKeys, ...] = ()
    limits: RunLimits = field(default_factory=RunLimits)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    admin: Place | None = None
    process: ProcessSettings = field(default_factory=ProcessSettings)
