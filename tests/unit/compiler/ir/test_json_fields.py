from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.compiler.ir.json_fields import Fields, flag, number, text
from meshproof.compiler.ir.json_text import Json, JsonError


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (text, 7, "a string is expected"),
        (text, "\ud800", "half of a surrogate pair is no character"),
        (flag, 1, "`true` or `false` is expected"),
        (number, True, "a whole number is expected"),
        (number, 1.0, "a whole number is expected"),
        (number, "1", "a whole number is expected"),
    ],
)
def test_wrong_values(read: Callable[[Json], object], value: Json, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        Fields.of({"a": value}, ("a",)).required("a", read)
    assert (caught.value.message, caught.value.path) == (message, "$.a")


@pytest.mark.parametrize(("read", "value"), [(text, "é"), (flag, False), (number, 0)])
def test_right_values(read: Callable[[Json], object], value: Json) -> None:
    fields = Fields.of({"a": value}, ("a", "b"))
    assert fields.optional("a", read) == value
    assert fields.required("a", read) == value
    assert fields.optional("b", read) is None


def test_null_counts_as_left_out() -> None:
    fields = Fields.of({"a": None}, ("a",))
    assert fields.optional("a", text) is None
    with pytest.raises(JsonError, match="`a` is missing"):
        fields.required("a", text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "an object is expected"),
        ({"sorce": 1}, "`sorce` is not known here, perhaps `source` was meant"),
        ({"zzz": 1}, "`zzz` is not known here"),
    ],
)
def test_what_is_no_such_object(value: Json, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        Fields.of(value, ("source",))
    assert caught.value.message == message
