"""YAML is read as it was meant."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshproof.targets.common.yaml import Block, dump, is_plain_safe

# Everything that some reader of YAML 1.1 or 1.2 takes for a number, a boolean, null, a date or an indicator.
GUESSED = ["1e3", "123e456", "1e+3", "0o17", "08", "y", "n", "Y", "yes", "on", "OFF", "12:30:45", "2027-01-31", ".inf"]
GUESSED += ["~", "null", "Null", "", " a", "a ", "- a", "*", "&a", "!x", "a: b", "#c", "0x1f", "=", "<<", "1_000", ".5"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(GUESSED)


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS) | st.integers() | st.booleans() | st.none(), max_size=5))
def test_a_yaml_11_reader_gets_the_same_value(value: dict[str, object]) -> None:
    assert yaml.safe_load(dump([value])) == value


@given(TEXTS)
def test_only_words_that_nobody_guesses_at_are_plain(text: str) -> None:
    written = dump([[text]]).decode().removeprefix("- ").rstrip("\n")
    assert written.startswith('"') or (written == text and re.fullmatch(r"[A-Za-z_/][A-Za-z0-9_./-]*", written))


@pytest.mark.parametrize("text", GUESSED)
def test_what_is_guessed_at_is_quoted(text: str) -> None:
    assert not is_plain_safe(text)


def test_bytes_are_plain_and_in_order() -> None:
    shared = ["a"]
    written = dump([{"z": shared, "a": shared}, {"b": "x" * 300 + " y"}])
    assert written.startswith(b"z:\n  - a\na:\n  - a\n---\nb: ")
    assert written.endswith(b'"\n')
    assert b"\r" not in written
    assert b"\n " not in written.partition(b"---")[2]


def test_a_block_keeps_its_lines() -> None:
    assert dump([{"mesh": Block("a: 1\nb: 2\n")}]) == b"mesh: |\n  a: 1\n  b: 2\n"
