"""Did you mean."""

from __future__ import annotations

import pytest

from meshproof.compiler.resolve.findings import MOST_ADVICE, Findings
from meshproof.compiler.resolve.suggest import closest, distance

KNOWN = ("web", "checkout", "payment", "paymentservice", "db", "db2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wep", "web"),
        ("wbe", "web"),
        ("weeb", "web"),
        ("Web", "web"),
        ("chekout", "checkout"),
        ("paymnet", "payment"),
        ("check", "checkout"),
        ("webserver", "web"),
        ("paymentsevrice", "paymentservice"),
        ("cart", None),
        ("x", None),
        ("paym", None),
    ],
)
def test_closest(name: str, expected: str | None) -> None:
    assert closest(name, KNOWN) == expected
    assert closest(name, reversed(KNOWN)) == expected


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [("", "", 0), ("ab", "ba", 1), ("abc", "abd", 1), ("abc", "ac", 1), ("kitten", "sitting", 3), ("", "abc", 3)],
)
def test_distance(left: str, right: str, slips: int) -> None:
    assert distance(left, right, 5) == slips
    assert distance(right, left, 5) == slips


def test_a_distance_above_the_limit_is_only_above() -> None:
    assert distance("abcdefgh", "zyxwvuts", 2) > 2


def test_advice_ends_when_nobody_reads_it_any_more() -> None:
    findings = Findings()
    given = [findings.did_you_mean("wep", KNOWN) for _ in range(MOST_ADVICE + 1)]

    assert given[-2:] == ["did you mean `web`?", None]
