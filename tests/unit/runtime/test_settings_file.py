from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.settings import Limits, Listen, TlsSettings
from meshproof.runtime.settings_file import read_settings
from meshproof.runtime.settings_run import PolicyFiles, TelemetrySettings, TokenKeys
from meshproof.runtime.tables import SettingError

SCHEMA = json.loads((Path(__file__).parents[3] / "runtime/authz.schema.json").read_text(encoding="utf-8"))
POLICY = '[policy]\nbundle = "policy.json"\n'
PLACE = '[[destination]]\npath_prefix = "/catalog"\nservice = "catalog"\nport = 8080\n'
LEAST = POLICY + PLACE
TLS = '[listen.tls]\ncertificate = "a.pem"\nkey = "a.key"\nclient_ca = "ca.pem"\n'
MOST = (
    f'{POLICY}trusted_keys = ["a.pub"]\nminimum_revision = 7\nrevision_file = "revision"\n'
    f'[listen]\naddress = "0.0.0.0"\nport = 1\n{TLS}clients = ["spiffe://a/b"]\n'
    f'[admin]\naddress = "::1"\nport = 0\n{PLACE}headers = ["X-Role"]\ntakes_plaintext = true\n'
    f'verified_payload = "payload"\n[grpc]\naddress = "0.0.0.0"\nport = 2\n{TLS.replace("listen", "grpc")}'
    '[[tokens]]\nissuer = "login"\njwks_file = "keys.json"\n'
    '[[tokens]]\nissuer = "other"\njwks_url = "https://other.example/keys"\n'
    '[telemetry]\ndecision_log = "d.jsonl"\ndecision_log_key = "d.key"\ndecision_log_headers = ["X-Team"]\n'
    'decision_log_masked = ["path"]\n'
    "[limits]\nhead_bytes = 2048\nheaders = 8\nconnections = 3\nhead_seconds = 4\nidle_seconds = 5\ndrain_seconds = 0\n"
)


def _file(folder: Path, text: str) -> Path:
    path = folder / "authz.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_file_listens_at_loopback(tmp_path: Path) -> None:
    found = read_settings(_file(tmp_path, LEAST))
    assert found.policy.bundle == tmp_path / "policy.json"
    assert found.destinations == (Destination("/catalog", "catalog", 8080),)
    assert (found.listen, found.admin, found.limits) == (Listen("127.0.0.1", 9191), None, Limits())


def test_every_key_is_kept(tmp_path: Path) -> None:
    found = read_settings(_file(tmp_path, MOST))
    assert found.policy == PolicyFiles(tmp_path / "policy.json", (tmp_path / "a.pub",), 7, tmp_path / "revision")
    assert found.listen is not None
    assert found.listen.tls is not None
    assert found.listen.tls.client_ca == tmp_path / "ca.pem"
    assert found.listen.tls.clients == ("spiffe://a/b",)
    assert found.admin == Listen("::1", 0)
    assert found.limits == Limits(2048, 8, 3, 4, 5, 0)
    assert found.destinations == (Destination("/catalog", "catalog", 8080, ("x-role",), True, "payload"),)
    tls = TlsSettings(tmp_path / "a.pem", tmp_path / "a.key", tmp_path / "ca.pem")
    assert found.grpc == Listen("0.0.0.0", 2, tls)  # noqa: S104
    assert found.tokens == (
        TokenKeys(IssuerName("login"), file=tmp_path / "keys.json"),
        TokenKeys(IssuerName("other"), url="https://other.example/keys"),
    )
    assert found.telemetry == TelemetrySettings(
        decision_log=tmp_path / "d.jsonl",
        decision_log_key=tmp_path / "d.key",
        decision_log_headers=("x-team",),
        decision_log_masked=("path",),
    )


def test_the_schema_knows_what_may_be_masked_and_says_what_that_of_run_says() -> None:
    known = SCHEMA["properties"]["telemetry"]["properties"]
    of_run = json.loads((Path(__file__).parents[3] / "runtime/run.schema.json").read_text(encoding="utf-8"))
    same = of_run["properties"]["telemetry"]["properties"]
    assert known["decision_log_masked"] == same["decision_log_masked"]
    assert {key: one["description"] for key, one in known.items()} == {key: same[key]["description"] for key in known}


def test_grpc_alone_listens_at_no_other_place(tmp_path: Path) -> None:
    found = read_settings(_file(tmp_path, f"{POLICY}[grpc]\n{PLACE}"))
    assert (found.listen, found.grpc) == (None, Listen("127.0.0.1", 9190))


@pytest.mark.parametrize("text", [LEAST, MOST])
def test_the_schema_takes_what_is_taken(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text))


REFUSED_BY_BOTH = [
    ("", "policy.bundle: it is missing"),
    (PLACE, "policy.bundle: it is missing"),
    (POLICY, "destination: it is missing"),
    ('[policy]\nbundel = "x"', "policy.bundle: it is missing; is `bundel` meant to be it"),
    ("#" * 1_048_577, "it is larger than 1048576 bytes"),
    (f"destination = []\n{POLICY}", "destination: at least one"),
    (f"destination = [1]\n{POLICY}", r"destination\[0\]: a table is expected"),
    (f"policy = 1\n{PLACE}", "policy: a table is expected"),
    (f"more = 1\n{LEAST}", "more: this key is not known"),
    (f"{POLICY}bundel = 1\n{PLACE}", "policy.bundel: this key is not known, did you mean `bundle`"),
    (f"{LEAST}takes_plain = true", r"destination\[0\].takes_plain: this key is not known, did you mean"),
    (f'{LEAST}verified_payload = ""', r"destination\[0\].verified_payload: a string that is not empty"),
    (f"{LEAST}[grpc]\nport = -1", "grpc.port: a whole number from 0 to 65535"),
    (f"{LEAST}[grpc]\nmore = 1", "grpc.more: this key is not known"),
    (f"{LEAST}[[tokens]]\nissuer = 'a'", r"tokens\[0\].jwks_file: either it is expected"),
    (f"{LEAST}[[tokens]]\nissuer = 'a'\njwks_file = 'a'\njwks_url = 'https://a'", "either it is expected"),
    (f"{LEAST}takes_plaintext = 1", r"destination\[0\].takes_plaintext: `true` or `false`"),
    (LEAST.replace("8080", "0"), r"destination\[0\].port: a whole number from 1 to 65535"),
    (LEAST.replace("8080", "true"), r"destination\[0\].port: a whole number"),
    (LEAST.replace('"/catalog"', '"/catalog/"'), "path_prefix: it is `/` and a name"),
    (LEAST.replace('"/catalog"', '"/"'), "path_prefix: it is `/` and a name"),
    (LEAST.replace('"/catalog"', '"/a/../b"'), "path_prefix: it is `/` and a name"),
    (LEAST.replace('"policy.json"', '""'), "policy.bundle: a string that is not empty"),
    (f'{LEAST}headers = "x"', "headers: an array of strings"),
    (f"{LEAST}headers = [1]", r"headers\[0\]: a string"),
    (f'{LEAST}[telemetry]\naccess_log = "-"', "telemetry.access_log: this key is not known"),
    (f'{LEAST}[telemetry]\ndecision_log_key = "a"', "decision_log_key: there is no `decision_log`"),
    (f'{LEAST}[telemetry]\ndecision_log_masked = ["x"]', "telemetry.decision_log_masked: `x` is none of"),
    (f"{LEAST}[limits]\nheaders = 7", "limits.headers: a whole number from 8"),
    (f"{LEAST}[limits]\nheader = 9", "limits.header: this key is not known, did you mean `headers`"),
    (f'{LEAST}{TLS}clients = ["catalog"]', "listen.tls.clients: `catalog` is no URI, such as `spiffe://"),
    (f"{LEAST}[admin]\n", "admin.port: it is missing"),
    (f"{LEAST}[admin]\nport = 1\ntls = 1", "admin.tls: this key is not known"),
    (f'{LEAST}[listen.tls]\ncertificate = "a"\nkey = "b"', "listen.tls.client_ca: it is missing"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED_BY_BOTH)
def test_what_the_schema_refuses_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        read_settings(_file(tmp_path, text))
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = \nb = 1", "it is no TOML: .*at line 1, column 5"),
        (f"{LEAST}{POLICY}", "it is no TOML"),
        (f"{POLICY}trusted_keys = []\n{PLACE}", "policy.trusted_keys: an empty list trusts nobody"),
        (f"{LEAST}{TLS}clients = []", "listen.tls.clients: an empty list lets nobody ask"),
        (f'{LEAST}[listen]\naddress = "0.0.0.0"', "listen.address: others than loopback need `listen.tls`"),
        (f'{LEAST}[listen]\naddress = "localhost"', "listen.address: `localhost` is no IP address"),
        (f'{LEAST}[telemetry]\ndecision_log = "-"', "telemetry.decision_log: a file of its own is expected"),
        (f'{LEAST}[telemetry]\ndecision_log_headers = ["a b"]', "decision_log_headers: `a b` is no name"),
        (f'{LEAST}headers = ["a b"]', "headers: `a b` is no name of a header"),
        (f'{LEAST}headers = [":path"]', "headers: `:path` is no name of a header"),
        (f"{LEAST}[admin]\nport = 9191", "admin.port: at `9191` of `127.0.0.1` is `listen`"),
        (f"{LEAST}[grpc]\nport = 7\n[admin]\nport = 7", "admin.port: at `7` of `127.0.0.1` is `grpc`"),
        (LEAST + PLACE, r"destination\[1\].path_prefix: it begins with `/catalog`"),
        (LEAST + PLACE.replace("/catalog", "/catalog/v2"), r"destination\[1\].path_prefix: it begins with"),
    ],
)
def test_what_a_schema_cannot_say_is_refused_too(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        read_settings(_file(tmp_path, text))


def test_prefixes_of_which_none_begins_another_stand_together(tmp_path: Path) -> None:
    found = read_settings(_file(tmp_path, LEAST + PLACE.replace("/catalog", "/catalogs")))
    assert len(found.destinations) == 2


def test_ports_that_are_free_are_never_one(tmp_path: Path) -> None:
    found = read_settings(_file(tmp_path, f"{LEAST}[listen]\nport = 0\n[admin]\nport = 0\n"))
    assert found.admin == found.listen == Listen("127.0.0.1", 0)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    with pytest.raises(SettingError, match="not UTF-8"):
        read_settings(tmp_path / "odd.toml")
