from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.dsl.tree_to_ast.strings import bad_escapes, day, decode, encode, last_day


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        (r'""', ""),
        (r'"a"', "a"),
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"\\u{41}"', r"\u{41}"),
        (r'"\u{41}\u{1F600}"', "A😀"),
        (r'"\u{a}"', "\n"),
        (r'"a\"b\\"', 'a"b\\'),
    ],
)
def test_escapes_are_decoded(quoted: str, value: str) -> None:
    assert decode(quoted) == value
    assert list(bad_escapes(quoted)) == []


@pytest.mark.parametrize(
    ("quoted", "places"),
    [
        (r'"\n"', [(1, 3)]),
        (r'"a\tb\x"', [(2, 4), (5, 7)]),
        (r'"\u{}"', [(1, 3)]),
        (r'"\u{110000}"', [(1, 11)]),
        (r'"\u{d800}"', [(1, 9)]),
        (r'"\u{dfff}"', [(1, 9)]),
        (r'"\u{1234567}"', [(1, 3)]),
        (r'"\u41"', [(1, 3)]),
    ],
)
def test_an_escape_that_does_not_exist_has_a_place(quoted: str, places: list[tuple[int, int]]) -> None:
    assert list(bad_escapes(quoted)) == places


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_encoded_is_decoded_and_shows_every_character(value: str) -> None:
    quoted = encode(value)

    assert decode(quoted) == value
    assert list(bad_escapes(quoted)) == []
    assert quoted.isprintable()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2027-06-30", dt.date(2027, 6, 30)),
        ("2028-02-29", dt.date(2028, 2, 29)),
        ("2027-02-29", None),
        ("2027-13-01", None),
        ("2027-00-01", None),
        ("0000-01-01", None),
    ],
)
def test_a_day_is_one_of_the_calendar(written: str, value: dt.date | None) -> None:
    assert day(written) == value


def test_the_last_day_of_a_month_is_offered() -> None:
    assert last_day("2027-02-31") == "the last day of that month is `2027-02-28`"
    assert last_day("2028-02-30") == "the last day of that month is `2028-02-29`"
    assert last_day("2027-13-01") is None
    assert last_day("0000-02-31") is None
