"""The fields that every object has."""

from __future__ import annotations

from meshproof.targets.istio.lift.fields import FieldTable, Status

METADATA: FieldTable = {
    "apiVersion": Status.READ,
    "kind": Status.READ,
    "metadata.name": Status.READ,
    "metadata.namespace": Status.READ,
    "metadata.labels.*": Status.READ,
    "metadata.annotations.*": Status.IRRELEVANT,
    "metadata.creationTimestamp": Status.READ,  # the oldest of several wins
    "metadata.ownerReferences[].**": Status.READ,
    "metadata.**": Status.IRRELEVANT,  # generation, uid, managed fields and the like are the cluster's own records
    "status.**": Status.IRRELEVANT,  # what controllers have to say; nothing obeys it
}
"""Fields of all kinds."""
