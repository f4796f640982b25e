"""Fields of files that were emitted for a policy which are not in the lifted mesh, and are not plainly without effect.

Files of others have many fields that change no decision, and the tables of fields say which. What was emitted for a
policy has none: one that is there all the same was not meant, so it is told, whatever it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.field_accounts import FIELDS
from meshproof.targets.istio.lift.fields import FieldPatterns, Status
from meshproof.targets.istio.lift.fields_mesh import MESH_CONFIG
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject

_INDEX = re.compile(r"\[\d+\]")
_OWN = ("metadata.", "status.")
_COMPARED = {
    Kind.DESTINATION_RULE: (".tls.caCertificates", ".tls.sni", ".tls.subjectAltNames[]"),
    Kind.SERVICE_ENTRY: ("spec.resolution",),
    Kind.REQUEST_AUTHENTICATION: ("spec.jwtRules[].fromHeaders[].prefix",),
}
"""Ends of fields that change no decision about a request, and are compared apart or only say where a token stands."""
_APART = {Kind.DESTINATION_RULE: ("spec.workloadSelector.",)}
"""Starts of fields that are read, but not where senders are compared by their namespaces."""
_REVISION = "istio.io/rev"
"""The label that hides an object from every control plane but one."""


def unread_fields(objects: tuple[KubeObject, ...], mesh_config: MapNode) -> Iterator[str]:
    """The fields, each with its object."""
    for one in objects:
        patterns = _patterns(one.kind)
        apart = (use.path for use in patterns.uses_in(one.body) if use.path.startswith(_APART.get(one.kind, ())))
        for path in (*_unread(patterns, one.body, _COMPARED.get(one.kind, ())), *apart):
            yield f"{path} of {one.kind} {one.full_name}"
        if any(key == _REVISION for key, _ in one.labels):
            yield f"the label {_REVISION} of {one.kind} {one.full_name}"
    for path in _unread(_MESH_CONFIG, mesh_config) if mesh_config.entries else ():
        yield f"{path} of the mesh configuration"


_MESH_CONFIG = FieldPatterns(MESH_CONFIG)


@cache
def _patterns(kind: Kind) -> FieldPatterns:
    return FieldPatterns(FIELDS.get(kind, {}))


def _unread(patterns: FieldPatterns, body: MapNode, compared: tuple[str, ...] = ()) -> Iterator[str]:
    for use in patterns.uses_in(body):
        is_own = use.path.startswith(_OWN) and use.status is not None
        if use.status is not Status.READ and not is_own and not _INDEX.sub("[]", use.path).endswith(compared):
            yield use.path
