"""What imports of the corpus take is what docs/targets/istio-import.md says, and no import is a looser policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.istio_audit import page_with
from tools.istio_import import PAGE, Taken, table, take_all

from meshproof.compiler.driver.reading_back import EQUAL
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.format import format_source
from meshproof.dsl.source import SourceFile

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


LOOSER = {"asm-samples": ("undeclared workloads of namespace istio-system",)}
"""What files refuse and policies do not: a closed root namespace could not be compiled, and is listed."""


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
    """What is emitted means what the policy says, and is other than the files where the policy is, and only there."""
    for one in taken:
        assert one.refusals == (), one.name
        assert (one.known, one.gaps) == (EQUAL, ()), one.name
        assert one.is_what_was_taken, one.name


def test_where_something_is_otherwise_somebody_is_told(taken: tuple[Taken, ...]) -> None:
    """A declared port decides as in the files, or something at the node is listed as not taken."""
    for one in taken:
        difference = one.imported.difference
        assert difference is not None
        listed = " ".join(f"{left.subject} {left.reason}" for left in one.imported.untaken)
        for region in difference.regions:
            nodes = {place.old for place in region.places if place.old and place.port in _declared(one, place.new)}
            assert all(node in listed for node in nodes) or _is_of_strangers_at_gateways(region), (one.name, nodes)


def _declared(one: Taken, name: str | None) -> set[int]:
    return {
        port.workload for mesh in one.policy.meshes for node in mesh.nodes if node.name == name for port in node.ports
    }


def _is_of_strangers_at_gateways(region: DiffRegion) -> bool:
    return region.change is Change.DENIED and region.sources == ("identities of other trust domains",)


def test_the_hardened_charts_are_imported_whole_and_proved(taken: tuple[Taken, ...]) -> None:
    found = {one.name.rpartition("/")[2]: one.imported for one in taken}
    assert found["helm-chart__zero-trust-ingress.yaml"].is_equal
    assert found["helm-chart__authz-external-redis-tls.yaml"].is_equal
    assert found["helm-chart__zero-trust-ingress.yaml"].untaken == ()


def test_the_page_has_the_table_that_is_computed(taken: tuple[Taken, ...]) -> None:
    there = PAGE.read_text(encoding="utf-8")
    assert page_with(there, table(taken)) == there, "run `python -m tools.istio_import CORPUS`, and read what differs"
