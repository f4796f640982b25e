"""All fields are accounted for: read, of no import, or listed as not modelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.strategies.istio_lifting import WORKLOAD, policy, read

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.common.documents import read_documents
from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode
from meshproof.targets.istio.lift.field_accounts import FIELDS, Gap
from meshproof.targets.istio.lift.fields import FieldPatterns, Status
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.reading import IstioReading, read_istio
from meshproof.targets.istio.lift.structure import Schema, schema_of
from meshproof.targets.istio.lift.values import EMPTY

SECURITY = (Kind.AUTHORIZATION_POLICY, Kind.PEER_AUTHENTICATION, Kind.REQUEST_AUTHENTICATION)


def _examples(schema: Schema) -> Iterator[Leaf | ListNode | MapNode]:
    """A value of each shape that the schema has, one field at a time."""
    properties, items, rest = schema.get("properties"), schema.get("items"), schema.get("additionalProperties")
    if isinstance(properties, dict):
        for name, inner in properties.items():
            for value in _examples(inner):
                yield MapNode((Entry(name, EMPTY.span, value),), EMPTY.span)
    elif isinstance(items, dict):
        for value in _examples(items):
            yield ListNode((value,), EMPTY.span)
    elif isinstance(rest, dict):
        for value in _examples(rest):
            yield MapNode((Entry("key", EMPTY.span, value),), EMPTY.span)
    else:
        yield Leaf("x", "x", EMPTY.span)


@pytest.mark.parametrize("kind", SECURITY)
def test_every_field_of_the_definition_is_in_the_table(kind: Kind) -> None:
    schema = schema_of(kind)
    assert schema is not None
    patterns = FieldPatterns(FIELDS[kind])
    found = [use for example in _examples(schema) if isinstance(example, MapNode) for use in patterns.uses_in(example)]
    assert len(found) > 30
    assert [use.path for use in found if use.status is None] == []


def gaps(text: str) -> list[tuple[str, str, bool]]:
    return [(gap.kind, gap.path, gap.is_unknown) for gap in read(text).accounts.gaps]


def test_what_is_not_known_is_listed() -> None:
    assert gaps(WORKLOAD + policy("rules: [{to: [{operation: {methods: [GET]}, verbs: [x]}]}]")) == [
        ("AuthorizationPolicy", "spec.rules[0].to[0].verbs[0]", True)
    ]
    assert gaps(WORKLOAD) == []


def test_what_is_not_modelled_is_listed() -> None:
    text = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: w}\nspec: {url: x}\n"
    assert gaps(text) == [("WasmPlugin", "spec.url", False)]


def test_fields_are_counted() -> None:
    accounts = read(WORKLOAD).accounts
    assert accounts.read > 20
    assert accounts.irrelevant == 1  # the name of the container
    more = read(WORKLOAD.replace("Name: api", "Name: api\n      volumes: [{name: x}]")).accounts
    assert (more.read, more.irrelevant) == (accounts.read, 2)


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ({"a.b": Status.READ}, "a: {b: 1, c: 2}", [("a.b", Status.READ), ("a.c", None)]),
        ({"a[].b": Status.READ}, "a: [{b: 1}, {b: 2}]", [("a[0].b", Status.READ), ("a[1].b", Status.READ)]),
        ({"a.*": Status.READ}, "a: {x: 1}", [("a.x", Status.READ)]),
        ({"a.**": Status.IRRELEVANT}, "a: {x: {z: [1]}}", [("a.x.z[0]", Status.IRRELEVANT)]),
        (
            {"a.**": Status.IRRELEVANT, "a.b.c": Status.READ},
            "a: {b: {c: 1, d: 2}}",
            [("a.b.c", Status.READ), ("a.b.d", Status.IRRELEVANT)],
        ),
        ({"a.'x.y/z'": Status.READ}, "a: {x.y/z: 1}", [("a.x.y/z", Status.READ)]),
        ({"a.b": Status.READ}, "a: {}", [("a", Status.READ)]),
        ({"a[]": Status.READ}, "a: []", [("a", Status.READ)]),
        ({"a": Status.READ}, "a: null", []),
        ({"a": Status.READ}, "a: {b: 1}", [("a.b", None)]),
    ],
)
def test_patterns(table: dict[str, Status], text: str, expected: list[tuple[str, Status | None]]) -> None:
    (tree,) = read_documents("a.yaml", text.encode()).trees
    assert [(use.path, use.status) for use in FieldPatterns(table).uses_in(tree)] == expected
    counts = {Status.READ: 0}
    others = [(use.path, use.status) for use in FieldPatterns(table).others_in(tree, counts)]
    assert others == [one for one in expected if one[1] is not Status.READ]
    assert counts[Status.READ] == len(expected) - len(others)


# --- the corpus ------------------------------------------------------------------------------------


def _applications(root: Path) -> Iterator[tuple[str, tuple[Artifact, ...]]]:
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml", ".json"})
        yield (
            folder.name,
            tuple(
                Artifact(path.relative_to(folder).as_posix(), path.read_bytes())
                for path in files
                if path.name != "index.json"
            ),
        )


def _is_expected(gap: Gap, found: IstioReading) -> bool:
    """An unknown field is a finding with its place."""
    return any(one.code == "MP711" and gap.path.startswith(one.message.split("`")[1]) for one in found.diagnostics)


@pytest.mark.corpus
def test_every_application_of_the_corpus_is_read_with_all_its_fields(corpus: Path) -> None:
    names = []
    for name, files in _applications(corpus):
        found = read_istio(files)
        assert found.mesh is not None, name
        mine = [gap for gap in found.accounts.gaps if gap.kind in FIELDS and gap.is_unknown]
        assert [gap for gap in mine if not _is_expected(gap, found)] == [], name
        assert {one.code for one in found.diagnostics} <= {"MP711", "MP712", "MP713", "MP714", "MP715"} or name
        names.append(name)
    assert len(names) >= 18
