"""The documentation of a check is its module's docstring, in a fixed form.

The first line is a title. Then come the sections below, in this order, each under a `## ` heading. "Example" and
"Use instead" hold a fence each, `mesh`, or `yaml` of what is found in manifests alone: the first triggers the check,
the second does not, and a test runs both.
`meshproof explain`, the pages of `docs/checks/` and SARIF read the same text.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.checks.check import Check

SECTIONS = ("What it does", "Why it matters", "Example", "Use instead", "Precision", "References")

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(?:mesh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class MalformedDocumentation(ValueError):  # noqa: N818  says what it is
    """A check's docstring is not in the fixed form; the message says how."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """A check's title and sections, in the order of `SECTIONS`."""

    title: str
    sections: tuple[tuple[str, str], ...]

    def section(self, heading: str) -> str:
        """The text below a heading of `SECTIONS`."""
        return dict(self.sections)[heading]

    @property
    def example(self) -> str:
        """The policy that triggers the check."""
        return _fence(self.section("Example"))

    @property
    def use_instead(self) -> str:
        """The policy that does not."""
        return _fence(self.section("Use instead"))

    @property
    def markdown(self) -> str:
        """All sections as Markdown, without the title."""
        return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in self.sections) + "\n"


def documentation_of(check: Check) -> Documentation:
    """The documentation of a check.

    Raises:
        MalformedDocumentation: its module has no docstring in the fixed form.
    """
    return parse_documentation(sys.modules[check.module].__doc__ or "", check.code)


def parse_documentation(docstring: str, code: str) -> Documentation:
    """The title and sections of a docstring.

    Raises:
        MalformedDocumentation: a section is missing, empty, unknown or out of order.
    """
    parts = _HEADING.split(docstring.strip())
    title, headings, texts = parts[0].strip(), tuple(parts[1::2]), tuple(text.strip() for text in parts[2::2])
    if not title or "\n" in title:
        raise MalformedDocumentation(f"{code}: the docstring begins with one line, the title")
    if headings != SECTIONS:
        raise MalformedDocumentation(f"{code}: the sections are {', '.join(SECTIONS)}; here {', '.join(headings)}")
    for heading, text in zip(headings, texts, strict=True):
        if not text:
            raise MalformedDocumentation(f"{code}: section `{heading}` is empty")
    documentation = Documentation(title, tuple(zip(headings, texts, strict=True)))
    for heading in ("Example", "Use instead"):
        if len(_FENCE.findall(documentation.section(heading))) != 1:
            raise MalformedDocumentation(f"{code}: section `{heading}` holds one fence, ```mesh or ```yaml")
    return documentation


def _fence(text: str) -> str:
    match = _FENCE.search(text)
    return match[1] if match else ""
