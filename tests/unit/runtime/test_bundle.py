from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.building import mesh

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump
from meshproof.compiler.ir.predicate import Never, Not, Predicate
from meshproof.runtime.bundle import BundleError, load_bundle
from meshproof.runtime.engine.facts import Incoming, Wire

TEXT = """
mesh m { language 1  trust-domain "ours.example"  namespace shop  mtls strict }
service front { port http 80 }
service shop { port http 80 }
allow read: front -> shop { GET /items/{id} when header["x-a"] == "1" }
"""
POLICY = policy_of_texts({"m.mesh": TEXT}).meshes[0]
DATA = dump(Bundle("digest", "known", POLICY))


def test_a_bundle_is_loaded_with_its_engine() -> None:
    loaded = load_bundle(DATA)
    assert loaded.bundle.policy == "digest"
    shop = (POLICY.services[1].name, 80)
    connection = loaded.engine.connect(Wire(), POLICY.services[0].identity.uri, shop, date(2026, 11, 23))
    assert connection.decide(Incoming("GET", "/items/1", headers=(("x-a", "1"),))).is_allowed
    assert not connection.decide(Incoming("GET", "/items/1")).is_allowed


def _nested(levels: int) -> bytes:
    when: Predicate = Never()
    for _ in range(levels):
        when = Not(when)
    rules = (replace(POLICY.rules[0], when=when), *POLICY.rules[1:])
    return dump(Bundle("", "", replace(POLICY, rules=rules)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is no JSON"),
        (b'{"a', "unterminated string starting at character 1"),
        (b"\xff\xfe", "not UTF-8"),
        (b"null", "no bundle in the format"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema":"meshproof/bundle/v2"}', "no bundle in the format"),
        (DATA[:-20], "this is no JSON"),
        (DATA.replace(b'"read_back":', b'"read_bakc":'), "is not known here"),
        (DATA.replace(b'"deny"', b'"nay"').replace(b'"effect":"allow"', b'"effect":"alow"'), "one of"),
        (DATA.replace(b'"pattern":"/items/*"', b'"pattern":"items"'), "is no path pattern"),
        (DATA.replace(b'"node":"shop"', b'"node":"shpo"'), "named, and not declared"),
        (_nested(101), "nested more than 100 deep"),
    ],
)
def test_what_is_broken_is_refused_with_a_reason(data: bytes, message: str) -> None:
    assert data != DATA
    with pytest.raises(BundleError, match=message):
        load_bundle(data)


def test_a_bundle_that_is_too_large_is_not_read() -> None:
    with pytest.raises(BundleError, match=f"has {len(DATA)} bytes, more than 100"):
        load_bundle(DATA, most_bytes=100)


def _is_loaded(data: bytes) -> bool:
    """Whether there is an engine; anything that is raised but the one error fails the test."""
    try:
        return load_bundle(data).engine is not None
    except BundleError:
        return False


@given(st.integers(0, len(DATA) - 1), st.binary(max_size=3), st.integers(0, 40))
def test_damage_is_refused_or_changes_a_name_but_never_escapes(place: int, put: bytes, cut: int) -> None:
    damaged = DATA[:place] + put + DATA[place + cut :]
    assert _is_loaded(damaged) in {True, False}


def _values(value: object) -> st.SearchStrategy[object]:
    return st.sampled_from([None, True, -1, 10**30, 1.5, "", "x", [], {}, [value], {"kind": "not"}, {"kind": "always"}])


@given(st.data())
def test_values_of_other_types_are_refused_or_loaded(data: st.DataObject) -> None:
    whole = json.loads(DATA)
    node: object = whole
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        inner = node[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(_values(inner))  # type: ignore[index]
            break
        node = inner
    assert _is_loaded(json.dumps(whole).encode()) in {True, False}


def test_a_mesh_without_rules_refuses_all() -> None:
    loaded = load_bundle(dump(Bundle("", "", replace(mesh(), rules=()))))
    node = loaded.bundle.mesh.services[0]
    connection = loaded.engine.connect(Wire(), node.identity.uri, (node.name, 8080), date(2026, 11, 23))
    assert not connection.decide(Incoming("GET", "/")).is_allowed
