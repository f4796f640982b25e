"""What a mesh declares as the language writes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.durations import duration
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.reasons import MODES, mtls_reasons, observed
from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.mtls import MeshScope, MtlsPolicy, NamespaceScope, PortScope, ServiceScope
from meshproof.compiler.ir.names import SpiffeId
from meshproof.dsl.ast import declarations as ast
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.reasons import MtlsDefault
from meshproof.dsl.ast.rules import MtlsStatement
from meshproof.dsl.ast.values import Name, Number, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.ports import Ports
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.entities import Authorizer, Issuer, Namespace
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import IssuerName, NodeName

_LANGUAGE = 1


class Declarations:
    """Writes the declarations of a mesh."""

    def __init__(self, mesh: Mesh, names: Names, wording: Wording, ports: Mapping[NodeName, Ports]) -> None:
        self._mesh = mesh
        self._names = names
        self._ports = ports
        self._wording = wording
        namespaces = [service.namespace for service in mesh.services]
        self._namespace = max(sorted(set(namespaces)), key=namespaces.count) if namespaces else None

    def mesh(self) -> ast.Mesh:
        """The `mesh` block. The namespace of most services is the default one."""
        default = next((one for one in self._mesh.mtls if isinstance(one.scope, MeshScope)), None)
        egress = self._mesh.egress
        return ast.Mesh(
            name=Name(self._wording.policy),
            language=Number(_LANGUAGE),
            trust_domain=Text(self._mesh.trust_domain),
            aliases=tuple(Text(one) for one in self._mesh.aliases),
            trusts=tuple(Text(one) for one in self._mesh.trusts),
            namespace=None if self._namespace is None else Name(self._namespace),
            mtls=None if default is None else self._default(default),
            egress=None if egress is None else ast.EgressDefault(ast.Egress(Egress(egress).value)),
        )

    def _default(self, policy: MtlsPolicy) -> MtlsDefault:
        return MtlsDefault(MODES[policy.mode], mtls_reasons(policy, self._wording))

    def namespace(self, namespace: Namespace) -> ast.Namespace | None:
        """The `namespace` block, if it says anything."""
        own = next(
            (one for one in self._mesh.mtls if one.scope == NamespaceScope(namespace.name)),
            None,
        )
        if own is None and not namespace.is_closed and namespace.observe is None and namespace.owner is None:
            return None
        return ast.Namespace(
            name=Name(namespace.name),
            mtls=None if own is None else self._default(own),
            owner=None if namespace.owner is None else Text(namespace.owner),
            closed=Flag() if namespace.is_closed else None,
            observe=observed(namespace.observe, self._wording),
        )

    def service(self, service: Service) -> ast.Service:
        """A service with its ports."""
        name = self._names.nodes[service.name]
        usual = SpiffeId.of_account(self._mesh.trust_domain, service.namespace, service.account)
        labels = () if self._is_told_by_app(service, name) else service.labels
        return ast.Service(
            name=Name(name),
            ports=tuple(_ports(self._ports[service.name])),
            account=None if service.account == name else Name(service.account),
            namespace=None if service.namespace == self._namespace else Name(service.namespace),
            platform_name=None if service.platform_name == name else Text(service.platform_name),
            identity=None if service.identity == usual else Text(service.identity.uri),
            labels=tuple(ast.Label(Name(key), Text(value)) for key, value in labels),
            versions=tuple(Name(version) for version in service.versions),
            tags=tuple(map(Name, service.tags)),
            accepts=self._accepted(service.accepts),
            observe=observed(service.observe, self._wording),
        )

    def _is_told_by_app(self, service: Service, name: str) -> bool:
        """Whether the label `app`, which the language takes if none is given, selects it and nothing else."""
        app = dict(service.labels).get("app")
        running: tuple[Service | Gateway, ...] = (*self._mesh.services, *self._mesh.gateways)
        alike = [one for one in running if one.namespace == service.namespace and dict(one.labels).get("app") == app]
        return app == name and len(alike) == 1

    def gateway(self, gateway: Gateway) -> ast.Gateway:
        """A gateway with its ports and hosts."""
        usual = SpiffeId.of_account(self._mesh.trust_domain, gateway.namespace, gateway.account)
        return ast.Gateway(
            name=Name(self._names.nodes[gateway.name]),
            ports=tuple(_ports(self._ports[gateway.name])),
            account=Name(gateway.account),
            namespace=Name(gateway.namespace),
            identity=None if gateway.identity == usual else Text(gateway.identity.uri),
            hosts=tuple(Text(host) for host in gateway.hosts),
            certificate=None if gateway.certificate is None else Text(gateway.certificate),
            client_ca=None if gateway.client_ca is None else Text(gateway.client_ca),
            labels=tuple(ast.Label(Name(key), Text(value)) for key, value in gateway.labels),
            trusted_proxies=Number(gateway.trusted_proxies) if gateway.trusted_proxies else None,
            accepts=self._accepted(gateway.accepts),
        )

    def _accepted(self, issuers: tuple[IssuerName, ...]) -> tuple[Name, ...]:
        """The issuers that are taken, each once."""
        names = dict.fromkeys(self._names.issuers[one] for one in issuers if one in self._names.issuers)
        return tuple(map(Name, names))

    def external(self, external: External) -> ast.External:
        """Something outside the mesh."""
        return ast.External(
            name=Name(self._names.nodes[external.name]),
            hosts=tuple(Text(host) for host in external.hosts),
            ports=tuple(_ports(self._ports[external.name])),
            via=None if external.via is None else Name(self._names.nodes[external.via]),
        )

    def issuer(self, issuer: Issuer) -> ast.Issuer | None:
        """Who signs tokens; None if it says the same as one before it.

        Raises InexpressibleError for a second issuer of one URL that says something else.
        """
        first = next(one for one in self._mesh.issuers if one.url == issuer.url)
        if first is not issuer:
            if replace(issuer, name=first.name, origin=first.origin) != first:
                raise InexpressibleError(f"`{first.name}` says something else about tokens of `{issuer.url}`")
            return None
        place = issuer.place
        return ast.Issuer(
            name=Name(self._names.issuers[issuer.name]),
            url=Text(issuer.url),
            jwks=None if issuer.jwks is None else Text(issuer.jwks),
            audiences=tuple(Text(audience) for audience in issuer.audiences),
            location=None if place is None else ast.TokenLocation(ast.TokenPlace(place.kind), Text(place.name)),
            strip=Flag() if issuer.is_stripped else None,
        )

    def authorizer(self, authorizer: Authorizer) -> ast.Authorizer:
        """Who is asked. Raises InexpressibleError if an error of it counts as a yes."""
        if authorizer.fails_open:
            raise InexpressibleError("an error of it lets requests in")
        timeout = authorizer.timeout_ms
        return ast.Authorizer(
            name=Name(self._names.authorizers[authorizer.name]),
            address=Text(authorizer.address),
            protocol=ast.AuthorizerProtocolSetting(ast.AuthorizerProtocol(authorizer.protocol)),
            timeout=None if timeout is None else duration(timeout),
        )

    def mtls(self, policy: MtlsPolicy) -> MtlsStatement | None:
        """A statement for a service or port, or a namespace that has no block; those for more stand in their blocks."""
        match policy.scope:
            case NamespaceScope(namespace) if all(one.name != namespace for one in self._mesh.namespaces):
                destinations: sets.SetExpression = sets.NamespaceSet(Name(namespace))
            case ServiceScope(service):
                destinations = sets.Named(Name(self._names.nodes[service]))
            case PortScope(service, _) if any(one.name == service for one in self._mesh.gateways):
                return None  # how a server ends TLS is said of the gateway
            case PortScope(service, port):
                if not self._is_declared(service, port):
                    raise InexpressibleError(f"it is for port {port} of `{service}`, which nothing declares")
                name = next(one.name for one in self._ports[service] if one.workload == port)
                destinations = sets.AtPort(sets.Named(Name(self._names.nodes[service])), Name(name))
            case _:
                return None
        return MtlsStatement(MODES[policy.mode], destinations, mtls_reasons(policy, self._wording))

    def _is_declared(self, name: str, port: int) -> bool:
        return any(
            one.workload == port
            for service in self._mesh.services
            if service.name == name
            for one in self._ports[service.name]
        )


def _ports(ports: Ports) -> Iterator[ast.Port]:
    for port in ports:
        yield ast.Port(
            name=None if port.name == port.protocol.value else Name(port.name),
            protocol=ast.Protocol(port.protocol.value),
            number=Number(port.number),
            workload=None if port.number == port.workload else Number(port.workload),
            originate=Flag() if port.is_originated else None,
            passthrough=Flag() if port.is_passthrough else None,
        )
