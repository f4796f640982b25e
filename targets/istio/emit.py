"""Objects as files: the same bytes for the same policy, each object one that the API server takes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import groupby
from typing import cast

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions
from meshproof.targets.common.yaml import Block, Value, dump
from meshproof.targets.istio.lower import IstioLowered
from meshproof.targets.istio.model import API_VERSIONS, IstioObject
from meshproof.targets.istio.validate import refusals

MANIFESTS = "manifests"
"""The folder to apply: `kubectl apply -R -f build/istio/manifests`."""

MESH_CONFIG = "meshconfig.yaml"
MANAGED_BY = ("app.kubernetes.io/managed-by", "meshproof")
ANNOTATION = "meshproof.dev"


class InvalidObjectError(AssertionError):
    """A bug of this target: it made an object that the API server would refuse."""


def emit(lowered: IstioLowered) -> tuple[Artifact, ...]:
    """The files, sorted by path. Raises `InvalidObjectError`, which is an internal error."""
    found = [_mesh_config(lowered)]
    for (namespace, kind), group in groupby(lowered.objects, key=lambda one: (one.namespace, one.kind)):
        documents = [document(one, lowered.compile_options) for one in group]
        found.append(Artifact(f"{MANIFESTS}/{namespace}/{_kebab(kind)}.yaml", dump(documents)))
    return tuple(sorted(found))


def document(one: IstioObject, options: CompileOptions) -> Value:
    """The object as Kubernetes reads it."""
    whole: dict[str, Value] = {
        "apiVersion": API_VERSIONS[one.kind],
        "kind": one.kind,
        "metadata": {
            "name": one.name,
            "namespace": one.namespace,
            "labels": dict([MANAGED_BY]),
            "annotations": _annotations(one, options),
        },
        "spec": one.spec,
    }
    plain = cast("Mapping[str, object]", json.loads(json.dumps(whole, default=list)))
    if found := refusals(plain):
        reasons = "; ".join(f"{refusal.path}: {refusal.message}" for refusal in found)
        raise InvalidObjectError(f"{one.kind} {one.namespace}/{one.name} would be refused: {reasons}")
    return whole


def _annotations(one: IstioObject, options: CompileOptions) -> Value:
    found: dict[str, Value] = dict(one.annotations)
    found[f"{ANNOTATION}/read-back"] = options.read_back
    found[f"{ANNOTATION}/source-hash"] = options.source_hash
    found[f"{ANNOTATION}/source-map"] = _source_map(one)
    if one.valid_until is not None:
        found[f"{ANNOTATION}/valid-until"] = one.valid_until.isoformat()
    return dict(sorted(found.items()))


def _source_map(one: IstioObject) -> str:
    """A JSON object: `rules` has the subject of each rule in their order, `object` those of the whole."""
    rules = [piece.subject for piece in one.pieces if piece.index is not None]
    whole = [piece.subject for piece in one.pieces if piece.index is None]
    found = {key: value for key, value in (("object", whole), ("rules", rules)) if value}
    return json.dumps(found, separators=(",", ":"))


def _mesh_config(lowered: IstioLowered) -> Artifact:
    options = lowered.compile_options
    text = dump([lowered.mesh_config]).decode("ascii")
    whole: Value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "istio",
            "namespace": lowered.options.root_namespace,
            "labels": dict([MANAGED_BY]),
            "annotations": {
                f"{ANNOTATION}/apply": "merge these keys into the mesh configuration, do not replace it",
                f"{ANNOTATION}/read-back": options.read_back,
                f"{ANNOTATION}/source-hash": options.source_hash,
            },
        },
        "data": {"mesh": Block(text)},
    }
    return Artifact(MESH_CONFIG, dump([whole]))


def _kebab(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
