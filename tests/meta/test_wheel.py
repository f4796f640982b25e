"""What is shipped: all of the product as real files, none of the tests; and the sdist builds the same wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDERS = ("dsl", "compiler", "targets", "runtime", "policies")


def _build(kind: str, place: Path, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)],
        cwd=place, check=True, capture_output=True,
    )  # fmt: skip
    return next(out.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("sdist", PROJECT, tmp_path_factory.mktemp("sdist"))


def _sources() -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *FOLDERS],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return {f"meshproof/{name}" for name in listed.split("\0") if name and (PROJECT / name).is_file()}


def test_the_wheel_holds_every_file_of_the_product_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        sizes = {info.filename: info.file_size for info in archive.infolist()}

    assert names == _sources() | {"meshproof/__init__.py", "meshproof/__main__.py", "meshproof/py.typed"}
    assert sizes["meshproof/dsl/grammar.lark"] > 0
    assert not any(info.external_attr >> 28 == 0xA for info in zipfile.ZipFile(wheel).infolist())  # no link


def test_the_wheel_carries_its_licence_and_its_entry_points(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = next(name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        points = archive.read(info).decode()
        licences = {name.rsplit("/", 1)[-1] for name in archive.namelist() if "/licenses/" in name}

    assert "meshproof = meshproof.compiler.cli:main" in points
    assert "[meshproof.targets]" in points
    assert licences == {"LICENSE", "NOTICE"}


def test_the_sdist_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xzf", str(sdist)], cwd=tmp_path, check=True)
    rebuilt = _build("wheel", tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path / "again")

    def contents(path: Path) -> dict[str, int]:
        with zipfile.ZipFile(path) as archive:
            return {info.filename: info.CRC for info in archive.infolist()}

    assert contents(rebuilt) == contents(wheel)
