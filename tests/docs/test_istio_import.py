"""What imports of the corpus take is what docs/targets/istio-import.md says, and no import is a looser policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.istio_audit import page_with
from tools.istio_import import PAGE, Taken, table, take_all

from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.format import format_source
from meshproof.dsl.source import SourceFile

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

LOOSER = {"asm-samples": ("default/ratings (other ports)",)}
"""What the policies of applications allow and their files do not: an external that has no port is not declared."""

READ_BACK_LOOSER = {"istio-on-eks"}
"""Where what is emitted is read back as looser than the policy, which stops a compile (MP705)."""


@pytest.fixture(scope="module")
def taken(corpus: Path) -> tuple[Taken, ...]:
    return take_all(corpus)


def test_every_application_becomes_a_policy_without_errors_in_the_one_layout(taken: tuple[Taken, ...]) -> None:
    assert len(taken) >= 18
    for one in taken:
        text = one.imported.text
        assert text is not None
        assert [found for found in one.policy.diagnostics if found.severity is Severity.ERROR] == [], one.name
        assert format_source(SourceFile("", text)).text == text, one.name
        assert not [left for left in one.imported.untaken if "the language refuses it" in left.reason], one.name


def test_no_policy_allows_what_the_files_do_not(taken: tuple[Taken, ...]) -> None:
    for one in taken:
        difference = one.imported.difference
        assert difference is not None
        opened = tuple(name for region in difference.newly_allowed for name in region.destinations)
        assert opened == LOOSER.get(one.name, ()), one.name


def test_what_was_taken_comes_back_from_istio(taken: tuple[Taken, ...]) -> None:
    """What is emitted for an imported policy decides as the policy, which decides as the files where all was taken."""
    decided = [one for one in taken if one.again is not None]
    assert len(decided) >= 12
    for one in decided:
        assert one.again is not None
        assert not one.again.newly_denied, one.name
        if one.name not in READ_BACK_LOOSER:
            assert not one.again.newly_allowed, one.name


def test_the_hardened_charts_are_imported_whole_and_proved(taken: tuple[Taken, ...]) -> None:
    found = {one.name.rpartition("/")[2]: one.imported for one in taken}
    assert found["helm-chart__zero-trust-ingress.yaml"].is_equal
    assert found["helm-chart__authz-external-redis-tls.yaml"].is_equal
    assert found["helm-chart__zero-trust-ingress.yaml"].untaken == ()


def test_the_page_has_the_table_that_is_computed(taken: tuple[Taken, ...]) -> None:
    there = PAGE.read_text(encoding="utf-8")
    assert page_with(there, table(taken)) == there, "run `python -m tools.istio_import CORPUS`, and read what differs"
