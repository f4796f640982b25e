"""The tree can be used without the parser, and parsing loads no lark."""

from __future__ import annotations

import subprocess
import sys

import pytest

PARSE = """
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile
assert parse(SourceFile("x", "allow a -> b")).is_sound
"""
TREE = "import meshproof.dsl.ast.document, meshproof.dsl.visitor, meshproof.dsl.problems"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        (TREE, "lark,meshproof.dsl.parser"),
        (PARSE, "lark"),
        ("import meshproof.dsl.loader, meshproof.dsl.format", "lark"),
    ],
)
def test_what_is_not_needed_is_not_loaded(statement: str, absent: str) -> None:
    check = f"{statement}\nimport sys\nprint([name for name in {absent.split(',')!r} if name in sys.modules])"

    output = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout

    assert output.strip() == "[]"
