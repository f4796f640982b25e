"""Markdown pages as text."""

from __future__ import annotations

from meshproof.compiler.report.look import Look
from meshproof.compiler.report.page_text import page_text

PAGE = """\
## What it does

A paragraph that stands on
several lines of the source.

- one item that is long enough to be broken
  over two lines
- another

```mesh
service a { port http 80 }

allow x: a -> a
```

| a | b |
|---|---|
"""


def test_paragraphs_are_joined_and_examples_indented() -> None:
    assert (
        page_text(PAGE, Look())
        == """\
What it does

A paragraph that stands on several lines of the source.

  - one item that is long enough to be broken over two lines
  - another

    service a { port http 80 }

    allow x: a -> a

| a | b |
|---|---|"""
    )


def test_lines_are_broken_to_the_width() -> None:
    lines = page_text(PAGE, Look(40)).splitlines()

    assert max(map(len, lines)) <= 40
    assert "    service a { port http 80 }" in lines


def test_headings_are_strong_where_there_is_colour() -> None:
    assert page_text("## Why", Look(has_colour=True)) == "\x1b[1mWhy\x1b[0m"
