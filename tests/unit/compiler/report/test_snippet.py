"""Source lines with labels: what is drawn, and that it stands under the right characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.report.look import ASCII, Look, Style, width_of
from meshproof.compiler.report.snippet import gutter_of, snippet
from meshproof.dsl.diagnostic import Label
from meshproof.dsl.source import SourceFile, Span

POLICY = """\
mesh x { language 1 }

allow ledger: { web, "日本" } -> ledger:http {
    GET  /a
    POST /b
    when header["x"] == "1"
    because "foo"
    until 2027-01-01
}
deny no-dev: dev -> all
\tallow reports: dev -> ledger:http { GET /reports/** }
"""
FILE = "payments.mesh"


def art(text: str) -> str:
    """The text without the eight blanks that indent it: `dedent` would take the margin of the drawing too."""
    return "".join(line[8:] for line in text.splitlines(keepends=True))


def at(text: str, end: str = "", *, policy: str = POLICY) -> Span:
    """The place of `text`, or from it to the next `end`."""
    start = policy.index(text)
    return Span(FILE, start, policy.index(end, start) + len(end) if end else start + len(text))


def draw(*labels: Label, look: Look = Look(), policy: str = POLICY) -> str:  # noqa: B008  frozen
    return "\n".join(snippet(labels, {FILE: SourceFile(FILE, policy)}, Style.ERROR, look)) + "\n"


def test_two_lines_with_a_label_each() -> None:
    drawn = draw(
        Label(at("allow reports", "}"), is_primary=True),
        Label(at("deny no-dev: dev -> all"), "every request it matches is refused here"),
    )

    assert drawn == art("""\
          ┌─ payments.mesh:11:2
        10│ deny no-dev: dev -> all
          │ ----------------------- every request it matches is refused here
        11│     allow reports: dev -> ledger:http { GET /reports/** }
          │     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        """)


def test_a_block_is_bracketed_and_its_middle_left_out() -> None:
    drawn = draw(Label(at("allow ledger", "}\n"), "the whole rule", is_primary=True), Label(at("POST"), "this line"))

    assert drawn == art("""\
          ┌─ payments.mesh:3:1
         3│ ╭ allow ledger: { web, "日本" } -> ledger:http {
          · │
         5│ │     POST /b
          │ │     ---- this line
          · │
         9│ │ }
          │ ╰──^ the whole rule
        """)


def test_labels_on_one_line_hang_from_it() -> None:
    drawn = draw(
        Label(at("reports"), "this name", is_primary=True),
        Label(at("dev -> ledger"), "those callers"),
        Label(at("GET /reports/**"), "that path"),
    )

    assert drawn == art("""\
          ┌─ payments.mesh:11:8
        11│     allow reports: dev -> ledger:http { GET /reports/** }
          │           ^^^^^^^  -------------        --------------- that path
          │           │        │
          │           │        those callers
          │           this name
        """)


def test_wide_characters_take_two_columns() -> None:
    assert draw(Label(at('"日本"'), "wide", is_primary=True)) == art("""\
          ┌─ payments.mesh:3:22
         3│ allow ledger: { web, "日本" } -> ledger:http {
          │                      ^^^^^^ wide
        """)


def test_the_end_of_the_file_can_be_pointed_at() -> None:
    assert draw(Label(Span(FILE, len(POLICY), len(POLICY)), "here", is_primary=True)) == art("""\
          ┌─ payments.mesh:12:1
        12│
          │ ^ here
        """)


def test_a_file_whose_text_is_not_known_is_named_after_the_primary_one() -> None:
    drawn = draw(Label(Span("a.mesh", 3, 4)), Label(at('"foo"'), is_primary=True))

    assert drawn.splitlines()[0] == "  ┌─ payments.mesh:7:13"
    assert drawn.splitlines()[-1] == "  ┌─ a.mesh"


def test_ascii_where_nothing_else_can_be_shown() -> None:
    drawn = draw(Label(at("allow ledger", "}\n"), "the rule", is_primary=True), look=Look(glyphs=ASCII))

    assert drawn == art("""\
          --> payments.mesh:3:1
         3| / allow ledger: { web, "日本" } -> ledger:http {
          : |
         9| | }
          | \\--^ the rule
        """)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = POLICY + f"deny x: {{ {', '.join(f'service-{n}' for n in range(50))} }} -> all\n"
    drawn = draw(
        Label(at("service-30", policy=long), "one that is named in the middle of a long line", is_primary=True),
        Label(at("allow ledger", "}\n"), "a rule with quite a lot of things to be said about it", is_primary=False),
        look=Look(width),
        policy=long,
    )

    assert "service-30" in drawn
    assert max(map(width_of, drawn.splitlines())) <= width


def test_a_line_of_a_megabyte_is_cut_even_where_lines_are_not_broken() -> None:
    policy = "x" * 500_000 + "HERE" + "y" * 500_000

    drawn = draw(Label(at("HERE", policy=policy), "it", is_primary=True), policy=policy)

    _, line, marks = drawn.splitlines()
    assert len(line) < 500
    assert line[marks.index("^") : marks.index("^") + 4] == "HERE"


def test_colour_changes_nothing_but_colour() -> None:
    labels = (Label(at("reports"), "this name", is_primary=True), Label(at("dev -> ledger"), "those callers"))

    coloured = draw(*labels, look=Look(has_colour=True))

    plain = coloured
    for style in Style:
        plain = plain.replace(f"\x1b[{style.value}m", "")
    assert plain.replace("\x1b[0m", "") == draw(*labels)


def test_the_gutter_is_as_wide_as_the_largest_line_number() -> None:
    source = SourceFile(FILE, "\n" * 1234)

    assert gutter_of([Label(Span(FILE, 1200, 1200))], {FILE: source}) == 4
    assert gutter_of([Label(Span("other", 0, 0))], {FILE: source}) == 2


@given(
    text=st.text(st.characters(codec="utf-8"), max_size=60),
    places=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=4),
    width=st.sampled_from([None, 40, 80]),
)
def test_anything_can_be_drawn(text: str, places: list[tuple[int, int]], width: int | None) -> None:
    labels = [
        Label(Span(FILE, min(place), max(place)), f"text {index}", is_primary=index == 0)
        for index, place in enumerate(places)
    ]

    drawn = draw(*labels, look=Look(width), policy=text)

    assert all(f"text {index}" in drawn for index in range(len(labels)))
    assert all(line.isprintable() for line in drawn.splitlines())
