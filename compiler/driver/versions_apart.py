"""Workloads behind one name where a policy has one service: those of a lift, as versions of the service.

A Deployment for each version is how Kubernetes runs what the language declares once. Compared one by one none of them
is the service, and everything is newly allowed at what is new and newly denied at what is gone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.mesh import Mesh


def with_versions_joined(policy: Policy, declared: Policy) -> Policy:
    """The policy of manifests, with the versions of what the other declares as one service each.

    It means the same: where files say more of one version than of another, all of them are left apart.
    """
    (mesh,), (other,) = policy.meshes, declared.meshes
    joint = _joint(mesh, other)
    return policy if joint is mesh else replace(policy, meshes=(joint,))


def _joint(lifted: Mesh, declared: Mesh) -> Mesh:
    from meshproof.compiler.express import folded  # noqa: PLC0415  it loads what writes policies

    matched = _matched(declared, lifted)
    if matched == len(declared.services):
        return lifted
    joint = folded(lifted)
    return joint.mesh if not joint.untaken and _matched(declared, joint.mesh) > matched else lifted


def _matched(declared: Mesh, lifted: Mesh) -> int:
    """How many services of the policy are found in what was lifted."""
    from meshproof.compiler.verify.correspondence import by_place  # noqa: PLC0415  with what solves

    services = {service.name for service in declared.services}
    return sum(old in services for old, _ in by_place(declared, lifted).pairs)
