"""What the files of every kind need to know while one policy is lowered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.common.findings import Findings
from meshproof.targets.common.names import SUBDOMAIN_MAX, Names, mangle
from meshproof.targets.istio.identities import Domains
from meshproof.targets.istio.options import IstioOptions
from meshproof.targets.istio.workloads import Workload

PREFIX = "meshproof"
"""The first part of the name of every object: nothing that someone else wrote is overwritten by an apply."""


@dataclass(frozen=True, slots=True)
class Context:
    """The policy, the day, the options; and the findings and names, which grow."""

    mesh: Mesh
    day: date
    options: IstioOptions
    findings: Findings
    names: Names = field(default_factory=Names)

    @property
    def domains(self) -> Domains:
        """The trust domains of the mesh."""
        return Domains(self.mesh.trust_domain, self.mesh.aliases, self.mesh.trusts)

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Every proxy that judges."""
        return (*self.mesh.services, *self.mesh.gateways)

    def is_closed(self, namespace: str) -> bool:
        """Whether what nobody declared in the namespace refuses everything."""
        return any(one.is_closed for one in self.mesh.namespaces if one.name == namespace)

    def relayed(self, gateway: NodeName) -> tuple[External, ...]:
        """The externals that are called through the gateway."""
        return tuple(external for external in self.mesh.externals if external.via == gateway)

    def gateway(self, name: NodeName | None) -> Gateway | None:
        """The gateway of that name."""
        return next((one for one in self.mesh.gateways if one.name == name), None)

    def service_host(self, node: Service | Gateway) -> str:
        """The DNS name of the node's Kubernetes Service; a gateway's Service is called like the gateway."""
        name = node.platform_name if isinstance(node, Service) else node.name
        return f"{name}.{node.namespace}.svc.{self.options.cluster_domain}"

    def names_of_gateway(self, gateway: Gateway) -> str:
        """The Gateway object as VirtualServices name it."""
        return f"{gateway.namespace}/{PREFIX}-{mangle(str(gateway.name), SUBDOMAIN_MAX - len(PREFIX) - 1)}"

    def claim_host(self, host: str, owner: str, origin: Origin) -> None:
        """MP706 where senders know two things by one host: of two routes for it Istio keeps the older one."""
        other = self.names.claim("host", host, owner)
        if other is not None:
            message = f"`{owner}` and `{other}` are both called as `{host}`, for which Istio keeps one VirtualService"
            advice = "declare them as one, with the ports of both"
            self.findings.add("MP706", Severity.ERROR, message, owner, origin, advice)

    def name(self, kind: str, namespace: str, text: str, origin: Origin) -> str:
        """A name for an object; MP706 where two things of one kind and namespace come to the same."""
        name = f"{PREFIX}-{mangle(text, SUBDOMAIN_MAX - len(PREFIX) - 1)}"
        other = self.names.claim(f"{kind} {namespace}", name, text)
        if other is not None:
            self.findings.add(
                "MP706",
                Severity.ERROR,
                f"`{text}` and `{other}` both become the {kind} `{namespace}/{name}`",
                text,
                origin,
                "rename one of them",
            )
        return name
