from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.cli import main

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service catalog { port http 80 -> 8080 }
"""
SETTINGS = """
[policy]
bundle = "policy.json"
[[destination]]
path_prefix = "/catalog"
service = "catalog"
port = 8080
"""


def _run(*arguments: str | Path) -> object:
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    return left.value.code


@pytest.fixture
def config(tmp_path: Path) -> Path:
    mesh = policy_of_texts({"m.mesh": TEXT}).meshes[0]
    (tmp_path / "policy.json").write_bytes(dump(Bundle("digest", "known", enforced(mesh))))
    path = tmp_path / "authz.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def test_help_and_version_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    assert capsys.readouterr().out.startswith("meshproof-proxy ")
    assert _run("authz", "--help") == 0
    assert "--config FILE" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("authz",), ("other",), ("authz", "--config", "a", "--more")])
def test_bad_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert _run(*arguments) == 2


def test_good_settings_are_checked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("authz", "--config", config, "--check") == 0
    assert capsys.readouterr().err == ""


def test_rules_that_ask_others_are_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asking = f'{TEXT}authorizer opa {{ address "opa:9191" }}\nservice other {{ port http 80 -> 8080 }}\n'
    asking += (
        "ask check: anyone -> catalog:http { GET /**  via opa }\nask far: anyone -> other:http { GET /**  via opa }\n"
    )
    mesh = policy_of_texts({"m.mesh": asking}).meshes[0]
    (config.parent / "policy.json").write_bytes(dump(Bundle("digest", "known", enforced(mesh))))
    assert _run("authz", "--config", config, "--check") == 0
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said["event"] == "gap"
    assert said["what"].startswith("rule `check` asks `opa`, whom this authorizer does not ask")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[policy]", "policy.bundle: it is missing"),
        (SETTINGS.replace("policy.json", "none.json"), "none.json` cannot be read: No such file"),
        (SETTINGS.replace("policy.json", "authz.toml"), "authz.toml` is refused: this is no JSON"),
        (SETTINGS.replace('"catalog"', '"other"'), "is refused: the policy declares no service or gateway `other`"),
        (
            f'{SETTINGS}[listen.tls]\ncertificate = "a"\nkey = "b"\nclient_ca = "c"',
            "c` cannot be read: No such file",
        ),
        (
            f'{SETTINGS}[listen.tls]\ncertificate = "authz.toml"\nkey = "b"\nclient_ca = "authz.toml"',
            "b` cannot be read: No such file",
        ),
        (
            f'{SETTINGS}[listen.tls]\ncertificate = "policy.json"\nkey = "policy.json"\nclient_ca = "authz.toml"',
            "authz.toml` is no authority: no certificate or crl found\n",
        ),
        (
            f'{SETTINGS}[telemetry]\ndecision_log = "none/log"',
            "none/log` cannot be written: No such file",
        ),
    ],
)
@pytest.mark.parametrize("more", [(), ("--check",)])
def test_what_is_refused_is_said_in_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], settings: str, message: str, more: tuple[str, ...]
) -> None:
    config.write_text(settings, encoding="utf-8")
    assert _run("authz", "--config", config, *more) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("meshproof-proxy: ")
    assert said.count("\n") == 1
