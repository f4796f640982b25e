"""Who is who: the names that Istio's labels have for a caller and a destination, out of the policy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId

UNKNOWN = "unknown"
"""Istio's word for what nobody told."""


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a connection. `name` is its name in the policy, or whatever is nearest to one."""

    name: str = UNKNOWN
    workload: str = UNKNOWN
    namespace: str = UNKNOWN
    principal: str = UNKNOWN
    app: str = UNKNOWN
    version: str = UNKNOWN
    host: str = UNKNOWN

    def labels(self, cluster: str) -> tuple[str, ...]:
        """The values of Istio's labels of one side, in the order of the catalogue."""
        return (
            self.workload,
            self.namespace,
            self.principal,
            self.app,
            self.version,
            cluster,
            self.app if self.app != UNKNOWN else self.workload,
            self.version if self.version != UNKNOWN else "latest",
        )


NOBODY = Party()


class Directory:
    """The parties of one policy. `domain` is that of the names of services in the cluster."""

    def __init__(self, mesh: Mesh | None = None, domain: str = "svc.cluster.local") -> None:
        self._by_name: dict[str, Party] = {}
        self._by_identity: dict[str, list[Party]] = {}
        if mesh is None:
            return
        for node in mesh.nodes:
            party = _party(node, domain)
            self._by_name[node.name] = party
            if party.principal != UNKNOWN:
                self._by_identity.setdefault(party.principal, []).append(party)

    def service(self, name: str) -> Party:
        """The party of a name of the policy. One that it does not know keeps its name, and nothing else."""
        return self._by_name.get(name) or Party(name or UNKNOWN, host=name or UNKNOWN)

    def chosen(self, party: Party, destination: str) -> Party:
        """What a route made of a destination: another one (`NAME:PORT`), or a version of it; nothing where empty."""
        if not destination:
            return party
        other = self._by_name.get(destination.rpartition(":")[0]) or self._by_name.get(destination)
        if other is not None:
            return other
        return party if ":" in destination else replace(party, version=destination)

    def caller(self, identity: str | None) -> Party:
        """The party with an identity. Where several share it, all that is known is what it says itself."""
        if identity is None:
            return NOBODY
        found = self._by_identity.get(identity, ())
        if len(found) == 1:
            return found[0]
        spiffe = SpiffeId.parse(identity)
        parts = () if spiffe is None else tuple(spiffe.path.split("/"))
        namespace = parts[2] if len(parts) == 5 and parts[1] == "ns" and parts[3] == "sa" else UNKNOWN  # noqa: PLR2004
        return Party(identity, namespace=namespace, principal=identity)


def _party(node: Service | Gateway | External, domain: str) -> Party:
    match node:
        case Service():
            labels = dict(node.labels)
            app = labels.get("app", labels.get("app.kubernetes.io/name", node.platform_name))
            version = labels.get("version", labels.get("app.kubernetes.io/version", UNKNOWN))
            host = f"{node.platform_name}.{node.namespace}.{domain}"
            return Party(node.name, node.platform_name, node.namespace, _known(node), app, version, host)
        case Gateway():
            labels = dict(node.labels)
            app = labels.get("app", labels.get("istio", node.name))
            return Party(node.name, node.name, node.namespace, _known(node), app, host=node.name)
        case External():
            return Party(node.name, host=node.hosts[0] if node.hosts else node.name)


def _known(node: Service | Gateway) -> str:
    return node.identity.uri if node.is_account_known else UNKNOWN
