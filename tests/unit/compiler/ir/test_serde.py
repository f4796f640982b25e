from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from tests.strategies.building import mesh, rule
from tests.strategies.meshes import LIFTED, SMALL, meshes

from meshproof.compiler.ir import serde
from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Not, Test
from meshproof.compiler.ir.predicate import Path as PathAttribute
from meshproof.compiler.ir.serde import SCHEMA, digest, dump, json_schema, load
from meshproof.dsl.source import Span

FILE = Path(serde.__file__).parent / "mesh.schema.json"
RULED = mesh(rule("a", when=Not(Test(PathAttribute(), Segments("/a/**")))))


def _schema() -> dict[str, Json]:
    schema = json_schema()
    assert isinstance(schema, dict)
    return schema


@given(meshes() | meshes(LIFTED))
def test_reading_undoes_writing_and_bytes_are_canonical(policy: Mesh) -> None:
    text = dump(policy)
    assert load(text) == policy
    assert dump(load(text)) == text
    assert canonical(parse(text)) == text


@given(meshes(SMALL) | meshes(LIFTED))
def test_what_is_written_fits_the_schema(policy: Mesh) -> None:
    found = jsonschema.Draft202012Validator(_schema()).iter_errors(json.loads(dump(policy)))
    assert [error.message for error in found] == []


def test_the_schema_in_the_package_is_the_one_of_the_code(*, update_golden: bool) -> None:
    text = json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"
    if update_golden:
        FILE.write_text(text, encoding="utf-8")

    assert FILE.read_text(encoding="utf-8") == text
    jsonschema.Draft202012Validator.check_schema(_schema())


def test_the_format_by_example() -> None:
    value = json.loads(dump(RULED))
    assert value["schema"] == "meshproof/ir/v1"
    assert value["rules"] == [
        {
            "id": "a",
            "effect": "allow",
            "sources": {
                "matches": {"kind": "always"},
                "has_internet": True,
                "members": [],
                "shared": [],
                "text": "anyone",
            },
            "destinations": [{"node": "shop", "ports": None}],
            "operations": [],
            "when": {
                "kind": "not",
                "operand": {
                    "kind": "test",
                    "attribute": {"kind": "path"},
                    "matcher": {"kind": "segments", "pattern": "/a/**"},
                },
            },
            "origin": {"span": {"file": "random.mesh", "start": 0, "end": 1}},
        }
    ]
    assert "aliases" not in value  # it has its default


def test_a_digest_is_of_the_meaning_and_not_of_the_place() -> None:
    moved = _moved(RULED)
    assert moved != RULED
    assert dump(moved) != dump(RULED)
    assert digest(moved) == digest(RULED)
    assert len(digest(RULED)) == 64
    others = (mesh(), mesh(rule("b")), replace(RULED, trust_domain="other"), replace(RULED, name="other"))
    assert len({digest(other) for other in (RULED, *others)}) == 5


def _moved(value: object) -> Mesh:
    """The same value with every origin somewhere else."""
    found = _shift(value)
    assert isinstance(found, Mesh)
    return found


def _shift(value: object) -> object:
    if isinstance(value, Origin):
        return Origin(Span("moved.mesh", 7, 9))
    if isinstance(value, tuple):
        return tuple(map(_shift, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _shift(getattr(value, field.name)) for field in fields(value)})
    return value


def _broken(place: str, change: object) -> str:
    """The text of the mesh with one place changed."""
    value = json.loads(dump(RULED))
    at = value
    *above, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for part in above:
        at = at[part]
    at[last] = change
    return json.dumps(value)


@pytest.mark.parametrize(
    ("place", "change", "path", "message"),
    [
        ("name", 7, "$.name", "a string is expected, not `7`"),
        ("name", "\ud800", "$.name", "half of a surrogate pair is no character"),
        ("name", None, "$.name", "a string is expected, not `null`"),
        ("language", "1", "$.language", "a whole number is expected, not `1`"),
        ("language", True, "$.language", "a whole number is expected, not `true`"),
        ("nmae", "x", "$", "`nmae` is not known here, perhaps `name` was meant"),
        ("rules", {}, "$.rules", "an array is expected, not an object"),
        ("rules.0", [], "$.rules[0]", "an object is expected, not an array"),
        ("rules.0", {"id": "a"}, "$.rules[0]", "`destinations` is missing"),
        (
            "rules.0.effect",
            "alow",
            "$.rules[0].effect",
            "one of `allow`, `deny`, `ask` is expected, not `alow`",
        ),
        ("rules.0.effect", [], "$.rules[0].effect", "one of `allow`, `deny`, `ask` is expected, not an array"),
        ("rules.0.until", "2026-02-30", "$.rules[0].until", "`2026-02-30` is no day of the calendar as `YYYY-MM-DD`"),
        ("rules.0.until", "20260228", "$.rules[0].until", "`20260228` is no day of the calendar as `YYYY-MM-DD`"),
        ("rules.0.is_enforced", "no", "$.rules[0].is_enforced", "`true` or `false` is expected, not `no`"),
        (
            "rules.0.when.kind",
            "nott",
            "$.rules[0].when",
            "an object of a union has no kind that is known, perhaps `not` was meant",
        ),
        ("rules.0.when.kind", 7, "$.rules[0].when", "an object of a union has no kind that is known"),
        ("rules.0.when", {}, "$.rules[0].when", "an object of a union has no `kind`"),
        (
            "rules.0.when.operand.matcher.pattern",
            1.5,
            "$.rules[0].when.operand.matcher.pattern",
            "a string is expected, not `1.5`",
        ),
        (
            "rules.0.destinations.0.ports",
            ["x" * 50],
            "$.rules[0].destinations[0].ports[0]",
            "a whole number is expected, not a long string",
        ),
        ("services.0.labels.0", ["app"], "$.services[0].labels[0]", "2 items are expected, not 1"),
        ("services.0.labels.0", ["app", False], "$.services[0].labels[0][1]", "a string is expected, not `false`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(place: str, change: object, path: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        load(_broken(place, change))
    assert (caught.value.path, caught.value.message) == (path, message)


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": "meshproof/ir/v0"}', '"x"'])
def test_another_format_is_refused(text: str) -> None:
    with pytest.raises(JsonError, match=f"this is no mesh in the format `{SCHEMA}`"):
        load(text)
