from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.compiler.ir.test_json_text import JSON

from meshproof.compiler.ir.claim_json import read_claim, read_object, write_claim, write_object
from meshproof.compiler.ir.json_text import Json, JsonError
from meshproof.compiler.ir.request import ClaimObject


@given(JSON)
def test_claims_are_the_json_that_they_are(value: Json) -> None:
    assert write_claim(read_claim(value)) == value
    assert read_claim(write_claim(read_claim(value))) == read_claim(value)


@given(st.dictionaries(st.text(), JSON))
def test_members_stand_in_the_order_of_their_names(value: dict[str, Json]) -> None:
    names = [name for name, _ in read_object(value).members]
    assert names == sorted(value)


def test_values() -> None:
    claims = ClaimObject((("a", ("x", 7)), ("b", ClaimObject((("c", None),)))))
    assert write_object(claims) == {"a": ["x", 7], "b": {"c": None}}
    assert read_object({"b": {"c": None}, "a": ["x", 7]}) == claims


def test_claims_are_an_object() -> None:
    with pytest.raises(JsonError, match="claims are an object"):
        read_object(["a"])
