"""PeerAuthentications of the root namespace with a selector: Istio ignores them, whatever its documentation says."""

from __future__ import annotations

from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import COMPETING
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import attachment_of


def notice_root_selectors(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each."""
    root = context.settings.root_namespace
    for one in context.objects.of(Kind.PEER_AUTHENTICATION, root):
        if one not in refused and attachment_of(one).labels:
            message = f"PeerAuthentication `{one.full_name}` does nothing: the root namespace's may have no selector"
            advice = "put it into the namespace of the workloads, or take the selector away to mean the whole mesh"
            context.findings.add(COMPETING, message, one.full_name, one.origin, advice=advice)
