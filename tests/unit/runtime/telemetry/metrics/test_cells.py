from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.telemetry.metrics.cells import (
    MOST_SERIES,
    MOST_VALUES,
    OVERFLOW,
    Cell,
    HistogramCell,
    Series,
)


def _series(*labels: str) -> tuple[Series[Cell], Counter[str]]:
    overflows: Counter[str] = Counter()
    return Series("m", labels, Cell, overflows), overflows


def test_the_same_labels_have_the_same_cell() -> None:
    series, overflows = _series("a", "b")
    assert series.cell(("1", "2")) is series.cell(("1", "2"))
    assert series.cell(("1", "2")) is not series.cell(("2", "1"))
    assert not overflows


def test_a_label_with_too_many_values_overflows_and_the_others_stay_what_they_are() -> None:
    series, overflows = _series("peer", "response_code")
    for number in range(MOST_VALUES + 5):
        series.cell((str(number), "200")).value += 1
    assert series.cells[OVERFLOW, "200"].value == 5
    assert series.cells["0", "200"].value == 1
    assert overflows == {"m": 5}
    assert series.cell(("0", "403")) is series.cells["0", "403"]
    for status in range(100, 999):
        series.cell(("0", str(status)))
    assert len({labels[1] for labels in series.cells}) == 65
    assert sum(cell.value for cell in series.cells.values()) == MOST_VALUES + 5


def test_the_series_have_a_cap_of_their_own() -> None:
    series, overflows = _series("a", "b", "c")
    for number in range(MOST_SERIES + 50):
        series.cell((str(number % 900), str(number // 900), "x")).value += 1
    assert len(series.cells) <= MOST_SERIES + 1
    assert series.cells[OVERFLOW, OVERFLOW, OVERFLOW].value == 50
    assert overflows == {"m": 50}


@given(st.lists(st.floats(0, 20)))
def test_a_value_falls_into_the_first_bucket_that_holds_it(values: list[float]) -> None:
    cell = HistogramCell((1.0, 5.0, 10.0))
    for value in values:
        cell.observe(value)
    assert cell.buckets == [
        sum(low < value <= high for value in values) for low, high in ((-1, 1), (1, 5), (5, 10), (10, 99))
    ]
    assert abs(cell.sum - sum(values)) < 1e-6
