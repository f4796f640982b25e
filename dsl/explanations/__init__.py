"""What a code means, at more length than the ledger's sentence, where no check documents it.

One Markdown file a kind of code, a section a code. Where a section holds two policies, the first has the finding and
the second does not: a test runs both.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_SECTION = re.compile(r"^## (MP\d{3})$", re.MULTILINE)


def explanation_of(code: str) -> str | None:
    """The Markdown text about a code; None if there is none."""
    return _explanations().get(code)


@cache
def _explanations() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".md"):
            _, *parts = _SECTION.split(file.read_text(encoding="utf-8"))
            found.update(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return found
