"""The account of all fields of the objects that were read: what is in the mesh, what does not matter, what is missing.

This is the one table of what is read of which kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from meshproof.compiler.ir.names import Origin
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.fields import FieldPatterns, FieldTable, Status
from meshproof.targets.istio.lift.fields_gateway_api import GATEWAY_API
from meshproof.targets.istio.lift.fields_kubernetes import KUBERNETES
from meshproof.targets.istio.lift.fields_mesh import INSTALLATION, MESH_CONFIG
from meshproof.targets.istio.lift.fields_networking import NETWORKING
from meshproof.targets.istio.lift.fields_security import (
    AUTHORIZATION_POLICY,
    ENVOY_FILTER,
    PEER_AUTHENTICATION,
    PROXY_CONFIG,
    REQUEST_AUTHENTICATION,
    TELEMETRY,
    WASM_PLUGIN,
)
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject

FIELDS: Mapping[Kind, FieldTable] = {
    **KUBERNETES,
    Kind.AUTHORIZATION_POLICY: AUTHORIZATION_POLICY,
    Kind.PEER_AUTHENTICATION: PEER_AUTHENTICATION,
    Kind.REQUEST_AUTHENTICATION: REQUEST_AUTHENTICATION,
    Kind.ENVOY_FILTER: ENVOY_FILTER,
    Kind.WASM_PLUGIN: WASM_PLUGIN,
    Kind.TELEMETRY: TELEMETRY,
    Kind.PROXY_CONFIG: PROXY_CONFIG,
    Kind.ISTIO_OPERATOR: INSTALLATION,
    Kind.ISTIO: INSTALLATION,
    **NETWORKING,
    **GATEWAY_API,
}
"""The table of each kind."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A field that is not modelled, or (`is_unknown`) not known at all."""

    kind: Kind
    object: str
    path: str
    origin: Origin
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class FieldAccounts:
    """How many fields are in the mesh, how many do not matter, and each of the others."""

    read: int
    irrelevant: int
    gaps: tuple[Gap, ...]


def account_for(objects: Iterable[KubeObject], mesh_config: MapNode) -> FieldAccounts:
    """The account over all fields of the objects, and over those of the mesh configuration inside of one of them."""
    counts = dict.fromkeys((Status.READ, Status.IRRELEVANT), 0)
    bodies = [(one.kind, one.full_name, _patterns(one.kind), one.body) for one in objects]
    if mesh_config.entries:
        bodies.append((Kind.CONFIG_MAP, "mesh configuration", _MESH_CONFIG, mesh_config))
    gaps = [
        Gap(kind, name, use.path, use.origin, is_unknown=use.status is None)
        for kind, name, patterns, body in bodies
        for use in patterns.others_in(body, counts)
    ]
    return FieldAccounts(counts[Status.READ], counts[Status.IRRELEVANT], tuple(gaps))


_MESH_CONFIG = FieldPatterns(MESH_CONFIG)


@cache
def _patterns(kind: Kind) -> FieldPatterns:
    return FieldPatterns(FIELDS.get(kind, {}))
