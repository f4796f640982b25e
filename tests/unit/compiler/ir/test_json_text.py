from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.ir.json_text import Json, JsonError, canonical, indented, parse, suggestion

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(JSON)
def test_canonical_text_is_read_back_and_is_one_line_of_ascii(value: Json) -> None:
    text = canonical(value)
    assert parse(text) == value
    assert canonical(parse(text)) == text
    assert text.isascii()
    assert text.count(b"\n") == 1


@given(JSON)
def test_indented_text_is_what_the_library_writes(value: Json) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_canonical_text_sorts_names_and_holds_no_blanks() -> None:
    assert canonical({"b": [1, 2.5, None], "a": {"é": True}}) == b'{"a":{"\\u00e9":true},"b":[1,2.5,null]}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is no JSON: expecting value at character 0"),
        ("{", "this is no JSON: expecting property name enclosed in double quotes at character 1"),
        ("[1] 2", "this is no JSON: extra data at character 4"),
        (b"\xff", "the text is not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "this is no JSON: unexpected utf-8 bom (decode using utf-8-sig) at character 0"),
        ('{"a": 1, "b": 2, "a": 3}', "`a` stands twice in one object"),
        ("NaN", "`NaN` is no JSON"),
        ("[-Infinity]", "`-Infinity` is no JSON"),
        ("1e999", "`1e999` is too large a number"),
        ("9" * 5000, "a number has too many digits"),
        ("[" * 100_000, "the text is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(text)
    assert caught.value.message == message
    assert caught.value.path == "$"


def test_an_error_says_where() -> None:
    error = JsonError("it is wrong").within("[3]").within(".a")
    assert error.path == "$.a[3]"
    assert str(error) == "it is wrong (at $.a[3])"


def test_the_same_values_as_the_standard_reader() -> None:
    text = '{"a": [1, -2.5e3, "\\u00e9", true, null], "b": {}}'
    assert parse(text) == json.loads(text)


def test_suggestions() -> None:
    assert suggestion("sorce", ["port", "source"]) == ", perhaps `source` was meant"
    assert suggestion("zzz", ["port", "source"]) == ""
