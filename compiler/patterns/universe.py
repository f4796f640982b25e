"""Universes: which strings an attribute can have at all.

Classes are computed within a universe, so that no witness is impossible and no possible value is left out. Where a
standard and the world differ, a universe is the larger of the two: what is proved for it holds for less.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from meshproof.compiler.patterns import charset
from meshproof.compiler.patterns.automaton import Automaton, difference, intersection, is_empty, live_states
from meshproof.compiler.patterns.charset import SCALARS, CharSet
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.regular import Alternate, Chars, Node, Repeat, concat, literal

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE")


@dataclass(frozen=True, slots=True)
class Universe:
    """A language with the examples that people expect of it, best first; each must be a member to be used.

    `segment`: if given, the members are exactly `/` and segments of that language joined by `/`, where the last one,
    and only it, may be empty; the segments hold no slash and are not empty.
    """

    name: str
    language: Automaton
    examples: tuple[str, ...] = ()
    segment: Automaton | None = None

    def is_without(self, chars: CharSet) -> bool:
        """Whether no member holds a character of the set."""
        return is_without(self.language, chars)


@lru_cache(maxsize=256)
def is_without(language: Automaton, chars: CharSet) -> bool:
    """Whether no string of the language holds a character of the set; the automaton must be minimal (reachable)."""
    live = live_states(language)
    alphabet = language.alphabet
    touched = [s for s in range(alphabet.size) if charset.intersection(alphabet.charset(s), chars)]
    return not any(language.rows[state][symbol] in live for state in live for symbol in touched)


def _regex(text: str) -> Automaton:
    return automaton_of(parse_regex(text))


@lru_cache(maxsize=1)
def any_text() -> Universe:
    """Every string of Unicode characters, the empty one too; no surrogates."""
    return Universe("text", automaton_of(Repeat(Chars(SCALARS), 0, None)), ("other",))


# Escapes that stand in a normal path: not of NUL, `/`, `\` or what is unreserved (RFC 3986 §2.3), in either case.
_ESCAPE = "%(?:0[1-9A-Fa-f]|1[0-9A-Fa-f]|2[0-9A-Ca-c]|3[A-Fa-f]|40|5[BDEbde]|60|7[BCDFbcdf]|[89A-Fa-f][0-9A-Fa-f])"


def _segment_node() -> Node:
    plain = charset.difference(((0x21, 0x7E),), charset.of("/#?%\\"))
    return Repeat(Alternate((Chars(plain), parse_regex(_ESCAPE))), 1, None)


@lru_cache(maxsize=1)
def normal_paths() -> Universe:
    """Every normal path (language.md, "What happens to a request", step 2)."""
    segment = _segment_node()
    slash = literal("/")
    shape = automaton_of(concat(slash, Repeat(concat(segment, slash), 0, None), Repeat(segment, 0, 1)))
    with_dots = _regex(r"(?s).*/\.\.?(?:/.*)?")
    return Universe(
        "normal path",
        minimize(difference(shape, with_dots)),
        ("/other",),
        minimize(difference(automaton_of(segment), _regex(r"\.\.?"))),
    )


@lru_cache(maxsize=1)
def method_tokens() -> Universe:
    """Every token (RFC 9110 §5.6.2), of any case: a peer may send `get`, and it is not `GET`."""
    return Universe("method", _regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), _METHODS)


@lru_cache(maxsize=1)
def host_names() -> Universe:
    """Every host (RFC 3986 §3.2.2, reg-name or IP literal) in lower case, not empty, without a port.

    Wider than DNS on purpose: any caller in the mesh chooses the value.
    """
    return Universe("host", _regex(r"[a-z0-9._~!$&'()*+,;=%-]+|\[[a-z0-9:._~!$&'()*+,;=%-]+\]"), ("other.example",))


@lru_cache(maxsize=1)
def server_names() -> Universe:
    """Every server name that a client may send (RFC 6066 §3), in lower case and not empty.

    Wider than DNS on purpose, as any caller chooses it; only line breaks are in none.
    """
    return Universe("server name", _regex(r"[^A-Z\r\n]+"), ("other.example",))


@lru_cache(maxsize=2)
def header_values(*, has_stray_bytes: bool = False) -> Universe:
    """Every field value (RFC 9110 §5.5): no control characters but tabs, nor blanks or tabs at the ends; may be empty.

    Values are text in UTF-8. With `has_stray_bytes` also those that are not: each byte that cannot be decoded is the
    character U+DC80 to U+DCFF, as Python's `surrogateescape` writes it.
    """
    inner = charset.difference(SCALARS, ((0x00, 0x20), (0x7F, 0x7F)))
    if has_stray_bytes:
        inner = charset.union((*inner, (0xDC80, 0xDCFF)))
    visible = Chars(inner)
    spaced = Repeat(Chars(charset.union((*inner, (0x09, 0x09), (0x20, 0x20)))), 0, None)
    content = concat(visible, Repeat(concat(spaced, visible), 0, 1))
    return Universe("header value", automaton_of(Repeat(content, 0, 1)), ("other",))


@lru_cache(maxsize=1)
def query_values() -> Universe:
    """Every undecoded value of a query parameter: no `&` or `#`; visible ASCII, as in a request target."""
    return Universe("query value", _regex(r"[\x21\x22\x24\x25\x27-\x7E]*"), ("other",))


@lru_cache(maxsize=64)
def spiffe_ids(trust_domains: tuple[str, ...] | None = None, *, names_one_account: bool = False) -> Universe:
    """Every SPIFFE ID of a workload (SPIFFE-ID §2): of the given trust domains, or of any.

    Path segments are of letters, digits, `.`, `-`, `_`, not `.` or `..`, and there is at least one. A domain that is
    no trust domain name has no members. With `names_one_account` no segment `ns` or `sa` stands twice in a path.
    """
    domain = _regex(r"spiffe://[a-z0-9._-]+/.*")
    ids = _regex(r"spiffe://[a-z0-9._-]+(?:/[a-zA-Z0-9._-]+)+")
    ids = difference(ids, _regex(r".*/\.\.?(?:/.*)?"))
    if names_one_account:
        ids = difference(ids, _regex(r"spiffe://[^/]*/(?:.*/)?(?:ns/(?:.*/)?ns|sa/(?:.*/)?sa)(?:/.*)?"))
    if trust_domains is None:
        return Universe("SPIFFE ID", minimize(ids), ("spiffe://other.example/ns/other/sa/other",))
    branches = tuple(concat(literal(f"spiffe://{name}/"), Repeat(Chars(SCALARS), 0, None)) for name in trust_domains)
    ours = intersection(domain, automaton_of(Alternate(branches)))
    examples = tuple(f"spiffe://{name}/ns/other/sa/other" for name in trust_domains)
    return Universe("SPIFFE ID", minimize(intersection(ids, ours)), examples)


def of_automaton(language: Automaton) -> Universe:
    """A universe without examples."""
    return Universe("given", minimize(language))


def without(universe: Universe, other: Universe) -> Universe:
    """What is in one universe and not in the other."""
    return Universe(universe.name, minimize(difference(universe.language, other.language)), universe.examples)


def is_uninhabited(universe: Universe) -> bool:
    """Whether the universe has no member."""
    return is_empty(universe.language)
