from __future__ import annotations

import pytest

from meshproof.dsl.suggest import closest, one_of


@pytest.mark.parametrize(
    ("word", "guess"),
    [("servce", "service"), ("gatway", "gateway"), ("zon", "zone"), ("owner", None), ("", None), ("xyz", None)],
)
def test_a_slip_is_told_from_another_word(word: str, guess: str | None) -> None:
    assert closest(word, ["service", "gateway", "zone"]) == guess


def test_the_order_of_candidates_does_not_matter() -> None:
    assert closest("pay", ["payb", "paya"]) == closest("pay", ["paya", "payb"])


def test_words_are_listed_for_a_sentence() -> None:
    assert one_of(["a"]) == "`a`"
    assert one_of(["a", "b"]) == "`a` or `b`"
    assert one_of(["a", "b", "c"]) == "`a`, `b` or `c`"
