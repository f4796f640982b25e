"""Make dsl/parser/table.json from dsl/grammar.lark; with `--check`, only say whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

from meshproof.dsl.parser.table import TABLE, grammar_text, make

TARGET = Path(__file__).parents[1] / "dsl" / TABLE


def main(arguments: list[str]) -> int:
    """0 if the table is current, or was written."""
    made = make(grammar_text())
    current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == made
    if "--check" in arguments:
        print("current" if current else f"{TARGET} is not current: run `python -m tools.grammar_table`")
        return 0 if current else 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
