"""What the language reference says is so: its examples mean what it says, its lists are those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from tests.docs.page import PATH, TEXT, Example, examples, table, words

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.assertions import Statement as Claimed
from meshproof.compiler.report.model import ClaimVerdict, TestOutcome
from meshproof.compiler.semantics.matching import matches_segments
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.dsl.ast.declarations import Protocol, ZoneParameter
from meshproof.dsl.ast.routes import RetryReason
from meshproof.dsl.ast.tests import DenyReason
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.format import format_source
from meshproof.dsl.format.words import CASE_WORDS, CLAIM_WORDS, GIVEN_WORDS
from meshproof.dsl.parser import parse
from meshproof.dsl.parser.lexer import RESERVED
from meshproof.dsl.parser.syntax_errors.words import spelling
from meshproof.dsl.parser.table import load
from meshproof.dsl.problems import LEDGER
from meshproof.dsl.source import SourceFile
from meshproof.dsl.visitor import walk
from meshproof.policies.catalog import pack_names, read_pack

PROJECT = PATH.parents[1]
DAY = date(2026, 11, 23)
EXAMPLES = examples()
SOUND = [example for example in EXAMPLES if not example.codes]
MISTAKES = [example for example in EXAMPLES if example.codes]


def named(example: Example) -> str:
    return f"{example.title}-{'-'.join(example.codes) or 'sound'}"


def test_there_are_examples_of_everything() -> None:
    titles = {example.title for example in SOUND}

    assert titles >= {"A page of it", "Sets", "Rules", "Conditions", "mTLS", "Routes", "Claims", "Tests", "Waivers"}
    assert len(MISTAKES) >= 15


@pytest.mark.parametrize("example", SOUND, ids=named)
def test_an_example_is_in_the_layout_of_fmt(example: Example) -> None:
    assert format_source(SourceFile("example.mesh", example.text)).text == example.text


@pytest.mark.parametrize("example", SOUND, ids=named)
def test_an_example_means_something_and_what_it_claims_and_tests_holds(example: Example) -> None:
    policy = policy_of_texts(example.texts)

    assert [(found.code, found.message) for found in policy.diagnostics] == []
    report = judge(policy, JudgeOptions(day=DAY))
    assert [found.diagnostic.message for found in report.findings if found.diagnostic.severity is Severity.ERROR] == []
    assert [claim.text for claim in report.claims if claim.verdict is not ClaimVerdict.PROVED] == []
    assert [test.text for test in report.tests if test.outcome is not TestOutcome.PASSED] == []


@pytest.mark.parametrize("example", MISTAKES, ids=named)
def test_an_example_of_a_mistake_gets_its_code_and_no_other(example: Example) -> None:
    policy = policy_of_texts(example.texts)
    found = policy.diagnostics
    if policy.is_judgeable:
        found = tuple(finding.diagnostic for finding in judge(policy, JudgeOptions(day=DAY)).findings)

    assert tuple(one.code for one in found if one.severity is Severity.ERROR) == example.codes


def test_what_completes_an_example_is_sound_itself() -> None:
    for before in {example.before for example in EXAMPLES if example.before}:
        assert policy_of_texts({"policy.mesh": before}).diagnostics == ()


# ---- words


def test_the_lists_of_words_are_those_of_the_grammar() -> None:
    assert sorted(words("reserved")) == sorted(RESERVED)
    assert sorted(words("claims")) == sorted(CLAIM_WORDS)
    assert sorted(words("tests")) == sorted(CASE_WORDS)
    assert sorted(words("givens")) == sorted(GIVEN_WORDS)
    assert words("protocols") == [protocol.value for protocol in Protocol]
    assert words("retries") == [reason.value for reason in RetryReason]
    assert words("steps") == [reason.value for reason in DenyReason]


@pytest.mark.parametrize("word", words("statements"))
def test_every_word_that_is_said_to_begin_a_statement_does(word: str) -> None:
    codes = [found.code for found in parse(SourceFile("x.mesh", word)).diagnostics]

    assert "MP102" not in codes


def test_no_other_word_begins_a_statement() -> None:
    keywords = {word for word in map(spelling, load().terminals) if word.replace("-", "").isalpha()}
    beginning = {
        word
        for word in keywords
        if "MP102" not in [found.code for found in parse(SourceFile("x.mesh", f"{word} ")).diagnostics]
        and "stands outside" not in parse(SourceFile("x.mesh", word)).diagnostics[0].message
    }

    assert beginning == set(words("statements"))


def test_every_keyword_is_on_the_page() -> None:
    keywords = {word for word in map(spelling, load().terminals) if re.fullmatch(r"[a-z][a-z.-]*", word)}

    assert {word for word in keywords if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", TEXT)} == set()


def test_every_code_on_the_page_is_in_the_ledger() -> None:
    assert set(re.findall(r"\bMP\d{3}\b", TEXT)) <= {problem.code for problem in LEDGER}


# ---- tables


def test_the_patterns_of_the_table_take_what_it_says() -> None:
    rows = table("| pattern | takes | does not take |")

    assert len(rows) >= 6
    for (pattern,), taken, refused in rows:
        assert [path for path in taken if not matches_segments(pattern, path)] == []
        assert [path for path in refused if matches_segments(pattern, path)] == []


def test_paths_become_normal_as_the_table_says() -> None:
    rows = table("| sent | normal |")

    assert len(rows) >= 10
    for (sent,), (normal,) in rows:
        found = normalize(sent)
        assert (found.text if isinstance(found, NormalPath) else "refused") == normal


def test_every_kind_of_claim_has_its_row() -> None:
    assert len(table("| claim | means |")) == len(get_args(Claimed)) == 11


def test_every_pack_is_listed_with_the_zones_that_it_asks_for() -> None:
    rows = {row[0][0]: row[1] for row in table("| pack | asks for | says |")}
    asked = {}
    for name in pack_names():
        document = parse(SourceFile("pack.mesh", read_pack(name) or "")).document
        asked[name] = [node.name.text for node in walk(document) if isinstance(node, ZoneParameter)]

    assert rows == asked


# ---- the interpreter follows it line by line


def quotes(text: str) -> Iterator[str]:
    """The sentences that a text quotes, of five words at least."""
    for quoted in re.findall(r'"([^"]+)"', text):
        for part in " ".join(quoted.split()).split("…"):
            if len(part.split()) >= 5:
                yield part.strip(" .;,")


def documentation(path: Path) -> Iterator[str]:
    """The docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    yield from re.findall(r"^\s*# (.*)$", text, re.MULTILINE)


def plain(text: str) -> str:
    """Prose without its marks, so that a sentence is found whichever way it is set."""
    text = re.sub(r"\*\*([A-Z][^*]*)\*\*", r"\1", re.sub(r"^\s*- ", "", text, flags=re.MULTILINE))
    return re.sub(r"\s+", " ", text).replace("`", "").lower()


PROSE = plain(TEXT)


@pytest.mark.parametrize("path", sorted((PROJECT / "compiler" / "semantics").glob("*.py")), ids=lambda path: path.stem)
def test_what_the_interpreter_quotes_stands_on_the_page(path: Path) -> None:
    found = [quote for text in documentation(path) for quote in quotes(text)]

    assert [quote for quote in found if plain(quote) not in PROSE] == []


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "tests" / "golden" / "semantics").glob("*.md")), ids=lambda path: path.stem
)
def test_what_the_cases_of_the_interpreter_quote_stands_on_the_page(path: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

    assert [quote for quote in quotes(prose) if plain(quote) not in PROSE] == []
