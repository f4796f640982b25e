"""Identities as X.509-SVIDs, of one authority that signs for every trust domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.e2e.envoy.certificates import Authority

from meshproof.compiler.ir.mesh import Mesh
from meshproof.runtime.net.material.identity import IdentityMaterial


@dataclass(slots=True)
class Svids(Authority):
    """An authority that tells what workers are given."""

    def material(self, identity: str, domains: Iterable[str]) -> IdentityMaterial:
        """What a worker is given: an identity, and this authority for each trust domain."""
        pair = self.of(identity)
        root = self.root.read_bytes()
        return IdentityMaterial(
            pair.certificate.read_bytes(),
            pair.key.read_bytes(),
            tuple((domain, root) for domain in dict.fromkeys(domains)),
        )


def trusted(mesh: Mesh) -> tuple[str, ...]:
    """The trust domains whose identities are verified."""
    return tuple(dict.fromkeys((mesh.trust_domain, *mesh.aliases, *mesh.trusts)))
