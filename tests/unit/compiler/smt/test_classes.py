"""The order of classes is the order in which examples prefer them."""

from __future__ import annotations

from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.patterns import universe
from meshproof.compiler.smt.classes import text_classes


def test_a_sample_comes_first_also_where_the_universe_has_it_among_its_own() -> None:
    found = text_classes((Exact("POST"),), universe.method_tokens(), ("POST",))

    assert found.witnesses[0] == "POST"
    assert text_classes((Exact("POST"),), universe.method_tokens()).witnesses[0] == "GET"
