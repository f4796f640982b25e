from __future__ import annotations

import uuid
from random import Random

from tests.strategies.tracing import counting

from meshproof.runtime.core.tracing.ids import Ids


def test_a_number_is_never_zero() -> None:
    draws = iter([bytes(4096), b"\x01" * 4096])
    assert Ids(lambda _: next(draws)).number(32) == "01" * 16
    assert next(draws, None) is None


def test_request_ids_are_uuids_and_differ() -> None:
    random = Random(7)  # noqa: S311  the same each time
    ids = Ids(random.randbytes)
    made = [ids.request_id() for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert {uuid.UUID(one).version for one in made} == {4}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
    assert [str(uuid.UUID(one)) for one in made] == made


def test_no_digits_are_given_twice() -> None:
    ids = counting()
    made = [ids.number(16) for _ in range(3000)]
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {16}
