"""Judging what is printed by the schemas that ship."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from meshproof.compiler.report.schema import schema_names, schema_text


def fits(name: str, document: object) -> bool:
    """Whether the document is what the schema of that name says; raises with the place if it is not."""
    contents: dict[str, dict[str, Any]] = {one: json.loads(schema_text(one)) for one in schema_names()}
    registry: Registry[Any] = Registry().with_resources(
        (one["$id"], Resource.from_contents(one)) for one in contents.values()
    )
    Draft202012Validator(contents[name], registry=registry).validate(document)
    return True
