"""Which gate a door is at, and its number."""

from __future__ import annotations

from meshproof.targets.appmesh.lower.quotas import Place, Wish, places

NONE: frozenset[int] = frozenset()


def test_a_door_has_the_number_that_callers_dial_if_it_is_free() -> None:
    wishes = [Wish("a", 1, 8080, frozenset((8080,))), Wish("b", 1, 8080, frozenset((8080,)))]
    assert places(wishes, 1, 10, 20000) == (Place("meshproof-gate", 8080), Place("meshproof-gate", 20000))


def test_the_largest_are_placed_first_and_what_has_no_room_has_no_place() -> None:
    wishes = [Wish("a", 3, None, NONE), Wish("b", 8, None, NONE)]
    assert places(wishes, 1, 10, 20000) == (None, Place("meshproof-gate", 20000))
    assert places(wishes, 2, 10, 20000) == (Place("meshproof-gate-2", 20000), Place("meshproof-gate", 20000))
    assert places(wishes, 0, 10, 20000) == (None, None)


def test_doors_of_a_service_have_numbers_of_their_own_at_all_gates() -> None:
    found = places([Wish("a", 6, None, NONE), Wish("a", 6, None, NONE)], 2, 10, 20000)
    assert found == (Place("meshproof-gate", 20000), Place("meshproof-gate-2", 20001))


def test_numbers_of_proxies_and_of_the_service_are_left_to_them() -> None:
    assert places([Wish("a", 1, 15000, frozenset((20000,)))], 1, 10, 20000) == (Place("meshproof-gate", 20001),)
    assert places([Wish("a", 1, None, NONE)], 1, 10, 65536) == (None,)
