"""A page of Markdown as text on a terminal: paragraphs broken to its width, examples indented, nothing else changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Style, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.look import Look

_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENT = "    "


def page_text(markdown: str, look: Look) -> str:
    """Paragraphs, lists, headings and fences as text, without a line end at the end."""
    prose = _FENCE.split(markdown.strip())
    parts = [_code(part) if index % 2 else "\n\n".join(_blocks(part, look)) for index, part in enumerate(prose)]
    return "\n\n".join(part for part in parts if part)


def _code(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}".rstrip() for line in text.splitlines())


def _blocks(text: str, look: Look) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("## "):
            yield look.paint(block.removeprefix("## "), Style.STRONG)
        elif block.startswith("- "):
            items = re.split(r"\n(?=- )", block)
            yield "\n".join(f"  {wrapped(' '.join(item.split()), look.width, _INDENT)}" for item in items)
        elif block.startswith(("|", _INDENT)):
            yield block
        elif block:
            yield wrapped(" ".join(block.split()), look.width, "")
