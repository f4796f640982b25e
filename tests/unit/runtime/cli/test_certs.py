from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.runtime.identity.certificates import NOW

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.cli import certs, certs_steps, main
from meshproof.runtime.identity.files import SvidFolder

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
HOUR, DAY = 3600, 86_400


class Shell:
    """The command at a moment that a test sets, in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self.awake: Callable[[], None] = self._interrupt
        monkeypatch.setattr(certs, "time", SimpleNamespace(time=lambda: self.now, sleep=self._sleep))
        self._capsys = capsys

    def run(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        """What it wrote to standard output, and to standard error."""
        with pytest.raises(SystemExit) as left:
            main(["certs", *map(str, arguments)])
        told = self._capsys.readouterr()
        assert left.value.code == code, told.err
        return told.out, told.err

    def json(self, *arguments: str | Path, code: int = 0) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.run(*arguments, "--output", "json", code=code)[0])
        return found

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.awake()

    def _interrupt(self) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    made = Shell(monkeypatch, capsys)
    made.run("init", "ca", "--trust-domain", "shop.example")
    return made


def test_a_workload_gets_what_a_sidecar_takes(shell: Shell) -> None:
    told, _ = shell.run("issue", "ca", "/ns/shop/sa/front", "front", "--host", "localhost", "--hours", "2")

    own = SvidFolder(Path("front")).read().credentials(FRONT)
    assert own.ends == NOW + 2 * HOUR
    assert told == (
        "front\n"
        "  identity      spiffe://shop.example/ns/shop/sa/front\n"
        f"  serial        {own.serial:x}\n"
        "  key           ECDSA secp256r1\n"
        "  hosts         localhost\n"
        "  valid_from    2026-11-23T11:59:00Z\n"
        "  valid_until   2026-11-23T14:00:00Z\n"
        "  certificates  1\n"
        "  trusts        shop.example (1)\n"
    )


def test_show_tells_the_same_for_programs_and_no_secret(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    authority, folder, leaf, bundle = shell.json("show", "ca", "front", "front/svid.0.pem", "front/bundle.0.pem")

    assert authority["trust_domain"] == bundle["trust_domain"] == "shop.example"
    assert authority["for"].startswith("development alone")
    assert folder["identity"] == leaf["identity"] == FRONT.uri
    assert folder["valid_until"] == leaf["valid_until"] == "2026-11-23T13:00:00Z"
    assert "PRIVATE" not in "".join(shell.run("show", "ca", "front"))


def test_show_says_what_is_refused_and_why(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    Path("empty").mkdir()
    Path("text").write_text("x", encoding="utf-8")
    paths = ("front", "front/svid.0.pem", "empty", "text", "none", "front/svid.0.key")

    shell.now += HOUR + 1
    found = shell.json("show", *paths, code=2)

    assert [one.get("refused", "") for one in found] == [
        "it is not valid after 2026-11-23 13:00:00 UTC",
        "it is not valid any more",
        "`empty` has no certificate under a usual name (`svid.0.pem`, `svid.pem`, `tls.crt`, `cert-chain.pem`)",
        "it holds no certificate in PEM",
        "`none` cannot be read: No such file or directory",
        "it holds a block `PRIVATE KEY`, and certificates alone are expected",
    ]
    shell.now = NOW - HOUR
    assert shell.json("show", "front/svid.0.pem", code=2)[0]["refused"] == "it is not valid yet"


def test_rotate_does_what_is_due(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    assert shell.run("rotate", "ca", "front") == ("nothing was due\n", "")

    shell.now += HOUR / 2
    (rotated,) = shell.json("rotate", "ca", "front", "--hours", "3")
    assert rotated["valid_until"] == "2026-11-23T15:30:00Z"

    made, told = shell.json("rotate", "ca", "front", "--now", "--new-authority")
    assert made["authorities"].count("until") == 2
    assert told["trusts"] == "shop.example (2)"


def test_a_folder_that_is_refused_keeps_no_other_one_from_its_turn(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    shell.now += HOUR
    out, told = shell.run("rotate", "ca", "none", "front", code=2)

    assert "identity      spiffe://shop.example/ns/shop/sa/front" in out
    assert told.startswith("meshproof-proxy: `none`: `none` has no certificate under a usual name")
    assert told.count("\n") == 1


def test_watching_sleeps_until_something_is_due_and_says_a_trouble_once(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    serials = [SvidFolder(Path("front")).read().credentials().serial]

    def awake() -> None:
        serials.append(SvidFolder(Path("front")).read().credentials().serial)
        shell.now += HOUR / 2
        if len(shell.slept) == 3:
            raise KeyboardInterrupt

    shell.awake = awake
    out, told = shell.run("rotate", "ca", "front", "none", "--watch")

    assert len(set(serials)) == 3
    assert out.count("identity") == 2
    assert told.count("none` has no certificate") == 1
    assert shell.slept == [60.0, 60.0, 60.0]


def test_watching_looks_again_soon_when_it_must(shell: Shell) -> None:
    shell.run("issue", "ca", FRONT.uri, "front")
    shell.now += HOUR / 2 - 40  # half of an hour that began a minute ago, but for ten seconds

    shell.run("rotate", "ca", "front", "--watch")

    assert shell.slept == [10.0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("init", "ca", "--trust-domain", "shop.example"), "`ca` has an authority already"),
        (("init", "new", "--trust-domain", "Shop"), "`Shop` is no name of a trust domain"),
        (
            ("init", "no/such", "--trust-domain", "a"),
            "`no/such` cannot be opened: there is no folder `no` to make it in",
        ),
        (("issue", "none", "/x", "front"), "`none` cannot be opened: No such file or directory"),
        (("issue", "ca", "x", "front"), "`x` is no SPIFFE ID of a workload"),
        (("issue", "ca", "spiffe://other.example/x", "front"), "is not of the trust domain `shop.example`"),
        (("issue", "ca", "/x", "front", "--host", "a b"), "`a b` is no name of a host"),
        (("issue", "ca", "/x", "link"), "`link` cannot be opened: it is a link"),
        (("rotate", "none"), "`none` cannot be opened: No such file or directory"),
    ],
)
def test_what_is_refused_is_said_in_one_line(shell: Shell, arguments: tuple[str, ...], why: str) -> None:
    Path("link").symlink_to("ca")
    out, told = shell.run(*arguments, code=2)

    assert out == ""
    assert not Path("new").exists()
    assert why in told
    assert told.startswith("meshproof-proxy: ")
    assert told.count("\n") == 1
    assert not Path("front").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("other",),
        ("init", "ca"),
        ("issue", "ca", "/x"),
        ("issue", "ca", "/x", "front", "--hours", "0"),
        ("issue", "ca", "/x", "front", "--hours", "9999999"),
        ("issue", "ca", "/x", "front", "--hours", "1.5"),
        ("init", "new", "--trust-domain", "a", "--days", "-1"),
        ("show",),
    ],
)
def test_bad_usage_is_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    out, told = shell.run(*arguments, code=2)
    assert out == ""
    assert "usage: meshproof-proxy certs" in told


def test_every_step_is_there(shell: Shell) -> None:
    parser = argparse.ArgumentParser()
    certs.CERTS.options(parser)
    asked = (("init", "a", "--trust-domain", "b"), ("issue", "a", "/b", "c"), ("rotate", "a"), ("show", "a"))
    assert {parser.parse_args(one).step for one in asked} == set(certs_steps.STEPS)
    assert "development and tests" in shell.run("--help")[0]
