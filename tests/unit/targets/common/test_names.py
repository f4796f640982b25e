"""Names that Kubernetes takes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from meshproof.targets.common.names import LABEL_MAX, SUBDOMAIN_MAX, Names, mangle

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@given(st.text(max_size=300), st.sampled_from((LABEL_MAX, SUBDOMAIN_MAX)))
def test_every_name_is_a_label(text: str, limit: int) -> None:
    name = mangle(text, limit)
    assert LABEL.fullmatch(name)
    assert len(name) <= limit


def test_a_label_stays_what_it_is() -> None:
    assert mangle("payment-v2") == "payment-v2"


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, other = mangle("a" * 70 + "x"), mangle("a" * 70 + "y")
    assert one != other
    assert len(one) == len(other) == LABEL_MAX


def test_a_name_without_letters_gets_some() -> None:
    assert LABEL.fullmatch(mangle("___"))
    assert mangle("___") != mangle("---")


def test_a_second_owner_is_told_the_first() -> None:
    names = Names()
    assert names.claim("k ns", "a-b", "a.b") is None
    assert names.claim("k ns", "a-b", "a.b") is None
    assert names.claim("k ns", "a-b", "a_b") == "a.b"
    assert names.claim("k other", "a-b", "a_b") is None
