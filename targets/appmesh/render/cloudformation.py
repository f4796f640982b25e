"""Resources as a template of CloudFormation.

Names stand in it as text, and the order in `DependsOn` (docs/adr/0280).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.references import Key, key_of, needed
from meshproof.targets.appmesh.render.naming import logical_name
from meshproof.targets.appmesh.spelling import CLOUDFORMATION
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json

_VERSION = "2010-09-09"


def template(resources: Sequence[Value]) -> Json:
    """The template, with the resources in the order in which they are given; no two may have the same name."""
    logical = {key_of(one): _logical(key_of(one)) for one in resources}
    assert len(logical) == len(resources), "two resources have one name"
    return {
        "AWSTemplateFormatVersion": _VERSION,
        "Resources": {logical[key_of(one)]: _resource(one, logical) for one in resources},
    }


def _logical(key: Key) -> str:
    return logical_name(key.kind, *key.names)


def _resource(one: Value, logical: dict[Key, str]) -> Json:
    after: list[Json] = [*sorted({*_named(needed(one), logical)})]
    found: dict[str, Json] = {"Type": f"AWS::AppMesh::{type(one).__name__}"}
    if after:
        found["DependsOn"] = after
    return {**found, "Properties": to_json(one, CLOUDFORMATION)}


def _named(keys: Iterable[Key], logical: dict[Key, str]) -> Iterator[str]:
    return (logical[key] for key in keys if key in logical)
