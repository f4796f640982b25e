"""Workloads of which no file makes the pods, where others are spoken of that may be some of them.

A Service chooses `app: api`, a policy `app: api, version: v1`: two workloads by what is known, and perhaps the same
pods. What is proved of the first alone may not hold of them.
"""

from __future__ import annotations

from meshproof.compiler.ir.assertions import Statement
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.reads import destinations_of


def doubtful_destinations(mesh: Mesh, statement: Statement) -> tuple[tuple[str, str], ...]:
    """The workloads that a claim names, each with one that it does not name and that may be some of its pods."""
    unmade = [service for service in mesh.services if not service.is_account_known]
    named = {place.node for place in destinations_of(statement)}
    return tuple(
        (str(one.name), str(other.name))
        for one in unmade
        if one.name in named
        for other in unmade
        if other.name not in named and _may_be_of(other, one)
    )


def _may_be_of(other: Service, one: Service) -> bool:
    return other.namespace == one.namespace and set(one.labels) < set(other.labels)
