"""`meshproof init DIR`: a policy that is sound, and never over one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import AS_OF, run


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_the_policy_is_sound_in_every_respect(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "shop"

    assert run("init", folder).exit_code == 0

    done = run("check", folder, *AS_OF, "--strict", "--fail-level", "info", "--output", "json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0, done.stdout
    assert report["findings"] == []
    assert {claim["verdict"] for claim in report["claims"]} == {"proved"}
    assert report["tests"]["passed"] == len(report["tests"]["lines"]) > 0


def test_the_policy_is_in_the_layout_tested_whole_and_compiles(tmp_path: Path) -> None:
    run("init", tmp_path / "shop")

    assert run("fmt", "--check", tmp_path / "shop").exit_code == 0
    assert "MP607" not in run("test", tmp_path / "shop", *AS_OF, "--coverage").stdout
    compiled = run("compile", tmp_path / "shop", *AS_OF, "--target", "istio", "--out", tmp_path / "out")
    assert compiled.exit_code == 0, compiled.output


def test_the_next_steps_are_commands_that_work(tmp_path: Path) -> None:
    done = run("init", tmp_path / "my shop")

    lines = done.stdout.splitlines()
    assert lines[0] == f"wrote {tmp_path}/my shop/policy.mesh"
    assert [line.split("meshproof ")[1].split()[0] for line in lines if "meshproof " in line] == [
        "check",
        "fmt",
        "compile",
    ]
    assert f"meshproof check '{tmp_path}/my shop'" in done.stdout


@pytest.mark.parametrize(("name", "mesh"), [("tea", "tea"), ("Tea House", "shop"), ("all", "shop"), ("web", "web")])
def test_the_mesh_is_called_as_the_folder_where_that_is_a_name(name: str, mesh: str, tmp_path: Path) -> None:
    run("init", tmp_path / name)

    assert run("check", tmp_path / name, *AS_OF).stdout.splitlines()[-1].startswith(f"{mesh} as of")


def test_a_folder_with_other_things_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours", encoding="utf-8")

    assert run("init", tmp_path).exit_code == 0

    assert contents(tmp_path)["README.md"] == "ours"
    assert set(contents(tmp_path)) == {"README.md", "policy.mesh"}


@pytest.mark.parametrize("name", ["policy.mesh", "other.mesh"])
def test_a_policy_that_is_there_is_never_written_over_or_mixed_with(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("# ours\n", encoding="utf-8")

    done = run("init", tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{tmp_path}/{name} is there already" in done.stderr
    assert contents(tmp_path) == {name: "# ours\n"}


def test_a_link_in_the_place_of_the_policy_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "policy.mesh").symlink_to(tmp_path / "elsewhere")

    assert run("init", folder).exit_code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")

    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        done = run("init", place)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"cannot write into {place}: " in done.stderr

    assert contents(tmp_path) == {"file": "kept"}


def test_quiet_says_nothing_and_a_folder_is_needed(tmp_path: Path) -> None:
    assert run("init", "-q", tmp_path / "a").stdout == ""
    assert run("init").exit_code == 2
