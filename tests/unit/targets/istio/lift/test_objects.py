"""Objects in files: lists, JSON, several files, kinds that say nothing, names that stand twice, and ages."""

from __future__ import annotations

import json

import pytest
from tests.strategies.istio_lifting import WORKLOAD, allows, policy, read

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import ObjectIndex
from meshproof.targets.istio.lift.reading import IstioReading, read_istio

CLOSED = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "p", "namespace": "shop"},
    "spec": {},
}

LIST = {"apiVersion": "v1", "kind": "List", "items": [CLOSED]}
OTHERS = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: b}",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}",
    "apiVersion: other.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}",
    "a: b",
)


def index(text: str) -> ObjectIndex:
    return read(text).context.objects


def names(found: ObjectIndex) -> list[tuple[str, str]]:
    return [(one.kind, one.full_name) for one in found.objects]


def files(**contents: str) -> IstioReading:
    return read_istio(tuple(Artifact(f"{name}.yaml", text.encode()) for name, text in contents.items()))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CLOSED),
        json.dumps(LIST),
        json.dumps({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicyList", "items": [CLOSED]}),
        json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": [CLOSED]}]}
        ),
        policy("selector: {}"),
        f"---\n# nothing\n---\n{policy('selector: {}')}",
    ],
)
def test_lists_and_json_are_taken_apart(text: str) -> None:
    assert names(index(text)) == [("AuthorizationPolicy", "shop/p")]


def test_a_list_may_be_empty() -> None:
    found = index(json.dumps({"apiVersion": "v1", "kind": "List", "items": []}))
    assert (found.objects, found.skipped) == ((), ())


def test_kinds_that_say_nothing_are_counted() -> None:
    found = index("\n---\n".join(OTHERS))
    assert found.objects == ()
    assert found.skipped == (
        ("AuthorizationPolicy.other.io", 1),
        ("NetworkPolicy.networking.k8s.io", 1),
        ("Secret", 2),
        ("no `apiVersion` and `kind`", 1),
    )


def test_files_are_one_set_of_objects() -> None:
    found = files(a=WORKLOAD, b=policy("selector: {matchLabels: {app: api}}"))
    assert found.mesh is not None
    assert not allows(found.mesh)
    assert [source.path for source in found.context.sources] == ["a.yaml", "b.yaml"]
    (one,) = found.context.objects.of(Kind.AUTHORIZATION_POLICY)
    assert one.origin.span.file == "b.yaml"


def test_the_last_of_equal_names_is_taken_and_the_others_are_told() -> None:
    found = files(a=policy("selector: {}"), b=policy("rules: [{}]"), w=WORKLOAD)
    assert found.mesh is not None
    assert allows(found.mesh)
    assert [one.code for one in found.diagnostics] == ["MP714"]
    same = files(a=policy("selector: {}"), b=policy("selector: {}"), w=WORKLOAD)
    assert same.diagnostics == ()


def test_one_file_that_is_refused_leaves_no_mesh() -> None:
    found = files(a=WORKLOAD, b="a: [")
    assert found.mesh is None
    assert [one.code for one in found.diagnostics] == ["MP124"]
    assert names(found.context.objects)[0] == ("Deployment", "shop/api")


def test_objects_are_found_by_kind_namespace_and_name() -> None:
    found = index(WORKLOAD + policy("selector: {}", namespace="other"))
    assert [one.name for one in found.of(Kind.SERVICE, "shop")] == ["api"]
    assert found.of(Kind.SERVICE, "other") == ()
    assert found.get(Kind.AUTHORIZATION_POLICY, "other", "p") is not None
    assert found.get(Kind.AUTHORIZATION_POLICY, "shop", "p") is None


def test_age_is_by_time_then_name_and_what_has_no_time_is_new() -> None:
    def made(name: str, created: str | None) -> dict[str, object]:
        metadata = {"name": name, "namespace": "shop"} | ({} if created is None else {"creationTimestamp": created})
        return {**CLOSED, "metadata": metadata}

    listed = [made("z", None), made("b", "2025-01-01T00:00:00Z"), made("y", None), made("c", "2024-01-01T00:00:00Z")]
    found = index(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}))
    assert [one.name for one in sorted(found.objects, key=lambda one: one.age_key)] == ["c", "b", "y", "z"]
