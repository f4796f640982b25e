"""The policy: a bundle that is good, and is about the service beside which the sidecar stands."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.client_addresses import hidden_by
from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.runtime.bundle import MOST_BYTES, BundleError, Loaded, load_bundle
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.files import content
from meshproof.runtime.settings_run import PolicyFiles, RunSettings


@dataclass(frozen=True, slots=True)
class PolicyMaterial:
    """The bytes of a bundle, and of the keys one of which must have signed it."""

    bundle: bytes
    trusted_keys: tuple[bytes, ...] = ()


def read_policy(files: PolicyFiles) -> PolicyMaterial:
    """What is there now. Raises `RefusedError`."""
    return PolicyMaterial(content(files.bundle, MOST_BYTES), tuple(content(path) for path in files.trusted_keys))


def load_policy(material: PolicyMaterial, settings: RunSettings) -> Loaded:
    """The policy, if it is whole, trusted and about this service. Raises `RefusedError`."""
    try:
        loaded = load_bundle(material.bundle, trusted_keys=material.trusted_keys)
    except BundleError as error:
        raise RefusedError(f"`{settings.policy.bundle}` is refused: {error}") from None
    _refuse_foreign(loaded.bundle.mesh, settings)
    _refuse_hidden_clients(loaded.bundle.mesh, settings)
    return loaded


def own_node(mesh: Mesh, name: NodeName) -> Service | Gateway:
    """The service or gateway of that name. Raises `RefusedError`."""
    node = mesh.node(name)
    if node is None or isinstance(node, External):
        raise RefusedError(f"the policy declares no service or gateway `{name}`")
    return node


def own_identities(mesh: Mesh, name: NodeName) -> tuple[SpiffeId, ...]:
    """As whom the service may show itself: its identity, which in our trust domain is the same in an alias of it."""
    identity = own_node(mesh, name).identity
    if identity.trust_domain not in {mesh.trust_domain, *mesh.aliases}:
        return (identity,)
    domains = dict.fromkeys((identity.trust_domain, mesh.trust_domain, *mesh.aliases))
    return tuple(SpiffeId(domain, identity.path) for domain in domains)


def _refuse_foreign(mesh: Mesh, settings: RunSettings) -> None:
    """A bundle that does not know what is listened at is another mesh's, or an older one: the last good one stays."""
    node = own_node(mesh, settings.service)
    ports = {port.workload for port in node.ports}
    for inbound in settings.inbound:
        if inbound.port not in ports:
            known = ", ".join(f"`{port}`" for port in sorted(ports)) or "none"
            said = f"the policy declares no port of `{node.name}` whose workload listens on `{inbound.port}`"
            raise RefusedError(f"{said}; it listens on {known}")


def _refuse_hidden_clients(mesh: Mesh, settings: RunSettings) -> None:
    """Behind proxies that a gateway trusts, its callers are told by the address of the last of those (ADR 0386)."""
    ports = {inbound.port for inbound in settings.inbound}
    for rule in mesh.rules:
        is_here = any(
            one.node == settings.service and (one.ports is None or not ports.isdisjoint(one.ports))
            for one in rule.destinations
        )
        gateway = hidden_by(mesh, rule) if is_here else None
        if gateway is not None:
            raise RefusedError(
                f"`{rule.id}` reads `client.ip` behind `{gateway.name}`, which trusts {gateway.trusted_proxies} "
                "proxies before it: a sidecar sees the address of the last of those"
            )
