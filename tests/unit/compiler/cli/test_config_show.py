"""`meshproof config show`: every setting, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import run
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.config.keys import KEYS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "meshproof.toml").write_text(
        '# ours\ntimeout = "500ms"\nignore = ["MP305"]\n[option]\nistio.root-namespace = "mesh"\n', encoding="utf-8"
    )
    return tmp_path


def test_every_key_is_shown_with_its_value_and_origin(folder: Path) -> None:
    done = run("config", "show", folder, variables={"MESHPROOF_JOBS": "3"})

    shown = {line.split(" = ")[0].strip(): line.split(" = ")[1] for line in done.stdout.splitlines()}
    assert list(shown) == [key.name for key in KEYS]
    assert shown["timeout"].split() == ["0.5", "#", "meshproof.toml:2"]
    assert shown["ignore"].split() == ['["MP305"]', "#", "meshproof.toml:3"]
    assert shown["jobs"].split() == ["3", "#", "MESHPROOF_JOBS"]
    assert shown["strict"].split() == ["false", "#", "default"]


def test_as_json_it_fits_its_schema(folder: Path) -> None:
    document = json.loads(run("config", "show", folder, "--output", "json", "--color", "never").stdout)

    settings = {entry["key"]: (entry["value"], entry["origin"]) for entry in document["settings"]}
    assert fits("config-v1", document)
    assert settings["option"] == ({"istio.root-namespace": "mesh"}, "meshproof.toml:4")
    assert settings["color"] == ("never", "--color")
    assert settings["at"] == (None, "default")


def test_without_a_path_it_is_about_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    assert "0.5" in run("config", "show").stdout


def test_a_file_stands_for_its_folder(folder: Path) -> None:
    assert "0.5" in run("config", "show", folder / "policy.mesh").stdout


def test_a_bad_configuration_is_shown_with_its_place(folder: Path) -> None:
    (folder / "meshproof.toml").write_text("jbos = 3\n", encoding="utf-8")

    done = run("config", "show", folder)

    assert done.exit_code == 2
    assert "meshproof.toml:1:1" in done.stdout
