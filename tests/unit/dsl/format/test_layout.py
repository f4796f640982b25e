"""What the layout of a policy looks like."""

from __future__ import annotations

from textwrap import dedent

import pytest

from meshproof.dsl.ast.document import Document
from meshproof.dsl.ast.rules import Effect, Rule
from meshproof.dsl.ast.sets import AllServices, AtPort, Braces, Except, Named, Union
from meshproof.dsl.ast.values import Name
from meshproof.dsl.format import format_document, format_set, format_source
from meshproof.dsl.format.item import WIDTH
from meshproof.dsl.source import SourceFile


def formatted(text: str) -> str:
    result = format_source(SourceFile("x.mesh", dedent(text))).text
    assert result is not None
    assert format_source(SourceFile("x.mesh", result)).text == result
    return result


def lines(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_rules_are_a_table() -> None:
    assert formatted(
        "allow x:a->b:http{GET /x}\ndeny long-name: { a,b } -> c\nask y: a -> b { GET /y via opa }"
    ) == lines(
        """
        allow x:        a        -> b:http { GET /x }
        deny long-name: { a, b } -> c
        ask y:          a        -> b      { GET /y  via opa }
        """
    )


def test_cells_of_very_different_lengths_are_not_aligned() -> None:
    assert formatted("zone a = b\nzone " + "n" * 40 + " = c\nzone bb = d\nzone c = d") == lines(
        f"""
        zone a = b
        zone {"n" * 40} = c
        zone bb = d
        zone c  = d
        """
    )


def test_a_blank_line_or_comment_ends_a_table() -> None:
    assert formatted("zone a = b\nzone bb = c\n\n\n\nzone ccc = d\n# why\nzone dddd = e") == lines(
        """
        zone a  = b
        zone bb = c

        zone ccc = d
        # why
        zone dddd = e
        """
    )


def test_a_block_stays_open_or_on_one_line_as_it_was() -> None:
    assert formatted("service a { port http 80 tags x, y }\nservice b {\nport http 80 tags x }") == lines(
        """
        service a { port http 80  tags x, y }
        service b {
            port http 80
            tags x
        }
        """
    )


def test_a_block_that_is_too_long_for_a_line_is_opened() -> None:
    text = formatted('gateway edge { hosts "' + "a" * 60 + '", "' + "b" * 60 + '" port https 443 }')

    assert text == lines(
        f"""
        gateway edge {{
            hosts "{"a" * 60}",
                "{"b" * 60}"
            port https 443
        }}
        """
    )
    assert max(map(len, text.splitlines())) <= WIDTH


def test_clauses_never_share_a_line_with_one_of_several_operations() -> None:
    assert formatted("allow a -> b { GET /x\nPOST /y\nwhen has token }") == lines(
        """
        allow a -> b {
            GET  /x
            POST /y
            when has token
        }
        """
    )


def test_reasons_stand_on_one_line_unless_a_comment_is_between_them() -> None:
    assert formatted('allow a -> b {\nbecause "x"\nowner "y"\nuntil 2027-01-31\n}') == lines(
        """
        allow a -> b {
            because "x" owner "y" until 2027-01-31
        }
        """
    )
    assert formatted('allow a -> b {\nbecause "x" # who\nowner "y"\nuntil 2027-01-31\n}') == lines(
        """
        allow a -> b {
            because "x"  # who
            owner "y" until 2027-01-31
        }
        """
    )


def test_comments_stay_where_they_are() -> None:
    assert formatted(
        """
        # first
        #second

        service a { # head
            # inner
            port http 80 # after
            tags x       # this too
            # last
        } # end
        zone z = { a, # one
          # two
          b }
        # very last
        """
    ) == lines(
        """
        # first
        # second

        service a {  # head
            # inner
            port http 80  # after
            tags x        # this too
            # last
        }  # end
        zone z = {
            a,  # one
            # two
            b
        }
        # very last
        """
    )


def test_a_comment_in_the_middle_of_a_line_goes_above_it() -> None:
    assert formatted("allow a # why\n -> b # what\n { GET /x }") == lines(
        """
        # why
        allow a -> b {  # what
            GET /x
        }
        """
    )


def test_a_long_condition_is_broken_between_its_tests() -> None:
    tests = " or ".join(f'header["{"h" * 20}"] == "{number}"' for number in range(5))

    text = formatted(f"deny x: a -> b {{\nwhen {tests}\n}}")

    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.splitlines()[2].startswith("        or header")


def test_a_long_set_is_broken_into_a_member_a_line() -> None:
    members = ", ".join(f"service-number-{number}" for number in range(9))

    assert formatted(f"zone z = {{ {members} }}").splitlines()[:3] == [
        "zone z = {",
        "    service-number-0,",
        "    service-number-1,",
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", "a"),
        ("all", '"all"'),
        ("3scale", '"3scale"'),
        ("a_b", '"a_b"'),
        ('a"b', r'"a\"b"'),
        ("x" * 64, f'"{"x" * 64}"'),
    ],
)
def test_a_name_is_quoted_where_it_must_be(name: str, written: str) -> None:
    assert format_set(Named(Name(name))) == written


@pytest.mark.parametrize("word", ["because", "bypassing", "call", "env", "of", "owner", "until", "with", "within"])
def test_the_first_word_of_a_claim_is_quoted_if_it_could_go_on_the_one_before(word: str) -> None:
    text = f'prove "x" {{\n    "{word}" can reach {word}\n    "{word}" or a is isolated from {word}\n}}\n'

    assert formatted(text) == text


def test_a_set_is_written_on_one_line() -> None:
    braces = Braces((Named(Name("a")), Union((Named(Name("b")), Named(Name("c"))))))

    assert format_set(Except(AllServices(), AtPort(braces, Name("http")))) == "all except { a, b or c }:http"


def test_a_tree_that_nobody_laid_out_gets_groups_by_kind() -> None:
    allow = Rule(Effect.ALLOW, Name("x"), Named(Name("a")), Named(Name("b")))
    zone = format_document(Document((allow, allow)))

    assert zone == "allow x: a -> b\nallow x: a -> b\n"


def test_what_cannot_be_read_is_left_alone_and_explained() -> None:
    result = format_source(SourceFile("x.mesh", "allow a ->"))

    assert result.text is None
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["MP101"]


def test_line_ends_of_windows_become_plain() -> None:
    assert formatted("# a\r\nallow a -> b\r\n\r\nallow c -> d\r\n") == "# a\nallow a -> b\n\nallow c -> d\n"
