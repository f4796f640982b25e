"""Classes that are known by hand: witnesses that read well, limits that hold, universes that count."""

from __future__ import annotations

import pytest

from meshproof.compiler.patterns.classes import StringClass, string_classes
from meshproof.compiler.patterns.partition import Limits
from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, Prefix, Regex, Suffix
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.patterns.universe import (
    Universe,
    header_values,
    host_names,
    method_tokens,
    normal_paths,
    spiffe_ids,
)


def by_signature(classes: tuple[StringClass, ...]) -> dict[int, str]:
    return {one.signature: one.witness for one in classes}


def paths(*patterns: str) -> tuple[Pattern, ...]:
    return tuple(map(parse_segments, patterns))


@pytest.mark.parametrize(
    ("patterns", "universe", "expected"),
    [
        (paths("/pay/*"), normal_paths(), {0: "/other", 1: "/pay/a"}),
        (paths("/admin/**", "/admin"), normal_paths(), {0: "/other", 1: "/admin/a", 3: "/admin"}),
        (paths("/**"), normal_paths(), {1: "/other"}),
        (paths("/a", "/a/"), normal_paths(), {0: "/other", 1: "/a", 2: "/a/"}),
        (paths("/*/b", "/a/*"), normal_paths(), {0: "/other", 1: "/b/b", 2: "/a/a", 3: "/a/b"}),
        ((Exact("//"), Exact("/a/../b"), Exact("x"), Exact("/%2F")), normal_paths(), {0: "/other"}),
        ((Prefix("/a"), Prefix("/a/"), Prefix("/a//")), normal_paths(), {0: "/other", 1: "/a", 3: "/a/a"}),
        ((Prefix("/%2"),), normal_paths(), {0: "/other", 1: "/%2a"}),
        ((Prefix("/%2F"),), normal_paths(), {0: "/other"}),
        ((Suffix(".html"),), normal_paths(), {0: "/other", 1: "/a.html"}),
        ((Regex("/v[0-9]+/.*"), Suffix("/x")), normal_paths(), {0: "/other", 1: "/v0/a", 2: "/x", 3: "/v0/x"}),
        ((Exact("GET"), Exact("PUT")), method_tokens(), {0: "POST", 1: "GET", 2: "PUT"}),
        ((Regex("[a-z]+"),), method_tokens(), {0: "GET", 1: "a"}),
        ((Exact("A.example", ignore_case=True),), host_names(), {0: "other.example", 1: "a.example"}),
        ((Suffix(".Example", ignore_case=True),), host_names(), {0: "a", 1: "other.example"}),
        ((Regex(".*"), Exact("")), header_values(), {1: "other", 3: ""}),
        ((Regex(".*"),), header_values(has_stray_bytes=True), {0: "\udc80", 1: "other"}),
        ((AnyText(),), None, {1: "other"}),
        ((Regex("[^\\x00-\\x{10FFFF}]"),), None, {0: "other"}),
        ((), None, {0: "other"}),
    ],
)
def test_classes_by_hand(patterns: tuple[Pattern, ...], universe: Universe | None, expected: dict[int, str]) -> None:
    assert by_signature(string_classes(patterns, universe)) == expected


def test_identities_are_open_world() -> None:
    own = "spiffe://cluster.local/ns/shop/sa/cart"
    patterns = (Exact(own), Prefix("spiffe://cluster.local/ns/shop/"), Prefix("spiffe://cluster.local/"))
    assert by_signature(string_classes(patterns, spiffe_ids(), [own])) == {
        0: "spiffe://other.example/ns/other/sa/other",
        4: "spiffe://cluster.local/a",
        6: "spiffe://cluster.local/ns/shop/a",
        7: own,
    }


def test_a_finite_class_can_be_used_up() -> None:
    """`[ab]` has two values; both are exact, so nothing of it is left."""
    classes = string_classes((Regex("[ab]"), Exact("a"), Exact("b")))
    assert by_signature(classes) == {0: "other", 3: "a", 5: "b"}


def test_what_is_left_of_a_class_is_found_behind_many_values() -> None:
    taken = [first + second for first in "abcdefghijklmnopqrstuvwxyz" for second in "abcdefghijklmnopqrstuvwxyz"]
    patterns: tuple[Pattern, ...] = (Regex("[a-z]{2}|A1[~]"), *map(Exact, taken))
    assert by_signature(string_classes(patterns))[1] == "A1~"


def test_what_is_left_of_a_class_is_found_deep_among_the_values() -> None:
    """`abc` and `abd` part at their last letter, and nothing longer or shorter is in the class."""
    assert by_signature(string_classes((Regex("ab[cd]"), Exact("abc")))) == {0: "other", 1: "abd", 3: "abc"}
    assert by_signature(string_classes((Regex("(ab){1,2}"), Exact("ab")))) == {0: "other", 1: "abab", 3: "ab"}
    assert by_signature(string_classes((Regex("(ab){1,2}"), Exact("abab")))) == {0: "other", 1: "ab", 3: "abab"}


def test_a_universe_without_members_has_no_classes() -> None:
    assert string_classes((Exact("a"),), Regex("[^\\x00-\\x{10FFFF}]")) == ()


def test_a_pattern_can_be_the_universe() -> None:
    assert by_signature(string_classes((Exact("b"), Prefix("ab")), Regex("a?b"))) == {1: "b", 2: "ab"}


def test_samples_come_first_and_only_members_count() -> None:
    classes = string_classes(paths("/pay/*"), normal_paths(), ["/x/../pay/3", "pay", "/pay/42", "/pay/7", "/health"])
    assert by_signature(classes) == {0: "/health", 1: "/pay/42"}


def test_equal_patterns_share_their_fate() -> None:
    classes = string_classes((Exact("/a"), *paths("/a"), Regex("/a")), normal_paths())
    assert by_signature(classes) == {0: "/other", 7: "/a"}


def test_many_methods_of_a_service_are_one_class_each() -> None:
    methods = tuple(Exact(f"/shop.Cart/Method{number}") for number in range(300))
    classes = string_classes((*methods, *paths("/shop.Cart/*")), normal_paths())
    assert len(classes) == 302
    assert by_signature(classes)[1 << 300] == "/shop.Cart/a"


@pytest.mark.parametrize("is_fast", [True, False])
def test_limits_hold(is_fast: bool) -> None:
    stars = ("/*/*/*/*", "/a/*/*/*", "/*/a/*/*", "/*/*/a/*", "/*/*/*/a")
    patterns: tuple[Pattern, ...] = (*paths(*stars), *(() if is_fast else (Suffix("z"),)))
    assert len(string_classes(patterns, normal_paths())) >= 17
    with pytest.raises(PatternTooLarge, match="more than 8 classes"):
        string_classes(patterns, normal_paths(), limits=Limits(classes=8))
    with pytest.raises(PatternTooLarge, match="more than 8 states"):
        string_classes(patterns, normal_paths(), limits=Limits(states=8))


def test_a_bad_expression_is_refused() -> None:
    with pytest.raises(PatternRefused):
        string_classes((Regex("a(?=b)"),))
