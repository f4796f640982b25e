from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.strategies.building import mesh

from meshproof.compiler.ir.bundle import Bundle, dump
from meshproof.runtime.cli import main

DATA = dump(Bundle("sha256:ab", "known", mesh()))


def _run(*arguments: str | Path) -> object:
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    return left.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.json").write_bytes(DATA)
    assert _run("keygen", tmp_path / "own") == 0
    assert _run("keygen", tmp_path / "other") == 0
    return tmp_path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_signed_is_verified_by_its_key_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signed = folder / "signed.json"
    assert _run("sign", folder / "policy.json", "--key", folder / "own.key", "--out", signed) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "sha256:ab"
    assert _run("verify", signed, "--key", folder / "own.pub") == 0
    assert _run("verify", signed, "--key", folder / "other.pub", "--key", folder / "own.pub") == 0
    assert capsys.readouterr().out == "sha256:ab\nsha256:ab\n"
    assert _run("verify", signed, "--key", folder / "other.pub") == 2
    assert "none of the keys that are trusted has signed it" in capsys.readouterr().err
    signed.write_bytes(signed.read_bytes().replace(b"A", b"B", 1))
    assert _run("verify", signed, "--key", folder / "own.pub") == 2
    assert _run("verify", folder / "policy.json", "--key", folder / "own.pub") == 2


def test_a_bundle_is_signed_in_its_place(folder: Path) -> None:
    bundle = folder / "policy.json"
    assert _run("sign", bundle, "--key", folder / "own.key", "--out", bundle) == 0
    assert _run("verify", bundle, "--key", folder / "own.pub") == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "other.key", "other.pub", "own.key", "own.pub", "policy.json",
    ]  # fmt: skip


def test_a_private_key_is_read_by_nobody_else_and_never_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, public = folder / "own.key", folder / "own.pub"
    before = key.read_bytes(), public.read_bytes()
    assert (_mode(key), _mode(public)) == (0o600, 0o644)
    assert _run("keygen", folder / "own") == 2
    key.rename(folder / "away")
    assert _run("keygen", folder / "own") == 2
    assert not key.exists()
    assert ((folder / "away").read_bytes(), public.read_bytes()) == before
    assert "is there already, and no key is written over" in capsys.readouterr().err


def test_a_key_that_others_may_read_signs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own.key").chmod(0o640)
    assert _run("sign", folder / "policy.json", "--key", folder / "own.key", "--out", folder / "out") == 2
    assert "others may read" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_public_key_is_not_told_to_be_hidden(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("sign", folder / "policy.json", "--key", folder / "own.pub", "--out", folder / "out") == 2
    assert capsys.readouterr().err == f"meshproof-proxy: `{folder / 'own.pub'}`: this is no private key in PEM\n"


@pytest.mark.parametrize(
    ("bundle", "key", "message"),
    [
        ("own.pub", "own.key", "is not signed: "),
        ("missing", "own.key", "No such file"),
        ("policy.json", "missing", "No such file"),
        ("policy.json", "private.pem", "this is no private key in PEM"),
    ],
)
def test_what_cannot_be_signed_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], bundle: str, key: str, message: str
) -> None:
    (folder / "private.pem").write_bytes(b"x")
    (folder / "private.pem").chmod(0o600)
    assert _run("sign", folder / bundle, "--key", folder / key, "--out", folder / "out") == 2
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_folder_that_is_not_there_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("keygen", folder / "none" / "own") == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    out = folder / "none" / "out"
    assert _run("sign", folder / "policy.json", "--key", folder / "own.key", "--out", out) == 2
    assert f"`{out}`: No such file or directory" in capsys.readouterr().err
