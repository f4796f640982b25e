"""Reading the language reference: its policies with what completes them, its lists of words and its tables.

In the source of the page `<!-- preamble … -->` completes the parts of policies that follow, `<!-- file PATH … -->` is a
file that they may use, and `<!-- words: NAME -->` stands before a list of words in backticks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).parents[2] / "docs" / "language.md"
TEXT = PATH.read_text(encoding="utf-8")

_PIECE = re.compile(
    r"^```mesh(?: error=(?P<codes>[A-Z0-9,]+))?\n(?P<fence>.*?)^```$"
    r"|^<!-- preamble\n(?P<preamble>.*?)^-->$"
    r"|^<!-- file (?P<file>\S+)\n(?P<text>.*?)^-->$"
    r"|^#+ (?P<title>[^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
_IS_WHOLE = re.compile(r"^mesh\s+\S+\s*\{", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Example:
    """A fence; `codes` are the errors that it shows, `before` is what completes it, `files` are what it may use."""

    title: str
    text: str
    codes: tuple[str, ...]
    before: str
    files: tuple[tuple[str, str], ...]

    @property
    def texts(self) -> dict[str, str]:
        """The files of the policy."""
        used = {path: text for path, text in self.files if f'use "{path}"' in self.text}
        whole = self.text if _IS_WHOLE.search(self.text) else f"{self.before}\n{self.text}"
        return {"policy.mesh": whole, **used}


def examples() -> tuple[Example, ...]:
    """The fences of the page in order."""
    found: list[Example] = []
    title, before = "", ""
    files: list[tuple[str, str]] = []
    for piece in _PIECE.finditer(TEXT):
        if piece["title"] is not None:
            title = piece["title"]
        elif piece["preamble"] is not None:
            before = piece["preamble"]
        elif piece["file"] is not None:
            files.append((piece["file"], piece["text"]))
        else:
            codes = tuple((piece["codes"] or "").split(",")) if piece["codes"] else ()
            found.append(Example(title, piece["fence"], codes, before, tuple(files)))
    return tuple(found)


def words(name: str) -> list[str]:
    """The words in backticks of the paragraph behind `<!-- words: NAME -->`, up to the next such comment."""
    behind = TEXT.partition(f"<!-- words: {name} -->\n")[2]
    paragraph = re.split(r"\n\n|\n<!--", behind, maxsplit=1)[0]
    listed = paragraph.rpartition(": ")[2] if paragraph.startswith(("In a", "As the")) else paragraph
    return _CODE.findall(listed)


def table(heading: str) -> list[tuple[list[str], ...]]:
    """The rows of the table whose first line is `heading`: of each cell what is in backticks, or its text alone."""
    lines = TEXT.partition(f"{heading}\n")[2].splitlines()[1:]
    rows: list[tuple[list[str], ...]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        rows.append(tuple(_CODE.findall(cell) or ([cell] if cell else []) for cell in cells))
    return rows
