"""Hosts that foreign files compare as they are sent, in the language's words."""

from __future__ import annotations

import pytest

from meshproof.compiler.express.hosts import with_plain_hosts
from meshproof.compiler.ir.matchers import Exact, Prefix, Regex
from meshproof.compiler.ir.predicate import Host, Or, Predicate, RawAuthority, Test

SHOP = Test(Host(), Exact("shop.example.com", ignore_case=True))


def _sent(expression: str) -> Predicate:
    return Test(RawAuthority(), Regex(expression))


def test_every_form_of_a_name_is_the_name() -> None:
    assert with_plain_hosts(_sent(r"(?i:shop\.example\.com)\.?(?::[0-9]*)?")) == SHOP
    assert with_plain_hosts(_sent(r"(?i:Shop\.Example\.com)\.?(?::[0-9]*)?")) == SHOP
    pair = Or((Test(RawAuthority(), Exact("shop.example.com")), Test(RawAuthority(), Prefix("shop.example.com:"))))
    assert with_plain_hosts(pair) == SHOP


@pytest.mark.parametrize(
    "expression",
    [
        r"(?i:shop.example\.com)\.?(?::[0-9]*)?",
        r"shop\.example\.com\.?(?::[0-9]*)?",
        r"(?i:shop\.example\.com)(?::[0-9]*)?",
        r"(?i:shop\.example\.com)\.?",
        r"(?i:shop\.example\.com)\.?(?::[0-9]+)?",
        r"(?i:(?:a|b)\.com)\.?(?::[0-9]*)?",
    ],
)
def test_what_is_no_name_with_all_its_forms_is_left_alone(expression: str) -> None:
    assert with_plain_hosts(_sent(expression)) == _sent(expression)
