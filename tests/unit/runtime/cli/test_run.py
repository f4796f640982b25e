"""`meshproof-proxy run`, as a shell sees it."""

from __future__ import annotations

import json
import resource
from argparse import ArgumentParser
from pathlib import Path

import pytest
from tests.unit.runtime.net.material.given_files import Files, bundle, files

from meshproof.runtime.cli.run import RUN
from meshproof.runtime.tables import SettingError

FEW = "[limits]\nconnections = 100\n"
"""So many that the descriptors suffice wherever tests run."""


def _run(found: Files, *arguments: str) -> int:
    parser = ArgumentParser()
    RUN.options(parser)
    return RUN.run(parser.parse_args(["--config", str(found.config), *arguments]))


def test_what_is_good_is_said_by_the_exit_code_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(files(tmp_path, FEW), "--check") == 0
    assert capsys.readouterr() == ("", "")


def test_more_connections_than_descriptors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = files(tmp_path, "[limits]\nconnections = 1000000\n")
    assert _run(found, "--check") == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    is_told = hard != resource.RLIM_INFINITY and hard < 1_000_256
    assert [one["event"] for one in said] == ["gap"] * is_told
    assert all(f"a process may have {hard} descriptors" in one["what"] for one in said)


def test_what_does_not_fit_is_told_and_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = files(tmp_path, '[[outbound]]\ndestination = "front"\nport = 8080\nlisten = "127.0.0.1:0"\n' + FEW)
    assert _run(found, "--check") == 0
    said = json.loads(capsys.readouterr().err)
    assert said["event"] == "gap"
    assert said["what"].startswith("there are no endpoints of `front:8080`")


def test_settings_that_are_broken_are_refused_with_a_place(tmp_path: Path) -> None:
    found = files(tmp_path, "[proces]\nworkers = 2\n")
    with pytest.raises(SettingError, match=r"run\.toml: proces: this key is not known, did you mean `process`"):
        _run(found, "--check")


@pytest.mark.parametrize(
    "more",
    [
        '[telemetry]\naccess_log = "none/log"\n',
        '[telemetry]\ndecision_log = "none/log"\n',
        '[telemetry.emf]\nnamespace = "a"\nfile = "none/log"\n',
    ],
)
def test_a_log_that_could_not_be_written_is_found_by_a_check(tmp_path: Path, more: str) -> None:
    found = files(tmp_path, more + FEW)
    with pytest.raises(SettingError, match=r"none/log` cannot be written: No such file or directory"):
        _run(found, "--check")
    (tmp_path / "none").mkdir()
    assert _run(found, "--check") == 0
    assert list((tmp_path / "none").iterdir()) == []


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_what_is_not_good_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    found = files(tmp_path)
    found.write_policy(bundle()[:-40])
    assert _run(found, *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"meshproof-proxy: `{found.policy}` is refused: ")
    assert said.count("\n") == 1
