"""`meshproof fmt`: files in place, or what would change; nothing that is broken is touched."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import run, shell

LOOSE = "# tea\nservice   a { port http 80 } # here\n\n\n\nservice b {port http 80}\n"
TIDY = "# tea\nservice a { port http 80 }  # here\n\nservice b { port http 80 }\n"
BROKEN = "servce a {}\n"
EXAMPLES = Path(__file__).parents[4] / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in the layout, one that is not, and one that is broken."""
    folder = tmp_path / "policy"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "loose.mesh").write_text(LOOSE, encoding="utf-8")
    (folder / "tidy.mesh").write_text(TIDY, encoding="utf-8")
    (folder / "broken.mesh").write_text(BROKEN, encoding="utf-8")
    (folder / "notes.txt").write_text("service   a\n", encoding="utf-8")
    return folder


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    path = tmp_path / "loose.mesh"
    path.write_text(LOOSE, encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_file_is_rewritten_in_place_and_once(loose: Path) -> None:
    first, second = run("fmt", loose), run("fmt", loose)

    assert (first.exit_code, first.stdout) == (0, f"rewrote {loose}\n1 file rewritten\n")
    assert (second.exit_code, second.stdout) == (0, "1 file in the layout already\n")
    assert loose.read_text(encoding="utf-8") == TIDY


def test_a_file_that_is_in_the_layout_is_not_written(loose: Path) -> None:
    run("fmt", loose)
    before = loose.stat()

    run("fmt", loose)

    after = loose.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
def test_permissions_stay(mode: int, loose: Path) -> None:
    loose.chmod(mode)

    run("fmt", loose)

    assert stat.S_IMODE(loose.stat().st_mode) == mode
    assert [path.name for path in loose.parent.iterdir()] == ["loose.mesh"]


def test_a_link_stays_a_link(loose: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.mesh"
    link.symlink_to(loose.name)

    assert run("fmt", link).exit_code == 0

    assert link.is_symlink()
    assert loose.read_text(encoding="utf-8") == TIDY


def test_a_folder_is_formatted_but_for_what_is_broken(folder: Path) -> None:
    before = contents(folder)

    done = run("fmt", folder)

    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        f"rewrote {folder}/inner/loose.mesh",
        "1 file rewritten, 1 file in the layout already, 1 file left alone",
    ]
    assert "error[MP102]: no statement begins with `servce`" in done.stderr
    assert f"{folder}/broken.mesh:1:1" in done.stderr
    assert contents(folder) == {**before, "inner/loose.mesh": TIDY.encode()}


@pytest.mark.parametrize("flag", ["--check", "--diff"])
def test_nothing_is_written_where_only_a_look_is_asked_for(flag: str, folder: Path) -> None:
    (folder / "broken.mesh").unlink()
    before = contents(folder)

    done = run("fmt", flag, folder)

    assert done.exit_code == 1
    assert "loose.mesh" in done.stdout
    assert "tidy.mesh" not in done.stdout
    assert contents(folder) == before


@pytest.mark.parametrize("flag", ["--check", "--diff"])
def test_what_is_in_the_layout_ends_with_0(flag: str, folder: Path) -> None:
    done = run("fmt", flag, folder / "tidy.mesh")

    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize("flags", [(), ("--check",), ("--diff",)])
def test_a_broken_file_ends_with_2_whatever_is_asked_for(flags: tuple[str, ...], folder: Path) -> None:
    assert run("fmt", *flags, folder).exit_code == 2


def test_check_names_what_would_change(folder: Path) -> None:
    done = run("fmt", "--check", folder / "inner", folder / "tidy.mesh")

    assert done.stdout.splitlines() == [
        f"would change: {folder}/inner/loose.mesh",
        "1 file would change, 1 file in the layout already",
    ]


@pytest.mark.parametrize("text", [LOOSE, LOOSE.removesuffix("\n"), LOOSE.replace("\n", "\r\n"), "\n\n"])
def test_a_diff_is_one_that_patch_can_apply(text: str, tmp_path: Path) -> None:
    path = tmp_path / "loose.mesh"
    path.write_bytes(text.encode())
    diff = run("fmt", "--diff", path).stdout_bytes
    assert diff

    subprocess.run(["patch", "--binary", "--quiet", str(path)], input=diff, check=True)

    assert run("fmt", "--check", path).exit_code == 0


def test_a_diff_in_colour_marks_what_comes_and_goes(loose: Path) -> None:
    lines = run("fmt", "--diff", "--color", "always", loose).stdout.splitlines()

    assert "\x1b[1;31m-service   a { port http 80 } # here\x1b[0m" in lines
    assert "\x1b[32m+service a { port http 80 }  # here\x1b[0m" in lines


def test_stdin_goes_to_stdout() -> None:
    done = run("fmt", "-", text=LOOSE)

    assert (done.exit_code, done.stdout, done.stderr) == (0, TIDY, "")


def test_text_from_stdin_is_utf_8_whatever_the_terminal_can_show(loose: Path) -> None:
    loose.write_text("# th\xe9\n", encoding="utf-8")

    done = shell('PYTHONIOENCODING=ascii "$0" fmt - <"$1"', loose)

    assert done.stdout == "# th\xe9\n"


def test_stdin_can_be_looked_at() -> None:
    check, diff = run("fmt", "--check", "-", text=LOOSE), run("fmt", "--diff", "-", text=LOOSE)

    assert (check.exit_code, check.stdout) == (1, "would change: <stdin>\n")
    assert diff.exit_code == 1
    assert diff.stdout.startswith("--- <stdin>\n+++ <stdin>\n")


def test_broken_text_from_stdin_is_not_written_out() -> None:
    done = run("fmt", "-", text=BROKEN)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "<stdin>:1:1" in done.stderr


def test_stdin_stands_alone(loose: Path) -> None:
    done = run("fmt", "-", loose, text=LOOSE)

    assert (done.exit_code, done.stdout) == (2, "")
    assert loose.read_text(encoding="utf-8") == LOOSE


def test_quiet_says_nothing_but_what_is_wrong(folder: Path) -> None:
    done = run("fmt", "-q", folder)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "MP102" in done.stderr


def test_a_file_that_is_named_twice_is_formatted_once(loose: Path, tmp_path: Path) -> None:
    (tmp_path / "again.mesh").symlink_to(loose.name)

    done = run("fmt", loose, tmp_path, tmp_path / "again.mesh")

    assert done.stdout.splitlines()[-1] == "1 file rewritten"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.mesh", "nowhere.mesh` cannot be read: no such file or directory"),
        ("empty", "holds no policy file"),
        ("pipe.mesh", "pipe.mesh` cannot be read: it is no file"),
        ("wide.mesh", "wide.mesh` is UTF-16"),
        ("zero.mesh", "zero.mesh` is no text"),
        ("large.mesh", "large.mesh` is larger than 8 MiB"),
    ],
)
def test_what_cannot_be_read_is_left_alone(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.mesh")
    (tmp_path / "wide.mesh").write_bytes("mesh".encode("utf-16"))
    (tmp_path / "zero.mesh").write_bytes(b"me\0sh")
    with (tmp_path / "large.mesh").open("wb") as file:
        file.truncate(8 * 1024 * 1024 + 1)

    done = run("fmt", tmp_path / name)

    assert (done.exit_code, done.stdout) == (2, "1 file left alone\n")
    assert said in done.stderr
    assert "1\N{BOX DRAWINGS LIGHT VERTICAL}" not in done.stderr


def test_a_file_that_cannot_be_written_is_said_and_the_others_go_on(
    loose: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, mode: int) -> bool:
        return mode != os.W_OK or Path(path).parent != loose.parent

    monkeypatch.setattr("os.access", refuse)

    done = run("fmt", loose, folder / "inner")

    assert done.exit_code == 2
    assert done.stderr == f"cannot write {loose}: permission denied\n"
    assert done.stdout.splitlines()[0] == f"rewrote {folder}/inner/loose.mesh"
    assert loose.read_text(encoding="utf-8") == LOOSE


def test_a_setting_bounds_what_is_read(loose: Path) -> None:
    done = run("fmt", loose, variables={"MESHPROOF_MAX_FILE_BYTES": "10"})

    assert done.exit_code == 2
    assert "is larger than 10 bytes" in done.stderr


def test_what_is_shipped_is_in_the_layout() -> None:
    done = run("fmt", "--check", EXAMPLES)

    assert done.exit_code == 0, done.stdout
