"""What every part of the lowering needs to know while one policy is lowered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from meshproof.compiler.backend.artifact import MapEntry
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.backend.residual import Dial
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.entities import Destination, Gateway, Service, ServicePort
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin, SpiffeId
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.naming import gateway_name, host_name, node_name
from meshproof.targets.appmesh.options import JUDGEMENT, MESH, BadOptionError, Options, read_options
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.findings import Findings, NotExpressibleError
from meshproof.targets.common.names import Names

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_DEFAULT_NAMESPACE = "meshproof"


@dataclass(frozen=True, slots=True)
class Context:
    """The policy, the day, the options; and what grows: findings, names, places in the source, what callers keep.

    `handed` are the ports that a sidecar behind the node judges, which are known before anything else is lowered.
    """

    mesh: Mesh
    day: date
    options: Options
    require: Judgement
    findings: Findings
    names: Names = field(default_factory=Names)
    pieces: list[MapEntry] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    dials: list[Dial] = field(default_factory=list)
    handed: set[tuple[NodeName, int]] = field(default_factory=set)

    @property
    def mesh_name(self) -> str:
        """The mesh of App Mesh."""
        return self.options.mesh or self.mesh.name

    @property
    def gate(self) -> SpiffeId:
        """Who all internal gateways are, towards callers and services."""
        namespace = self.options.gate_namespace or self.mesh.namespace or _DEFAULT_NAMESPACE
        return SpiffeId.of_account(self.mesh.trust_domain, namespace, self.options.gate_account)

    @property
    def gate_namespace(self) -> str:
        """Where gates run."""
        return self.options.gate_namespace or self.mesh.namespace or _DEFAULT_NAMESPACE

    def is_handed(self, service: Service, port: ServicePort) -> bool:
        """Whether a sidecar behind the node judges the port."""
        return (service.name, port.workload) in self.handed

    def node(self, service: Service, version: str | None = None) -> str:
        """The virtual node of a service, or of a version of it."""
        return node_name(service.platform_name, service.namespace, version)

    def gateway(self, gateway: Gateway) -> str:
        """The virtual gateway of a gateway."""
        return gateway_name(str(gateway.name), gateway.namespace)

    def host(self, service: Service) -> str:
        """What callers of a service dial: its virtual service."""
        return host_name(self.options.discovery, service.platform_name, service.namespace)

    def version_host(self, service: Service, version: str) -> str:
        """Where a version of a service is found."""
        return host_name(self.options.version_discovery, service.platform_name, service.namespace, version)

    def service(self, name: NodeName) -> Service | None:
        """The service of that name."""
        return next((one for one in self.mesh.services if one.name == name), None)

    def of_identity(self, identity: SpiffeId) -> tuple[Service | Gateway, ...]:
        """The declared workloads that run as this identity."""
        workloads: tuple[Service | Gateway, ...] = (*self.mesh.services, *self.mesh.gateways)
        return tuple(one for one in workloads if one.identity == identity)

    def place(self, resource: Value, subject: str, index: int | None = None) -> None:
        """Write down what a resource, or its entry `index`, came from."""
        key = key_of(resource)
        self.pieces.append(MapEntry(key.kind, self.mesh_name, "/".join(key.names[1:]) or key.name, index, subject))

    def kept_nowhere(
        self,
        subject: str,
        origin: Origin,
        error: NotExpressibleError,
        *settings: str,
        at: Destination | None = None,
    ) -> None:
        """Something that no proxy keeps and that lets nobody in: MP701, or a loss where `require` is cooperative.

        `settings` are what it is of a route or rule, and `at` is where, as in `Loss`.
        """
        if self.require is Judgement.ENFORCED:
            self.findings.unsupported(subject, origin, error)
        else:
            loss = Loss(error.feature, Direction.UNKEPT, subject, error.reason, origin, settings=settings, at=at)
            self.findings.lose(loss)

    def kept_by_callers(self, subject: str, origin: Origin, error: NotExpressibleError) -> None:
        """A part of the policy that callers' own proxies keep: MP701, or MP727 where `require` is cooperative."""
        if self.require is Judgement.ENFORCED:
            advice = "accept that callers alone keep it, with `--require cooperative`"
            self.findings.unsupported(subject, origin, NotExpressibleError(error.feature, error.reason, advice))
        else:
            self.findings.add("MP727", Severity.INFO, f"`{subject}`: {error.reason}", subject, origin)
            self.kept.append(subject)

    def claim(self, scope: str, name: str, owner: str, origin: Origin) -> None:
        """MP706 where two things of the policy become one of App Mesh."""
        other = self.names.claim(scope, name, owner)
        if other is not None:
            message = f"`{owner}` and `{other}` both become the {scope} `{name}`"
            self.findings.add("MP706", Severity.ERROR, message, owner, origin, "rename one of them")


def context_of(mesh: Mesh, options: CompileOptions, findings: Findings) -> Context:
    """The context of a compile; options that are not taken are MP709."""
    try:
        read = read_options(options.settings)
    except BadOptionError as error:
        findings.add("MP709", Severity.ERROR, str(error), mesh.name, mesh.origin, error.advice)
        read = Options()
    context = Context(mesh, options.day, read, options.require, findings)
    if not _NAME.fullmatch(context.mesh_name):
        message = f"`{context.mesh_name}` is no name of a mesh of App Mesh"
        advice = f"give one of letters, digits, hyphens and underscores with `--option {MESH}=NAME`"
        findings.add("MP709", Severity.ERROR, message, mesh.name, mesh.origin, advice)
    if read.parameters:
        message = "parameters are those of templates that are read; a compile has none"
        findings.add("MP709", Severity.ERROR, message, mesh.name, mesh.origin, "leave `app-mesh.parameter` out")
    if read.judgement is not Judgement.ENFORCED:
        message = f"`{JUDGEMENT}` says how files are read; a compile is told by `--require` what callers may keep"
        findings.add("MP709", Severity.ERROR, message, mesh.name, mesh.origin, f"leave `{JUDGEMENT}` out")
    _check_gate(context)
    return context


def _check_gate(context: Context) -> None:
    """Gates pass whoever they let in, so their identity may be nobody's whom the policy speaks of."""
    for workload in context.of_identity(context.gate):
        message = f"`{workload.name}` has the identity that the gates of the mesh have, `{context.gate.uri}`"
        advice = "give them an account of their own with `--option app-mesh.gate-account=NAME`"
        context.findings.add("MP709", Severity.ERROR, message, str(workload.name), workload.origin, advice)
