"""The example of docs/targets/app-mesh-native.md compiles to what the page shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.console import fences

from meshproof.runtime.net.material.policy import PolicyMaterial, load_policy
from meshproof.runtime.settings_run_file import read_run_settings

FENCES = dict(fences((Path(__file__).parents[2] / "docs/targets/app-mesh-native.md").read_text(encoding="utf-8")))


def _compiled(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.mesh").write_text(FENCES["mesh"], encoding="utf-8")
    command = [str(Path(sys.executable).with_name("meshproof")), "compile", "shop.mesh", "--target", "app-mesh"]
    given = [*command, "--at", "2026-11-26", "--out", "out", *options]
    without_width = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(given, cwd=folder, env=without_width, capture_output=True, text=True, check=False)


def test_it_stops_at_the_rule(tmp_path: Path) -> None:
    done = _compiled(tmp_path)
    assert done.returncode == 1, done.stderr
    assert FENCES[""] in done.stdout
    assert done.stdout.count("error[") == 1
    assert not (tmp_path / "out").exists()


def test_what_is_handed_over_is_written(tmp_path: Path) -> None:
    done = _compiled(tmp_path, "--option", "app-mesh.residue=native")
    assert done.returncode == 0, done.stdout
    native = tmp_path / "out" / "native"
    assert sorted(one.name for one in native.iterdir()) == ["orders_shop.toml", "policy.json"]
    assert (native / "orders_shop.toml").read_text(encoding="utf-8") == FENCES["toml"]
    settings = read_run_settings(native / "orders_shop.toml")
    bundle = load_policy(PolicyMaterial((native / "policy.json").read_bytes()), settings).bundle
    assert [one.id for one in bundle.mesh.rules] == ["order"]


@pytest.mark.parametrize("option", ["app-mesh.residue=else", "app-mesh.native.application-offset=0"])
def test_an_option_that_is_none_of_its_values_is_refused(option: str, tmp_path: Path) -> None:
    done = _compiled(tmp_path, "--option", option)
    assert done.returncode == 1
    assert "error[MP709]" in done.stdout
