"""A policy compiled for App Mesh, with the proxies of its resources on loopback addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from tests.e2e.envoy.app_mesh_config import Address, Doc, is_for, part_of
from tests.e2e.envoy.app_mesh_proxies import Proxies
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground, Use
from tests.strategies.building import rule

from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.emit import CALLS
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.naming import gate_node_name, gateway_name, node_name
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
DAY = date(2026, 11, 23)
ROOMY = {"app-mesh.quota.gateways": "50", "app-mesh.quota.gateway-routes": "100"}


def options(settings: dict[str, str] | None = None) -> CompileOptions:
    """A compile that writes calls of the API, and takes what callers keep."""
    given = {"app-mesh.rendering": "api", **(settings or {})}
    return CompileOptions(DAY, tuple(given.items()), "hash", require=Judgement.COOPERATIVE)


@dataclass(frozen=True, slots=True)
class Opening:
    """A listener of a gate, and the virtual services to which its routes lead."""

    address: Address
    protocol: str
    leads: frozenset[str]

    def is_to(self, service: Service) -> bool:
        """Whether some route leads to the service."""
        start = f"direct.{service.platform_name}.{service.namespace}."
        return any(name.startswith(start) for name in self.leads)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A mesh on the air. `lifted` is what its files mean; `documents` are the calls of the API."""

    mesh: Mesh
    lowered: AppMeshLowered
    lifted: Mesh
    documents: tuple[Doc, ...]
    proxies: Proxies

    @property
    def doors(self) -> tuple[Opening, ...]:
        """Every listener of every gate."""
        gates = [one for one in self.documents if one.get("virtualGatewayName") in self.lowered.gates]
        routes = [(one["virtualGatewayName"], part_of(one)) for one in gates if "gatewayRouteName" in one]

        def opening(gate: str, mapping: Doc) -> Opening:
            own = (part for name, part in routes if name == gate and is_for(part, mapping["port"]))
            leads = frozenset(part["action"]["target"]["virtualService"]["virtualServiceName"] for part in own)
            return Opening((self.proxies.places[gate], mapping["port"]), mapping["protocol"], leads)

        return tuple(
            opening(one["virtualGatewayName"], listener["portMapping"])
            for one in gates
            if "gatewayRouteName" not in one
            for listener in one["spec"]["listeners"]
        )

    @property
    def trusted(self) -> frozenset[str]:
        """Who is taken at its word for what it sends: gates, and the gateways of the policy."""
        return frozenset((self.gate, *(one.identity.uri for one in self.mesh.gateways)))

    @property
    def gate(self) -> str:
        """The identity of gates."""
        namespace = self.mesh.namespace or "meshproof"
        return f"spiffe://{self.mesh.trust_domain}/ns/{namespace}/sa/meshproof-gate"

    def names_at(self, request: Request, identity: str) -> bool:
        """Whether the listener that a request is for takes the identity's certificate."""
        service = self.mesh.node(request.destination)
        assert isinstance(service, Service)
        node = next(each for each in self.documents if each.get("virtualNodeName") == self.nodes(service)[0])
        listeners = (each for each in node["spec"]["listeners"] if each["portMapping"]["port"] == request.port)
        tls = next(listeners).get("tls", {"mode": "DISABLED"})
        names = tls.get("validation", {}).get("subjectAlternativeNames", {}).get("match", {}).get("exact", [identity])
        return tls["mode"] == "DISABLED" or identity in names

    def nodes(self, service: Service) -> tuple[str, ...]:
        """The virtual nodes of a service."""
        versions = service.versions or (None,)
        return tuple(node_name(service.platform_name, service.namespace, one) for one in versions)

    def places(self, node: Service | Gateway) -> tuple[str, ...]:
        """Where its proxies are."""
        if isinstance(node, Gateway):
            return (self.proxies.places[gateway_name(str(node.name), node.namespace)],)
        return tuple(self.proxies.places[name] for name in self.nodes(node))


def documents_of(lowered: AppMeshLowered) -> tuple[Doc, ...]:
    """The calls that make the resources, as they are written."""
    files = (one for one in TARGET.emit(lowered) if one.path.startswith(f"{CALLS}/"))
    return tuple(json.loads(one.content) for one in files)


def emitted(
    mesh: Mesh, lowered: AppMeshLowered, place: tuple[Ground, int], authority: Authority, app: Address | None = None
) -> Emitted:
    """The mesh that was lowered, rendered. `place` is the ground, and the number on it."""
    errors = [one.message for one in lowered.diagnostics if one.severity is Severity.ERROR]
    assert not errors, errors
    found = TARGET.lift(TARGET.emit(lowered), lowered.compile_options, mesh)
    assert found.mesh is not None, found.diagnostics
    assert not found.diagnostics, [one.message for one in found.diagnostics]
    made = documents_of(lowered)
    return Emitted(mesh, lowered, found.mesh, made, rendered(made, lowered.gates, place, authority, app))


def rendered(
    documents: tuple[Doc, ...],
    gates: frozenset[str],
    place: tuple[Ground, int],
    authority: Authority,
    app: Address | None = None,
) -> Proxies:
    """Their proxies. A gate's node is where the gate is."""
    ground, number = place
    addresses = {gate_node_name(gate): gate for gate in sorted(gates)}
    names = [name for name in _proxied(documents) if name not in addresses]
    places = {name: ground.host(Use.APP_MESH, number, index) for index, name in enumerate(names, 1)}
    places |= {name: places[gate] for name, gate in addresses.items()}
    return Proxies(documents, places, authority, frozenset(addresses), app)


def _proxied(documents: tuple[Doc, ...]) -> Iterator[str]:
    for one in documents:
        if "virtualNodeName" in one:
            yield one["virtualNodeName"]
        elif "virtualGatewayName" in one and "gatewayRouteName" not in one:
            yield one["virtualGatewayName"]


def compilable(mesh: Mesh, settings: dict[str, str] | None = None) -> tuple[Mesh, AppMeshLowered] | None:
    """What of a random policy App Mesh can say: one domain, strict TLS, no externals, open gateways, and not the rules
    and routes that it refuses. None if that is not all.
    """
    mesh = replace(
        mesh,
        aliases=(),
        trusts=(),
        externals=(),
        egress=None,
        mtls=(),
        namespaces=tuple(replace(one, is_closed=False, observe=None) for one in mesh.namespaces),
        services=tuple(replace(one, observe=None, accepts=()) for one in mesh.services),
        gateways=tuple(replace(one, accepts=(), client_ca=None) for one in mesh.gateways),
    )
    gateways = {one.name for one in mesh.gateways}
    names = gateways | {one.name for one in mesh.services}
    inside = (one for one in mesh.rules if all(place.node in names - gateways for place in one.destinations))
    mesh = replace(
        mesh,
        rules=(*inside, *(rule(f"open {name}", node=name) for name in sorted(gateways))),
        routes=tuple(one for one in mesh.routes if one.node in names),
    )
    for _ in range(6):
        lowered = TARGET.lower(mesh, options({**ROOMY, **(settings or {})}))
        if not has_errors(lowered.diagnostics):
            return mesh, lowered
        blamed = {str(one.subject) for one in lowered.diagnostics if one.severity is Severity.ERROR}
        smaller = _without(mesh, blamed)
        if smaller == mesh:
            return None
        mesh = smaller
    return None


def _without(mesh: Mesh, blamed: set[str]) -> Mesh:
    return replace(
        mesh,
        rules=tuple(one for one in mesh.rules if str(one.id) not in blamed),
        routes=tuple(
            one for one in mesh.routes if one.id not in blamed and not blamed & {branch.id for branch in one.branches}
        ),
        gateways=tuple(one for one in mesh.gateways if str(one.name) not in blamed),
    )
