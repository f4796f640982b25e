from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.traffic.scenes import retry

from meshproof.runtime.core.messages import Failure

CONDITIONS = ("connect-failure", "reset", "refused", "unavailable", "gateway-error", "5xx", "503", "409")
AFTER = (Failure.RESET, Failure.TIMEOUT, Failure.PROTOCOL)
NEVER = (Failure.OVERFLOW, Failure.CANCELLED)


@given(st.sets(st.sampled_from(CONDITIONS)), st.sampled_from(list(Failure)), st.sampled_from(["POST", "PATCH", "LOCK"]))
def test_what_may_change_something_is_repeated_only_where_nothing_was_done(
    conditions: set[str], failure: Failure, method: str
) -> None:
    rule = retry(3, *conditions)
    if rule.is_after_failure(failure, method):
        assert failure in {Failure.CONNECT, Failure.REFUSED}
    assert not any(rule.is_after_answer(status, None, method) for status in range(100, 600))


@pytest.mark.parametrize(
    ("condition", "failures"),
    [
        ("connect-failure", {Failure.CONNECT}),
        ("refused", {Failure.REFUSED}),
        ("reset", {Failure.CONNECT, Failure.REFUSED, *AFTER}),
        ("5xx", {Failure.CONNECT, Failure.REFUSED, *AFTER}),
        ("gateway-error", {Failure.CONNECT, Failure.REFUSED, *AFTER}),
        ("unavailable", set()),
        ("503", set()),
    ],
)
def test_words_mean_what_they_mean_to_envoy(condition: str, failures: set[Failure]) -> None:
    rule = retry(1, condition)
    assert {failure for failure in Failure if rule.is_after_failure(failure, "GET")} == failures


@pytest.mark.parametrize(
    ("condition", "statuses"),
    [
        ("5xx", set(range(500, 600))),
        ("gateway-error", {502, 503, 504}),
        ("503", {503}),
        ("reset", set()),
        ("connect-failure", set()),
    ],
)
def test_statuses_that_are_asked_again(condition: str, statuses: set[int]) -> None:
    rule = retry(1, condition)
    assert {status for status in range(100, 600) if rule.is_after_answer(status, None, "PUT")} == statuses


def test_grpc_says_itself_that_it_was_unavailable() -> None:
    assert retry(1, "unavailable").is_after_answer(200, 14, "POST")
    assert not retry(1, "unavailable").is_after_answer(200, 13, "POST")
    assert not retry(1, "unavailable").is_after_answer(503, None, "GET")
    assert not retry(1, "5xx").is_after_answer(200, 14, "POST")


@pytest.mark.parametrize("failure", NEVER)
def test_a_limit_of_our_own_is_no_reason(failure: Failure) -> None:
    assert not retry(9, *CONDITIONS).is_after_failure(failure, "GET")
