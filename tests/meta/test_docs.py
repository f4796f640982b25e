"""What the pages say is so: their policies are policies, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MESHPROOF = Path(sys.executable).parent / "meshproof"
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), *(PROJECT / "benchmarks").glob("*.md")])
TOPS = ("benchmarks", "compiler", "dsl", "policies", "runtime", "targets", "tests", "tools")
FENCE = re.compile(r"^```mesh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        target for target in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / target).exists()
    ]

    assert broken == []


def test_the_policies_on_the_front_page_are_in_the_form_that_fmt_gives(tmp_path: Path) -> None:
    fences = FENCE.findall((PROJECT / "README.md").read_text(encoding="utf-8"))
    for number, text in enumerate(fences):
        (tmp_path / f"page{number}.mesh").write_text(text, encoding="utf-8")

    done = subprocess.run([MESHPROOF, "fmt", "--check", str(tmp_path)], capture_output=True, text=True, check=False)

    assert fences
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_that_the_pages_name_exist() -> None:
    named = {
        name
        for page in PAGES
        if "adr" not in page.parts
        for name in re.findall(
            r"(?<![\w/])meshproof ([a-z]+)\b", "\n".join(re.findall(r"`[^`\n]+`", page.read_text("utf-8")))
        )
    }
    listed = subprocess.run([MESHPROOF, "--help"], capture_output=True, text=True, check=True).stdout

    assert {name for name in named if not re.search(rf"^  {name}\b", listed, re.MULTILINE)} == set()


def test_every_make_target_that_the_pages_name_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))}

    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_every_decision_that_is_referred_to_is_written_down() -> None:
    written = {int(path.name[:4]) for path in (PROJECT / "docs/adr").glob("[0-9]*.md")}
    sources = [*PAGES, *(path for top in TOPS for path in (PROJECT / top).rglob("*.py"))]
    missing = sorted(
        f"{path.relative_to(PROJECT)}: ADR {number}"
        for path in sources
        for number in re.findall(r"\bADR 0*([0-9]+)\b", path.read_text(encoding="utf-8"))
        if int(number) not in written
    )

    assert missing == []
