from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import watchfiles
from click.testing import CliRunner
from tests.unit.compiler.driver.policies import CLAIM, SPY, TEA

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23")


def test_it_is_judged_again_at_each_change_and_the_last_report_gives_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tea.mesh"
    path.write_text(TEA + CLAIM, encoding="utf-8")

    def changes(*watched: str) -> Iterator[None]:
        assert watched == (str(path),)
        path.write_text(TEA + SPY + CLAIM, encoding="utf-8")
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(watchfiles, "watch", changes)
    done = CliRunner().invoke(root, ["prove", str(path), *AS_OF, "--watch"])

    assert done.exit_code == 1
    assert "no findings, 1 claim proved" in done.stdout
    assert "1 claim refuted" in done.stdout


@pytest.mark.parametrize("command", ["check", "prove", "test"])
def test_stdin_cannot_be_watched(command: str) -> None:
    done = CliRunner().invoke(root, [command, "-", *AS_OF, "--watch"], input=TEA)

    assert done.exit_code == 2
    assert "cannot be watched" in done.stderr


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    done = CliRunner().invoke(root, ["check", str(tmp_path), *AS_OF, "--watch"])

    assert done.exit_code == 2
    assert "meshproof[watch]" in done.stderr
