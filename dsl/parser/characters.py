"""Characters that hide what a text says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.problems import found
from meshproof.dsl.source import SourceFile, Span

MAX_FINDINGS = 20

# Controls but for tab and line ends (a lone carriage return is none: it overwrites the line on a terminal), line and
# paragraph separators, marks, embeddings and isolates of bidirectional text, zero-width and other invisible characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]|\r(?!\n)"
)


def hidden_characters(source: SourceFile) -> Iterator[Diagnostic]:
    """A finding for each such character, wherever it stands; the first of many."""
    for count, match in enumerate(_HIDDEN.finditer(source.text)):
        if count == MAX_FINDINGS:
            return
        yield found(
            "MP107",
            f"the text holds the hidden character {_name(match[0])}",
            Span(source.path, match.start(), match.end()),
            "does not show",
            help="delete it; in a string write `\\u{…}` with its number",
        )


def _name(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")
