"""Files: deterministic bytes, annotations, and nothing that the API server would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.emit import InvalidObjectError, emit

DAY = date(2026, 11, 23)
TEXT = """
service a { port http 80 }
service b { port http 80 }
allow one: a -> b { GET /x }
allow two: a -> b { GET /y because "x" until 2027-03-31 }
mtls permissive for b { because "x" until 2027-02-28 }
"""


def documents(text: str = TEXT) -> dict[str, Any]:
    lowered = TARGET.lower(mesh_of(text.replace("GET /y because", "GET /y\nbecause")), CompileOptions(DAY, (), "abc"))
    found = [doc for one in TARGET.emit(lowered) for doc in yaml.safe_load_all(one.content)]
    return {f"{doc['kind']} {doc['metadata']['name']}": doc for doc in found}


def annotations_of(name: str) -> dict[str, str]:
    found = documents()[name]["metadata"]["annotations"]
    return {key.removeprefix("meshproof.dev/"): value for key, value in found.items()}


def test_annotations_say_where_an_object_is_from_and_how_long_it_is_right() -> None:
    found = annotations_of("AuthorizationPolicy meshproof-b-allow")
    assert found["source-hash"] == "abc"
    assert found["read-back"] == "not yet read back"
    assert json.loads(found["source-map"]) == {"rules": ["one", "two"]}
    assert found["valid-until"] == "2027-04-01"
    assert annotations_of("PeerAuthentication meshproof-b")["valid-until"] == "2027-03-01"
    assert "valid-until" not in annotations_of("AuthorizationPolicy meshproof-b-default")


def test_objects_are_marked_as_ours() -> None:
    for doc in documents().values():
        assert doc["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "meshproof"}


def test_the_source_map_knows_every_rule_and_its_place() -> None:
    lowered = TARGET.lower(mesh_of(TEXT.replace("GET /y because", "GET /y\nbecause")), CompileOptions(DAY))
    placed = {(one.name, one.index): one.subject for one in lowered.source_map if one.kind == "AuthorizationPolicy"}
    assert placed[("meshproof-b-allow", 0)] == "one"
    assert placed[("meshproof-b-allow", 1)] == "two"


def test_the_same_policy_gives_the_same_bytes() -> None:
    mesh = mesh_of(TEXT.replace("GET /y because", "GET /y\nbecause"))
    first, second = (TARGET.emit(TARGET.lower(mesh, CompileOptions(DAY, (), "abc"))) for _ in range(2))
    assert first == second
    assert [one.path for one in first] == sorted(one.path for one in first)


def test_keys_stand_in_the_order_in_which_people_read_them() -> None:
    doc = documents()["AuthorizationPolicy meshproof-b-allow"]
    assert list(doc) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(doc["metadata"]) == ["name", "namespace", "labels", "annotations"]


def test_an_object_that_would_be_refused_is_an_internal_error() -> None:
    lowered = TARGET.lower(mesh_of(TEXT.replace("GET /y because", "GET /y\nbecause")), CompileOptions(DAY))
    broken = replace(lowered.objects[0], spec={"rulez": []})
    with pytest.raises(InvalidObjectError, match="would be refused"):
        emit(replace(lowered, objects=(broken,)))


def test_many_rules_are_several_objects(specs: Callable[..., dict[str, Any]]) -> None:
    paths = " or ".join(f'(source.ip in "10.{n // 200}.{n % 200}.0/24" and header["h"] == "{n}")' for n in range(300))
    text = "service a { port http 80 }\nservice b { port http 80 }\n"
    text += "".join(f"allow r{n}: a -> b {{ GET /x{n}\n when {paths} }}\n" for n in range(2))
    found = specs("AuthorizationPolicy", text)
    assert [len(found[name]["rules"]) for name in ("app/b-allow", "app/b-allow-2")] == [512, 88]


def test_two_things_that_become_one_object_are_an_error(codes: Callable[..., list[str]]) -> None:
    text = 'service "my_sa" { port http 80 labels { app: "x" } }\nservice my-sa { port http 81 }'
    assert "MP706" in codes(text)
