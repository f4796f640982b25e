from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.driver.waive import is_waived
from meshproof.compiler.ir.assertions import Waiver
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.source import Span

ORIGIN = Origin(Span("a.mesh", 0, 1))
UNTIL = date(2026, 12, 31)
WAIVER = Waiver("MP305", "charge", "x", "y", UNTIL, ORIGIN)


@pytest.mark.parametrize(
    ("code", "subject", "day", "expected"),
    [
        ("MP305", "charge", date(2026, 12, 31), True),
        ("MP305", "charge", date(2027, 1, 1), False),
        ("MP305", "order", date(2026, 12, 1), False),
        ("MP301", "charge", date(2026, 12, 1), False),
        ("MP305", "", date(2026, 12, 1), False),
    ],
)
def test_a_waiver_is_for_one_code_on_one_thing_until_a_day(
    code: str, subject: str, day: date, *, expected: bool
) -> None:
    assert is_waived(code, subject, (WAIVER,), day) is expected


@pytest.mark.parametrize("code", ["MP101", "MP201", "MP703", "MP309", "MP310", "MP311", "MP312"])
def test_what_a_policy_means_is_never_waived(code: str) -> None:
    assert not is_waived(code, "x", (Waiver(code, "x", "b", "o", UNTIL, ORIGIN),), date(2026, 12, 1))
