"""The subset of RE2: what it matches (google-re2 judges the rest) and what it refuses, with the place."""

from __future__ import annotations

import pytest

from meshproof.compiler.patterns.pattern import Regex, check_regex, matches, to_automaton
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge


@pytest.mark.parametrize(
    ("expression", "taken", "refused"),
    [
        ("abc", ["abc"], ["ab", "abcd", "xabc"]),
        ("a|", ["a", ""], ["b"]),
        ("(?i)k", ["k", "K", "\u212a"], ["s"]),
        ("(?i)[^k]", ["a"], ["k", "K", "\u212a"]),
        ("(?i:s)s", ["ss", "Ss", "\u017fs"], ["sS"]),
        ("(?i)a(?-i)b|c", ["Ab", "c"], ["aB", "C"]),
        (".", ["a", "é", "\U0001f600"], ["\n", "", "ab"]),
        ("(?s).", ["\n"], [""]),
        (r"\d\s\w", ["1 a", "1\t_"], ["\u0661 a", "1\x0ba", "1 é"]),
        (r"\D", ["\u0661", "a", "\n"], ["1"]),
        ("[[:alpha:]-]", ["a", "-"], ["1", ":"]),
        ("[]a]", ["]", "a"], ["["]),
        (r"[^\n-\r]", ["a"], ["\n", "\r", "\x0b"]),
        (r"\x41\x{1F600}", ["A\U0001f600"], ["A"]),
        (r"\Qa.b*\E+", ["a.b*", "a.b**"], ["a.b", "axb*"]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        ("a{2,3}?", ["aa", "aaa"], ["a", "aaaa"]),
        ("a{2,}", ["aa", "aaaaa"], ["a"]),
        ("a{,3}", ["a{,3}"], ["a", ""]),
        ("a{0}", [""], ["a"]),
        ("^a$", ["a"], ["a\n", ""]),
        ("a^b|c", ["c"], ["ab"]),
        ("(^|x)a($|y)", ["a", "xa", "ay", "xay"], ["xya"]),
        (r"\A\z", [""], ["a"]),
        ("$^", [""], ["a"]),
        ("(?P<n>a)(?<m>b)", ["ab"], ["a"]),
        ("(?U)a+", ["aa"], [""]),
    ],
)
def test_what_an_expression_matches(expression: str, taken: list[str], refused: list[str]) -> None:
    automaton = to_automaton(Regex(expression))
    assert [text for text in (*taken, *refused) if automaton.accepts(text)] == taken
    assert [text for text in (*taken, *refused) if matches(Regex(expression), text)] == taken


@pytest.mark.parametrize(
    ("expression", "position", "reason"),
    [
        ("a(?=b)", 1, "kind of group"),
        ("(?P=n)", 0, "kind of group"),
        ("(?)", 0, "kind of group"),
        ("ab(c", 2, "never closed"),
        ("a)b", 1, "closes nothing"),
        ("a[b", 1, "never closed"),
        ("*a", 0, "nothing here to repeat"),
        ("a**", 2, "nothing here to repeat"),
        ("a|{2}", 2, "nothing here to repeat"),
        ("a(?i)*", 5, "nothing here to repeat"),
        ("a{1001}", 1, "at most 1000"),
        ("a{99999}", 1, "at most 1000"),
        ("a{2,1}", 1, "backwards"),
        ("a{01}", 1, "leading zero"),
        ("[b-a]", 1, "backwards"),
        ("[[:foo:]]", 1, "no class"),
        (r"a\b", 1, "word boundary"),
        (r"\pL", 0, "Unicode"),
        (r"\1", 0, "back-references"),
        (r"\Z", 0, "not supported"),
        (r"\C", 0, "not supported"),
        (r"\012", 0, "not supported"),
        ("a\\", 1, "at the end"),
        (r"\x{110000}", 0, "no Unicode character"),
        (r"\x{D800}", 0, "no Unicode character"),
        (r"\x{41", 0, "hexadecimal"),
        (r"\x4", 0, "hexadecimal"),
        (r"[a-\d]", 3, "not supported"),
        ("(?m)^a", 4, "line anchors"),
        ("(?i)é", 4, "only ASCII"),
        ("(?P<n>a)(?P<n>b)", 8, "two groups"),
        ("\ud800", 0, "surrogate"),
        ("(" * 101, 100, "nest deeper"),
    ],
)
def test_what_is_refused_and_where(expression: str, position: int, reason: str) -> None:
    with pytest.raises(PatternRefused, match=reason) as refusal:
        check_regex(expression)
    assert refusal.value.position == position


@pytest.mark.parametrize(
    "expression",
    [
        "a" * 4097,
        "((a{10}){11}){10}",
        "(a|b)*a(a|b){20}",
        ".*a.{1000}",
        "(a?){1000}",
        "(abcdefghijklmnopqrst){1000}",
        r"[\x{80}\x{100}\x{200}]{1000}",
    ],
)
def test_what_is_too_large_says_so(expression: str) -> None:
    with pytest.raises(PatternTooLarge) as refusal:
        check_regex(expression)
    assert refusal.value.reason


def test_hard_expressions_of_other_engines_are_easy() -> None:
    check_regex("(x+x+)+y")
    assert not matches(Regex("(x+x+)+y"), "x" * 3000)
    assert matches(Regex("(x+x+)+y"), "x" * 3000 + "y")
