"""Random regular expressions, valid and broken, and texts that nearly match."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = (
    *"abkKsS019_-./ {}[]()|*+?^$\\,:é\u212a\u017f\n",
    *("[a-c]", "[^a]", "[]a]", "[^]a]", "[a-", "[a\\]b]", "[k-s]", "[.-/]", "[--a]", "[a-b-c]", "[\\w-]", "[\\s\\S]"),
    *("[[:alpha:]]", "[[:^digit:]]", "[[:word:][:punct:]]", "[[:foo:]]", "[^\\d]", "[a-\\d]", "[\\pL]"),
    *("(?i)", "(?i:", "(?s)", "(?s:", "(?is)", "(?i-s:", "(?-i)", "(?m)", "(?U)", "(?-)", "(?^i)"),
    *("(?:", "(?:)", "()", "(?P<n>", "(?<m>", "(?P=n)", "(?'n'a)", "(?=a)", "(?#c)", "(a|b)", "(ab)*"),
    *("\\d", "\\D", "\\s", "\\S", "\\w", "\\W", "\\x41", "\\x{6b}", "\\x{10FFFF}", "\\x{110000}", "\\x{D800}"),
    *("\\Q", "\\E", "\\A", "\\z", "\\Z", "\\b", "\\B", "\\C", "\\pL", "\\p{Greek}", "\\1", "\\0", "\\u0041"),
    *("\\.", "\\/", "\\-", "\\_", "\\ ", "\\a", "\\t", "\\é"),
    *("{2}", "{1,3}", "{0}", "{,2}", "{2,}", "{01}", "{1001}", "{3,2}", "*?", "+?", "??", ".*", ".+"),
    *("(?i)[^k]", "(?i)[[:^lower:]]", "(?i)\\W"),
)
CHARS = "abkKsS019_-./ {},:é\u212a\u017f\ncABxZ\x00\x0b\U0001f600[]^"


def expressions() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(_PIECES), max_size=7).map("".join)


def texts() -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(CHARS), max_size=6)


def near(witness: str) -> tuple[str, ...]:
    """The witness, and what is one character away from it."""
    changed = [witness]
    for place in range(min(len(witness), 4)):
        changed.append(witness[:place] + witness[place + 1 :])
        changed += [witness[:place] + char + witness[place + 1 :] for char in "aK.\n\u212a"]
    return (*changed, witness + "a", witness + "\n", "s" + witness)
