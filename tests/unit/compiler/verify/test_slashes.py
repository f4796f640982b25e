from __future__ import annotations

import pytest

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Header,
    Method,
    Never,
    Not,
    Or,
    Path,
    Predicate,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.semantics.matching import matches
from meshproof.compiler.verify.slashes import slashed

PATHS = (
    *("/", "/a", "/a/", "/ab", "/ab/", "/a/b", "/a/b/", "/a/b/c", "/a/b/c/", "/x", "/x/", "/x/a", "/x/a/", "/A", "/A/"),
    *("/a.php", "/a.php/", "/a/b.php", "/a/b.php/"),
)
EXACTLY = (
    *(Exact("/"), Exact("/a"), Exact("/a/"), Exact("/A", ignore_case=True), Exact("")),
    *(Segments("/"), Segments("/a"), Segments("/a/"), Segments("/**"), Segments("/a/**"), Segments("/{id}")),
    *(Segments("/a/*/"), Segments("/a/*"), Segments("/*/b/**")),
    *(Prefix(""), Prefix("/"), Prefix("/a"), Prefix("/a/"), Prefix("/a/b/"), Prefix("/A/", ignore_case=True)),
    *(
        Suffix(""),
        Suffix("/"),
        Suffix(".php"),
        Suffix("b"),
        Suffix("b/"),
        Suffix("/b"),
        Suffix("/B/", ignore_case=True),
    ),
    Present(),
)


def toggled(path: str) -> str:
    return path[:-1] if path.endswith("/") else f"{path}/"


def holds(predicate: Predicate, path: str) -> bool:
    match predicate:
        case Always() | Never():
            return isinstance(predicate, Always)
        case Test(Path(), matcher):
            return matches(matcher, path)
        case Test():
            return False
        case Not(operand):
            return not holds(operand, path)
        case And(operands):
            return all(holds(operand, path) for operand in operands)
        case Or(operands):
            return any(holds(operand, path) for operand in operands)
        case _:
            raise AssertionError(predicate)


@pytest.mark.parametrize("matcher", EXACTLY, ids=str)
def test_a_test_of_the_path_is_asked_of_the_path_with_the_slash(matcher: Matcher) -> None:
    found = slashed(Test(Path(), matcher))

    expected = [path for path in PATHS if path != "/" and matches(matcher, toggled(path))]
    assert [path for path in PATHS if holds(found, path)] == expected


@pytest.mark.parametrize("matcher", EXACTLY, ids=str)
def test_a_path_that_is_named_to_leave_it_out_is_left_out_in_both_forms(matcher: Matcher) -> None:
    found = slashed(negation(Test(Path(), matcher)))

    named = {form for path in PATHS if path != "/" and matches(matcher, path) for form in (path, toggled(path))}
    assert [path for path in PATHS if holds(found, path)] == [path for path in PATHS if path not in {"/", *named}]


def test_an_expression_is_read_with_a_slash_added() -> None:
    found = slashed(Test(Path(), Regex("/a|/a/b/?")))

    assert [path for path in PATHS if holds(found, path)] == ["/a/", "/a/b/"]


def test_what_is_read_in_one_direction_leaves_out_all_that_it_might_name() -> None:
    for matcher in (Regex("/a[a-z]*"), Template("/a/{*}")):
        assert not any(holds(slashed(negation(Test(Path(), matcher))), path) for path in PATHS)


def test_a_template_is_read_in_neither_direction() -> None:
    assert not any(holds(slashed(Test(Path(), Template("/a/{**}"))), path) for path in PATHS)


def test_what_is_not_about_the_path_stays_as_it_is() -> None:
    other = Test(Header("x"), Exact("1"))
    made = slashed(conjunction((Test(Path(), Exact("/a")), disjunction((other, Test(Method(), Exact("GET")))))))

    assert isinstance(made, And)
    assert Or((other, Test(Method(), Exact("GET")))) in made.operands
    assert Test(Path(), Exact("/a/")) in made.operands
