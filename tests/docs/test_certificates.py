"""The examples of docs/operations/certificates.md print what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from meshproof.runtime.cli import certs, main
from meshproof.runtime.identity.files import USUAL_NAMES
from meshproof.runtime.telemetry.metrics.catalogue import BY_NAME

PAGE = (Path(__file__).parents[2] / "docs/operations/certificates.md").read_text(encoding="utf-8")
NOW = 1_795_435_200.0  # 2026-11-23T12:00:00Z
_SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_SERIAL = re.compile(r"\b[0-9a-f]{30,40}\b")


def test_the_examples_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(certs, "time", SimpleNamespace(time=lambda: NOW, sleep=None))
    steps = [step for session in _SESSION.findall(PAGE) for step in _STEP.findall(session)]
    assert len(steps) == 4
    for command, said in steps:
        program, *arguments = shlex.split(command)
        with pytest.raises(SystemExit) as left:
            main(arguments)
        told = capsys.readouterr()
        assert (program, told.err) == ("meshproof-proxy", "")
        assert _SERIAL.sub("#", told.out) == _SERIAL.sub("#", said)
        assert left.value.code == (2 if "refused" in said else 0)


def test_every_name_of_a_file_and_of_a_metric_is_one() -> None:
    for names in USUAL_NAMES:
        assert f"(`{'`, `'.join(names)}`" in PAGE
    named = set(re.findall(r"\bmeshproof_[a-z_]+", PAGE))
    assert named <= set(BY_NAME)
    assert len(named) == 3
