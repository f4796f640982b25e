"""`meshproof doctor`: every part is tried, and what is missing is said."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import pytest
from tests.unit.compiler.cli.running import run
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.backend.registry import BrokenTargetError
from meshproof.compiler.cli.commands.doctor import NEEDED, examine

PACKAGES = [name for name, _, _ in NEEDED]


def test_here_everything_that_is_needed_is_well() -> None:
    done = run("doctor")

    assert done.exit_code == 0, done.stdout
    assert [
        name for name in (*PACKAGES, "Python", "meshproof", "target istio") if f"✓ {name} " not in done.stdout
    ] == []


def test_as_json_it_fits_its_schema() -> None:
    document = json.loads(run("doctor", "--output", "json").stdout)

    assert fits("doctor-v1", document)
    assert [part["name"] for part in document["parts"]] == [part.name for part in examine()]


def test_a_package_that_is_not_installed_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        if package == "z3-solver":
            raise PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr("meshproof.compiler.cli.commands.doctor.version", missing)

    done = run("doctor")

    assert done.exit_code == 2
    assert "✗ z3-solver" in done.stdout
    assert "proofs: missing" in done.stdout


def test_a_package_that_does_not_load_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: str) -> None:
        if module == "z3":
            raise OSError("libz3.so: cannot open")

    monkeypatch.setattr("meshproof.compiler.cli.commands.doctor.import_module", broken)

    done = run("doctor", "--output", "json")

    parts = {part["name"]: part for part in json.loads(done.stdout)["parts"]}
    assert done.exit_code == 2
    assert parts["z3-solver"]["trouble"] == "cannot be loaded: libz3.so: cannot open"
    assert parts["lark"]["trouble"] is None


def test_a_target_that_does_not_load_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise BrokenTargetError(f"the target `{name}` cannot be loaded")

    monkeypatch.setattr("meshproof.compiler.cli.commands.doctor.load", broken)

    done = run("doctor")

    assert done.exit_code == 2
    assert "compile --target istio: the target `istio` cannot be loaded" in done.stdout


def test_without_a_target_nothing_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshproof.compiler.cli.commands.doctor.names", tuple)

    done = run("doctor")

    assert done.exit_code == 2
    assert "compiling: missing" in done.stdout


def test_a_python_that_is_too_old_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 1))

    assert "3.11 or newer: too old" in run("doctor").stdout


def test_what_is_only_useful_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)

    done = run("doctor")

    assert done.exit_code == 0
    assert "· kubectl" in done.stdout


def test_an_extra_that_is_not_installed_is_said_and_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        if package == "cvc5":
            raise PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr("meshproof.compiler.cli.commands.doctor.version", missing)

    done = run("doctor")

    assert done.exit_code == 0
    assert "prove --cross-check: not there" in done.stdout
