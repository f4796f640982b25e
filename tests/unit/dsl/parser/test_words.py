"""Which words are names, where: reserved ones nowhere, all others wherever no keyword is asked for."""

from __future__ import annotations

from functools import cache

import pytest

from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.document import Document
from meshproof.dsl.ast.tests import Suite
from meshproof.dsl.ast.values import Name
from meshproof.dsl.format.words import CASE_WORDS, CLAIM_WORDS, GIVEN_WORDS
from meshproof.dsl.parser import parse
from meshproof.dsl.parser.lexer import RESERVED, classify
from meshproof.dsl.parser.syntax_errors.words import spelling
from meshproof.dsl.parser.table import load
from meshproof.dsl.source import SourceFile
from meshproof.dsl.visitor import walk

KEYWORDS = sorted(
    word
    for word in map(spelling, load().terminals)
    if word and word not in RESERVED and word.replace("-", "").isalpha()
)
PLACES = (
    "mesh {} {{ namespace {} environments {} }}",
    "service {} {{ account {} namespace {} port {} http 80 tags {} versions {}, {} accepts {} calls {}:{}, {} }}",
    'service x {{ labels {{ {}: "y", {}: "z" }} env {}, {} }}',
    "gateway {} {{ account {} accepts {} }}",
    "external {} {{ via {} }}",
    "issuer {} {{ env {} }}",
    "authorizer {} {{ env {} }}",
    "namespace {} {{ env {} }}",
    "zone {} = {{ {}, {} }} except {}",
    'zone {} "what"',
    "zone {} = {} or {} or namespace {} or tagged {} env {}",
    'value {} = "x", env {} "y"',
    "allow {}: {} -> {}:{}",
    "allow {} -> {}\ndeny {} -> {}",
    "deny {}: namespace {} -> tagged {} {{ when source in {} or token from {} via {} tags {}, {} env {} }}",
    "mtls strict for {}:{}",
    "mtls strict for {}\nservice {} {{ }}",
    "route {}:{} {{ otherwise => {} 95%, {}:{} 5% mirror {}:{} 5% env {} }}",
    "route {} {{ /x => {} {{ timeout 1s }} otherwise => {} }}",
    'use "x" {{ {} = {} }}\nuse "y" {{ z = namespace {} }}',
    'waive MP305 on {} because "x"',
    "waive MP305 on {}:{}",
    'prove "x" for {} "1" {{ only {} reaches {}:{} no path from {} to {} bypassing {} }}',
    'prove "x" {{ every request from {} to {} is mtls a can reach {} a is isolated from {} }}',
    'prove "x" {{ at most 1 attempts from {} }}',
    'prove "x" {{ assume unreachable {} no mirror from {} leaves {} a can call {}:{} GET / with token from {} }}',
    "test {} {{ a -> {}:{} with token from {} => allow by {} a -> b => route {}:{} 1% }}",
)


def names_in(document: Document) -> list[str]:
    return [node.text for node in walk(document) if isinstance(node, Name)]


def problems(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in parse(SourceFile("x.mesh", text)).diagnostics]


@pytest.mark.parametrize("word", KEYWORDS)
def test_a_keyword_is_a_name_wherever_a_name_stands(word: str) -> None:
    for place in PLACES:
        count = place.replace("{{", "").count("{}")
        text = place.format(*[word] * count)
        parsed = parse(SourceFile("x.mesh", text))
        assert parsed.diagnostics == (), text
        assert names_in(parsed.document).count(word) == count, text


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_never_a_name_but_in_quotes(word: str) -> None:
    for place in PLACES:
        count = place.replace("{{", "").count("{}")
        for position in range(count):
            words = ["name"] * count
            words[position] = f'"{word}"'
            quoted = parse(SourceFile("x.mesh", place.format(*words)))
            assert quoted.diagnostics == ()
            assert word in names_in(quoted.document)
            words[position] = word
            bare = parse(SourceFile("x.mesh", place.format(*words)))
            assert word not in names_in(bare.document)


def test_the_list_of_reserved_words_is_that_of_the_language() -> None:
    listed = (
        "all anyone authenticated plaintext internet namespace identity tagged except and or not in has when unless "
        "only no every at assume waive"
    )

    assert sorted(listed.split()) == sorted(RESERVED)
    assert all("NAME" not in classify(word) for word in RESERVED)


CLAIMS = (
    *("", "env prod", "assume unreachable a", 'assume unreachable a because "x"', "only a reaches b"),
    *("only a reaches b:http", "only a reaches namespace b", "only a reaches b GET /x", "only a reaches b call x.Y/Z"),
    *("only a reaches b when source in z", "only a reaches b when source in namespace z", "only a reaches b or c"),
    *("only a reaches b when has token", "only a reaches b when has path", "only a reaches b when token from i"),
    *('only a reaches b when path == "x"', "no request from a to b", "every request to b is mtls"),
    *("every request to b is GET /x", "every request to b satisfies has token", "a can reach b"),
    *("a can call b GET /x", "a can call b GET /x with opa == allow", "a can call b GET /x with token from i"),
    *("no path from a to b", "no path from a to b bypassing c", "no path from a to b within 3 hops"),
    *("a is isolated from b", "a is isolated from namespace b", "no mirror from b leaves z"),
    *("at most 3 attempts from a", "at most 3 attempts from namespace a"),
)
CASES = (
    *("", "env prod", "a -> b => allow", "a -> b => allow by r", "a -> b => deny", "a -> b => deny by r"),
    *("a -> b => deny at path", "a -> b => route v1", "a -> b => route v1 95%", "a -> b => route v1:http"),
)


@cache
def entries(text: str) -> int:
    """How many lines a block has, or -1 if something is wrong with it."""
    parsed = parse(SourceFile("x.mesh", text))
    if parsed.diagnostics:
        return -1
    match parsed.document.statements[0]:
        case Prove() as prove:
            return len(prove.claims)
        case Suite() as suite:
            return len(suite.cases)
        case _:
            return -1


@pytest.mark.parametrize("word", KEYWORDS)
def test_only_the_listed_words_clash_as_the_first_word_of_a_claim(word: str) -> None:
    clashes = any(
        entries(f'prove "x" {{ {before}\n {word} can reach b }}')
        != entries(f'prove "x" {{ {before}\n other can reach b }}')
        for before in CLAIMS
    )

    assert clashes == (word in CLAIM_WORDS)


@pytest.mark.parametrize("word", KEYWORDS)
def test_only_the_listed_words_clash_as_the_first_word_of_a_test_line(word: str) -> None:
    clashes = any(
        entries(f"test x {{ {before}\n {word} -> b => allow }}")
        != entries(f"test x {{ {before}\n other -> b => allow }}")
        for before in CASES
    )

    assert clashes == (word in CASE_WORDS)


@pytest.mark.parametrize("word", KEYWORDS)
def test_only_the_listed_words_clash_as_an_authorizer_that_is_given(word: str) -> None:
    assert bool(problems(f"test x {{ a -> b with {word} == allow => allow }}")) == (word in GIVEN_WORDS)


@pytest.mark.parametrize("word", sorted(CLAIM_WORDS | CASE_WORDS | GIVEN_WORDS))
def test_the_words_that_clash_stand_in_quotes(word: str) -> None:
    assert entries(f'prove "x" {{ a can reach b "{word}" can reach b }}') == 2
    assert entries(f'test x {{ a -> b => allow "{word}" -> b with "{word}" == deny => allow }}') == 2
