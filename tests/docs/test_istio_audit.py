"""What the page about audits says was found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.istio_audit import PAGE, page_with, table


@pytest.mark.corpus
@pytest.mark.slow
def test_the_page_has_what_is_found(corpus: Path) -> None:
    there = PAGE.read_text(encoding="utf-8")

    assert page_with(there, table(corpus)) == there, "run `python -m tools.istio_audit CORPUS`, and read the difference"
