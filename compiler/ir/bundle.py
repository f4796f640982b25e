"""What the runtime reads: a policy in canonical JSON, without all that only proofs, tests and people look at.

The format is `meshproof/bundle/v1`; its JSON Schema is `bundle.schema.json` beside the target that writes it. Places
in the source stand apart, in the source map, so the policy itself is the same bytes wherever its text moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.codecs import codec_of
from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse
from meshproof.compiler.ir.mesh import Mesh

SCHEMA = "meshproof/bundle/v1"
MOST_REVISION = 2**53 - 1
"""The greatest number that every reader of JSON keeps as it is."""


@dataclass(frozen=True, slots=True, order=True)
class SourcePlace:
    """Where a rule or route (`kind`) was written: characters `start` to `end` of a file."""

    kind: str
    name: str
    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A policy for the runtime. `policy` is the digest of the whole mesh, `read_back` what is known of these bytes.

    `revision` is the number that whoever compiled it gave to it, from 1 to `MOST_REVISION`: greater ones came later.
    """

    policy: str
    read_back: str
    mesh: Mesh
    source_map: tuple[SourcePlace, ...] = ()
    revision: int | None = None


def enforced(mesh: Mesh) -> Mesh:
    """The mesh without claims, tests, waivers and zones, of which nothing decides or routes a request."""
    return replace(mesh, proofs=(), tests=(), waivers=(), zones=())


def dump(bundle: Bundle) -> bytes:
    """The bundle as canonical JSON: equal bundles have equal bytes."""
    value = codec_of(Bundle, has_origins=False).write(bundle)
    assert isinstance(value, dict)
    return canonical({"schema": SCHEMA, **value})


def load(text: bytes | str) -> Bundle:
    """The bundle that `dump` wrote, with origins that are nowhere. Raises `JsonError` with its place."""
    value = parse(text)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise JsonError(f"this is no bundle in the format `{SCHEMA}`")
    members = {name: part for name, part in value.items() if name != "schema"}
    try:
        bundle: Bundle = codec_of(Bundle, has_origins=False).read(members)
    except RecursionError:
        raise JsonError("the text is nested too deeply") from None
    if bundle.revision is not None and not 1 <= bundle.revision <= MOST_REVISION:
        raise JsonError(f"a revision is a whole number from 1 to {MOST_REVISION}", ".revision")
    return bundle


def json_schema() -> Json:
    """The JSON Schema (2020-12) of what `load` takes."""
    defs: dict[str, Json] = {}
    codec_of(Bundle, has_origins=False).schema(defs)
    bundle = defs.pop("Bundle")
    assert isinstance(bundle, dict)
    properties, required = bundle["properties"], bundle["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "A policy as the runtime reads it",
        **bundle,
        "properties": {
            "schema": {"const": SCHEMA},
            **properties,
            "revision": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_REVISION},
        },
        "required": ["schema", *required],
        "$defs": defs,
    }
