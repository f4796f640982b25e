"""Files stay small enough to be read in one go."""

from __future__ import annotations

from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parents[2]
PRODUCT = ("dsl", "compiler", "targets", "runtime", "policies", "src/meshproof")


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _product() -> dict[Path, int]:
    # `rglob` does not walk through links, so each file is counted once.
    return {path: _lines(path) for folder in PRODUCT for path in (PROJECT / folder).rglob("*.py")}


def test_half_of_the_product_is_files_of_at_most_150_lines() -> None:
    sizes = [lines for path, lines in _product().items() if path.name != "__init__.py"]

    assert median(sizes) <= 150


def test_no_file_has_more_than_600_lines() -> None:
    others = [path for folder in ("tests", "tools", "benchmarks") for path in (PROJECT / folder).rglob("*.py")]
    too_long = {
        str(path.relative_to(PROJECT)): lines
        for path, lines in (_product() | {path: _lines(path) for path in others}).items()
        if lines > 600
    }

    assert too_long == {}
