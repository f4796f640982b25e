from __future__ import annotations

import pytest

from meshproof.compiler.checks.documentation import SECTIONS, MalformedDocumentation, parse_documentation

TITLE = "A rule that does nothing\n\n"
FENCES = {"Example": "```mesh\nservice a { }\n```", "Use instead": "Write:\n\n```mesh\nservice b { }\n```"}


def docstring(title: str = TITLE, **changed: str) -> str:
    texts = {heading: FENCES.get(heading, f"About {heading}.") for heading in SECTIONS} | changed
    return title + "\n\n".join(f"## {heading}\n\n{text}" for heading, text in texts.items())


def test_the_sections_and_the_policies_in_them() -> None:
    found = parse_documentation(docstring(), "MP399")

    assert found.title == "A rule that does nothing"
    assert [heading for heading, _ in found.sections] == list(SECTIONS)
    assert found.section("Precision") == "About Precision."
    assert found.example == "service a { }\n"
    assert found.use_instead == "service b { }\n"
    assert found.markdown.startswith("## What it does\n\nAbout What it does.\n\n## Why it matters\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with one line"),
        (docstring("Two\nlines\n\n"), "begins with one line"),
        (docstring().replace("## Precision", "## Exactness"), "the sections are"),
        (docstring(**{"Why it matters": " "}), "section `Why it matters` is empty"),
        (docstring(Example="```\nservice a { }\n```"), "section `Example` holds one"),
        (docstring(**{"Use instead": f"{FENCES['Example']}\n{FENCES['Example']}"}), "section `Use instead` holds one"),
    ],
)
def test_another_form_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(MalformedDocumentation, match=f"MP399: .*{complaint}"):
        parse_documentation(text, "MP399")
