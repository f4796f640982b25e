"""`meshproof completion`, and what a shell is told when the key is pressed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import MESHPROOF, clean, run, start

from meshproof.compiler.cli.root import COMMANDS


def completed(*words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    variables = {
        "_MESHPROOF_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("meshproof", *words)),
        "COMP_CWORD": str(len(words)),
    }
    return [line.partition(",")[2] for line in start(variables=variables).stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_command_itself(shell: str) -> None:
    done = run("completion", shell)

    assert (done.exit_code, done.stderr) == (0, "")
    assert f"_MESHPROOF_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).stdout, encoding="utf-8")

    done = subprocess.run([program, "-n", str(script)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = tmp_path / "script"
    script.write_text(run("completion", "bash").stdout, encoding="utf-8")
    line = '. "$1"; COMP_WORDS=(meshproof exp); COMP_CWORD=1; _meshproof_completion "$2"; echo "${COMPREPLY[@]}"'

    done = subprocess.run(
        [bash, "-c", line, "-", script, MESHPROOF], env=clean(None), capture_output=True, text=True, check=True
    )

    assert done.stdout == "explain\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), list(COMMANDS)),
        (("co",), ["compile", "config", "completion"]),
        (("check", "--fail"), ["--fail-level"]),
        (("check", "--color", "a"), ["auto", "always"]),
        (("explain", "MP40"), [f"MP40{number}" for number in range(1, 10)]),
        (("explain", "shad"), ["shadowed"]),
        (("config", ""), ["show"]),
        (("xyzzy",), []),
    ],
)
def test_what_is_offered(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_a_shell_that_is_not_known_is_refused() -> None:
    done = run("completion", "tcsh")

    assert done.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


def test_no_setting_keeps_a_shell_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meshproof.toml").write_text("jbos = 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert run("completion", "zsh", variables={"MESHPROOF_JOBS": "many"}).exit_code == 0
