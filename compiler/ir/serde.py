"""Canonical JSON of a mesh: equal meshes have equal bytes, and reading gives back the very mesh.

The format is `meshproof/ir/v1`, whose JSON Schema is `mesh.schema.json` beside this file. A field with its default is
left out, so a new one with a default changes no bytes and no digest; any other change is a new version.
"""

from __future__ import annotations

import hashlib

from meshproof.compiler.ir.codecs import codec_of
from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse
from meshproof.compiler.ir.mesh import Mesh

SCHEMA = "meshproof/ir/v1"


def dump(mesh: Mesh) -> bytes:
    """The mesh as canonical JSON: names sorted, no blanks, ASCII, one line."""
    return canonical(_versioned(codec_of(Mesh).write(mesh)))


def load(text: bytes | str) -> Mesh:
    """The mesh that `dump` wrote: `load(dump(m)) == m`. Raises `JsonError` with the place of what is wrong."""
    value = parse(text)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise JsonError(f"this is no mesh in the format `{SCHEMA}`")
    mesh: Mesh = codec_of(Mesh).read({name: part for name, part in value.items() if name != "schema"})
    return mesh


def digest(mesh: Mesh) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON without origins.

    It does not change when text only moves, nor with comments and layout.
    """
    return hashlib.sha256(canonical(_versioned(codec_of(Mesh, has_origins=False).write(mesh)))).hexdigest()


def json_schema() -> Json:
    """The JSON Schema (2020-12) of what `load` takes."""
    defs: dict[str, Json] = {}
    codec_of(Mesh).schema(defs)
    mesh = defs.pop("Mesh")
    assert isinstance(mesh, dict)
    properties, required = mesh["properties"], mesh["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "A mesh: a whole policy, resolved, for one environment",
        **mesh,
        "properties": {"schema": {"const": SCHEMA}, **properties},
        "required": ["schema", *required],
        "$defs": defs,
    }


def _versioned(value: Json) -> Json:
    assert isinstance(value, dict)
    return {"schema": SCHEMA, **value}
