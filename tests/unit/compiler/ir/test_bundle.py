from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from tests.strategies.building import mesh
from tests.strategies.meshes import meshes

from meshproof.compiler.ir.bundle import MOST_REVISION, SCHEMA, Bundle, SourcePlace, dump, enforced, load
from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.sameness import is_same


@given(meshes())
def test_a_bundle_comes_back_the_same_but_for_origins(policy: Mesh) -> None:
    bundle = Bundle("digest", "known", enforced(policy), (SourcePlace("rule", "a", "x.mesh", 1, 2),))
    text = dump(bundle)
    again = load(text)
    assert is_same(again, bundle)
    assert dump(again) == text == dump(bundle)


def test_what_only_proofs_and_tests_look_at_is_left_out() -> None:
    policy = mesh()
    assert enforced(policy).rules == policy.rules
    assert (enforced(policy).proofs, enforced(policy).tests, enforced(policy).zones) == ((), (), ())


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": "meshproof/bundle/v0"}'])
def test_another_format_is_refused(text: str) -> None:
    with pytest.raises(JsonError, match=SCHEMA):
        load(text)


def test_a_revision_is_kept_within_its_bounds() -> None:
    bundle = Bundle("", "", mesh(), (), MOST_REVISION)
    assert load(dump(bundle)).revision == MOST_REVISION
    for number in (0, -1, MOST_REVISION + 1):
        with pytest.raises(JsonError, match="a revision is a whole number from 1 to"):
            load(dump(replace(bundle, revision=number)))


def test_unknown_members_are_refused() -> None:
    text = dump(Bundle("", "", replace(mesh(), name="m"))).replace(b'"name":"m"', b'"name":"m","nmae":"m"')
    with pytest.raises(JsonError, match="`nmae` is not known here"):
        load(text)
