"""Whether the API server would take an object: the schema of its kind, then its admission rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from meshproof.targets.istio.admission import Rule, violations

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

KINDS = (
    "AuthorizationPolicy",
    "DestinationRule",
    "Gateway",
    "PeerAuthentication",
    "RequestAuthentication",
    "ServiceEntry",
    "Sidecar",
    "VirtualService",
)

_ANNOTATIONS_MAX = 256 * 1024
"""Bytes of all annotations of an object together (k8s.io/apimachinery, `TotalAnnotationSizeLimitB`)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the API server refuses an object, and at which field."""

    path: str
    message: str


def read(name: str) -> object:
    """A file of the folder `schemas`."""
    return json.loads(files("meshproof.targets.istio").joinpath("schemas", name).read_text(encoding="utf-8"))


@cache
def _validator(kind: str) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  slow to import, and only a compile needs it

    return cast("Validator", Draft202012Validator(cast("Mapping[str, object]", read(f"{kind}.json"))))


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """The CEL rules of a kind, in the order of its schema."""
    table = cast("Mapping[str, list[dict[str, object]]]", read("cel.json"))["rules"]
    return tuple(
        Rule(tuple(cast("list[str]", row["path"])), str(row["rule"]), str(row["message"]))
        for row in table
        if row["kind"] == kind
    )


def refusals(document: Mapping[str, object]) -> tuple[Refusal, ...]:
    """Every reason to refuse the object, sorted by field; none if it would be taken. `document` is plain JSON."""
    kind = document.get("kind")
    if kind not in KINDS:
        return (Refusal("kind", f"`{kind}` is no kind that is known here"),)
    found = [
        Refusal(".".join(str(step) for step in error.absolute_path), error.message)
        for error in _validator(str(kind)).iter_errors(cast("Any", document))
    ]
    found += [Refusal(violation.path, violation.message) for violation in violations(document, rules_of(str(kind)))]
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if isinstance(annotations, Mapping):
        size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in annotations.items())
        if size > _ANNOTATIONS_MAX:
            found.append(Refusal("metadata.annotations", f"{size} bytes are more than {_ANNOTATIONS_MAX}"))
    return tuple(sorted(found, key=lambda refusal: (refusal.path, refusal.message)))
