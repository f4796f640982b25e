from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.runtime.settings_run import (
    STANDARD_OUTPUT,
    EmfSettings,
    EndpointGroup,
    IdentityFiles,
    IdentityFolder,
    InboundPort,
    OtlpSettings,
    OutboundPort,
    Place,
    PolicyFiles,
    ProcessSettings,
    RunLimits,
    RunSettings,
    TelemetrySettings,
    TokenKeys,
    WorkloadApi,
)
from meshproof.runtime.settings_run_file import _settings, parse_run_settings, read_run_settings
from meshproof.runtime.tables import SettingError, Table
from meshproof.runtime.telemetry.access_log import HIDEABLE
from meshproof.runtime.telemetry.decisions import MASKABLE

SCHEMA = json.loads((Path(__file__).parents[3] / "runtime/run.schema.json").read_text(encoding="utf-8"))
PATH = Path("/etc/meshproof/run.toml")
FOLDER = PATH.parent
LEDGER = NodeName("ledger")
TOP = 'service = "catalog"\n[policy]\nbundle = "policy.json"\n'
SVID = '[identity]\ncertificate = "svid.pem"\nkey = "svid.key"\ntrust_bundle = "bundle.pem"\n'
IN = '[[inbound]]\nport = 8080\nlisten = "10.0.0.1:15080"\napplication = "127.0.0.1:8080"\n'
OUT = '[[outbound]]\ndestination = "ledger"\nport = 8081\nlisten = "127.0.0.1:16001"\n'
WHERE = '[[endpoints]]\ndestination = "ledger"\nport = 8081\n'
STATIC = f'{WHERE}addresses = ["10.0.0.9:15080", "[fd00::9]:15080"]\n'
LEAST = TOP + SVID + IN
MOST = (
    'service = "catalog"\n[policy]\nbundle = "policy.json"\ntrusted_keys = ["a.pub"]\n'
    'minimum_revision = 7\nrevision_file = "/var/lib/revision"\n'
    + SVID
    + 'federated = { "partner.example" = "partner.pem" }\n'
    + IN
    + OUT
    + STATIC
    + 'version = "v1"\n'
    + '[[endpoints]]\ndestination = "ledger"\nport = 8081\nversion = "v2"\ndns = "ledger.shop.svc:15081"\n'
    + '[[tokens]]\nissuer = "idp"\njwks_file = "keys.json"\n[[tokens]]\nissuer = "other"\njwks_url = "https://idp/keys"\n'
    + "[limits]\nhead_bytes = 2048\nheaders = 9\nbody_bytes = 1\nconnections = 2\nstreams = 3\nhandshake_seconds = 4\n"
    + "head_seconds = 5\nstall_seconds = 6\nidle_seconds = 7\nconnect_seconds = 8\ndns_seconds = 9\n"
    + '[telemetry]\naccess_log = "-"\naccess_log_hidden = ["path"]\ndecision_log = "decisions.jsonl"\n'
    + 'decision_log_key = "chain.key"\n'
    + 'decision_log_headers = ["X-Key"]\ndecision_log_masked = ["path"]\ncluster = "west"\n'
    + 'trace_headers = ["w3c", "b3"]\nemf = { namespace = "Shop/Mesh", file = "emf.log", seconds = 5 }\n'
    + 'otlp = { endpoint = "http://127.0.0.1:4318/v1/traces", percent = 7, '
    + 'metrics_endpoint = "http://127.0.0.1:4318/v1/metrics", seconds = 3 }\n'
    + '[admin]\nlisten = "10.0.0.1:15020"\nis_exposed = true\n'
    + "[process]\nworkers = 2\nwatch_seconds = 0\ndrain_seconds = 0\n"
)
FILES = f'{TOP}[identity]\nfolder = "/run/spiffe"\n{IN}'
AGENT = f'{TOP}[identity]\nworkload_api = "unix:///run/agent.sock"\n{IN}'


def _parse(text: str) -> RunSettings:
    return parse_run_settings(text.encode(), PATH)


def _is_valid(value: object) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(value))


def test_the_least_file_takes_the_defaults() -> None:
    assert _parse(LEAST) == RunSettings(
        NodeName("catalog"),
        PolicyFiles(FOLDER / "policy.json"),
        IdentityFiles(FOLDER / "svid.pem", FOLDER / "svid.key", FOLDER / "bundle.pem"),
        (InboundPort(8080, Place("10.0.0.1", 15080), Place("127.0.0.1", 8080)),),
    )


def test_every_key_is_kept() -> None:
    found = _parse(MOST)
    assert found.policy == PolicyFiles(FOLDER / "policy.json", (FOLDER / "a.pub",), 7, Path("/var/lib/revision"))
    assert found.outbound == (OutboundPort(LEDGER, 8081, Place("127.0.0.1", 16001)),)
    assert found.endpoints == (
        EndpointGroup(LEDGER, 8081, "v1", (Place("10.0.0.9", 15080), Place("fd00::9", 15080))),
        EndpointGroup(LEDGER, 8081, "v2", (), Place("ledger.shop.svc", 15081)),
    )
    assert found.tokens == (
        TokenKeys(IssuerName("idp"), FOLDER / "keys.json"),
        TokenKeys(IssuerName("other"), None, "https://idp/keys"),
    )
    assert found.limits == RunLimits(2048, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert found.telemetry == TelemetrySettings(
        STANDARD_OUTPUT,
        ("path",),
        FOLDER / "decisions.jsonl",
        ("x-key",),
        ("path",),
        "west",
        ("w3c", "b3"),
        EmfSettings("Shop/Mesh", FOLDER / "emf.log", 5),
        OtlpSettings("http://127.0.0.1:4318/v1/traces", 7, "http://127.0.0.1:4318/v1/metrics", 3),
        FOLDER / "chain.key",
    )
    assert found.admin == Place("10.0.0.1", 15020)
    assert found.process == ProcessSettings(2, 0, 0)


def test_an_agent_may_say_who_the_sidecar_is() -> None:
    assert _parse(AGENT).identity == WorkloadApi(Path("/run/agent.sock"))
    assert _parse(AGENT.replace("unix:///run/", "run/")).identity == WorkloadApi(FOLDER / "run/agent.sock")


def test_a_folder_may_say_it_too() -> None:
    assert _parse(FILES).identity == IdentityFolder(Path("/run/spiffe"))


def test_the_schema_knows_what_may_be_hidden() -> None:
    known = SCHEMA["properties"]["telemetry"]["properties"]
    assert known["access_log_hidden"]["items"]["enum"] == list(HIDEABLE)
    assert known["decision_log_masked"]["items"]["enum"] == list(MASKABLE)


def _keys(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict) and "required" not in properties:
            yield from properties
        for value in schema.values():
            yield from _keys(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keys(value)


def test_the_examples_hold_every_key_of_the_schema() -> None:
    assert {key for key in _keys(SCHEMA) if key not in MOST + AGENT + FILES} == set()


@pytest.mark.parametrize("text", [LEAST, MOST, AGENT, FILES])
def test_the_schema_takes_what_is_taken(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert _is_valid(tomllib.loads(text))


REFUSED_BY_BOTH = [
    ("", "service: it is missing"),
    (SVID + IN, "service: it is missing"),
    (TOP + IN, "identity.certificate: it is missing"),
    (TOP + SVID, r"there is neither an `\[\[inbound\]\]` nor"),
    (LEAST.replace("service", "servise"), "service: it is missing; is `servise` meant to be it"),
    (LEAST.replace("bundle =", "bundel =", 1), "policy.bundle: it is missing; is `bundel`"),
    (f"{TOP}more = 1\n{SVID}{IN}", "policy.more: this key is not known"),
    (f"more = 1\n{LEAST}", "more: this key is not known"),
    (f"{TOP}trusted_keys = []\n{SVID}{IN}", "policy.trusted_keys: an empty list trusts nobody"),
    (f'{TOP}revision_file = "a"\n{SVID}{IN}', "policy.revision_file: without `trusted_keys` anybody writes"),
    (f"{TOP}minimum_revision = 1\n{SVID}{IN}", "policy.minimum_revision: without `trusted_keys` anybody writes"),
    (f'{TOP}trusted_keys = ["a"]\nminimum_revision = 0\n{SVID}{IN}', "policy.minimum_revision: a whole number from 1"),
    (LEAST.replace('trust_bundle = "bundle.pem"', ""), "identity.trust_bundle: it is missing"),
    (f'{TOP}{SVID}federated = {{ Cluster = "x" }}\n{IN}', "identity.federated.Cluster: it is no name of a trust"),
    (f'{TOP}{SVID}federated = {{ "a.b" = 1 }}\n{IN}', "identity.federated.a.b: a string"),
    (f'{TOP}{SVID}folder = "a"\n{IN}', "identity.certificate: this key is not known"),
    (f'{LEAST}[telemetry]\naccess_log_hidden = ["x"]', "telemetry.access_log_hidden: `x` is none of"),
    (f'{LEAST}[telemetry]\ndecision_log_masked = ["x"]', "telemetry.decision_log_masked: `x` is none of"),
    (AGENT.replace("[[inbound]]", 'key = "x"\n[[inbound]]'), "identity.key: this key is not known"),
    (f"{LEAST}more = 1", r"inbound\[0\].more: this key is not known"),
    (LEAST.replace("port = 8080", "port = 0"), r"inbound\[0\].port: a whole number from 1"),
    (LEAST.replace("10.0.0.1:15080", "localhost:15080"), r"inbound\[0\].listen: `localhost` is no IP address"),
    (LEAST.replace("10.0.0.1:15080", "::1:15080"), r"inbound\[0\].listen: `::1:15080` is not written as `IP:PORT`"),
    (LEAST.replace("10.0.0.1:15080", "10.0.0.1"), r"inbound\[0\].listen: `10.0.0.1` is not written as"),
    (LEAST.replace("10.0.0.1:15080", "1.2.3.4:123456"), r"inbound\[0\].listen: `1.2.3.4:123456` is not written as"),
    (f"{LEAST}{WHERE}", r"endpoints\[0\].addresses: either one address or more are expected, or `dns`"),
    (f"{LEAST}{WHERE}addresses = []", r"endpoints\[0\].addresses: either one address"),
    (f'{LEAST}{STATIC}dns = "a:1"', r"endpoints\[0\].addresses: either one address"),
    (f'{LEAST}{WHERE}dns = "a b:1"', r"endpoints\[0\].dns: `a b:1` is not written as `NAME:PORT`"),
    (f'{LEAST}[[tokens]]\nissuer = "a"', r"tokens\[0\].jwks_file: either it is expected, or `jwks_url`"),
    (f'{LEAST}[[tokens]]\nissuer = "a"\njwks_url = "ftp://a"', r"tokens\[0\].jwks_url: `ftp://a` is no URL of"),
    (f"{LEAST}[limits]\nheader = 9", "limits.header: this key is not known, did you mean `headers`"),
    (f"{LEAST}[limits]\nheaders = 7", "limits.headers: a whole number from 8 to 1024"),
    (f"{LEAST}[process]\nworkers = 0", "process.workers: a whole number from 1"),
    (f"{LEAST}[admin]", "admin.listen: it is missing"),
    (f'{LEAST}[admin]\nlisten = "::"', "admin.listen: `::` is not written as"),
    (f'{LEAST}[telemetry]\ntrace_headers = ["zipkin"]', "telemetry.trace_headers: `zipkin` is none of `w3c`, `b3`"),
    (f'{LEAST}[telemetry]\nemf = {{ namespace = ":x" }}', "telemetry.emf.namespace: it is 1 to 255"),
    (f"{LEAST}[telemetry]\nemf = {{ }}", "telemetry.emf.namespace: it is missing"),
    (f'{LEAST}[telemetry]\notlp = {{ endpoint = "x" }}', "telemetry.otlp.endpoint: `x` is no URL"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED_BY_BOTH)
def test_what_the_schema_refuses_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message) as refused:
        _parse(text)
    assert str(refused.value).startswith(f"{PATH}: ")
    assert not _is_valid(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "run.toml: it is no TOML"),
        (LEAST.replace("127.0.0.1:8080", "10.0.0.1:8080"), "is not at loopback, and what goes on to the application"),
        (LEAST.replace("127.0.0.1:8080", "127.0.0.1:0"), r"inbound\[0\].application: a port from 1"),
        (LEAST.replace("10.0.0.1:15080", "127.0.0.1:8080"), "application: it is where the sidecar itself listens"),
        (LEAST.replace("10.0.0.1:15080", "[10.0.0.1]:15080"), "is not written as `IP:PORT`"),
        (
            f"{LEAST}{OUT.replace('127.0.0.1', '10.0.0.2')}",
            r"outbound\[0\].listen: `10.0.0.2:16001` is not at loopback",
        ),
        (f"{LEAST}{IN.replace('15080', '15081')}", r"inbound\[1\].port: `8080` is said in `inbound\[0\]` already"),
        (f"{LEAST}{IN.replace('port = 8080', 'port = 1')}", r"inbound\[1\].listen: `10.0.0.1:15080` is where `inbound"),
        (f"{LEAST}{OUT}{OUT}", r"outbound\[1\].destination: `ledger:8081` is said in `outbound\[0\]` already"),
        (f"{LEAST}{STATIC}{STATIC}", r"endpoints\[1\].destination: `ledger:8081` is said"),
        (f'{LEAST}{WHERE}addresses = ["10.0.0.9:0"]', r"endpoints\[0\].addresses\[0\]: `10.0.0.9:0` is nowhere"),
        (f'{LEAST}{WHERE}addresses = ["0.0.0.0:1"]', "is nowhere to connect to"),
        (f'{LEAST}{WHERE}dns = "-a:1"', "`-a:1` is not written as `NAME:PORT`"),
        (f'{LEAST}[admin]\nlisten = "0.0.0.0:1"', "admin.listen: `0.0.0.0:1` is not at loopback; `is_exposed = true`"),
        (f'{LEAST}[admin]\nlisten = "10.0.0.1:15080"\nis_exposed = true', r"admin.listen: `10.0.0.1:15080` is where"),
        (f'{LEAST}[[tokens]]\nissuer = "a"\njwks_url = "http://idp/k"', "is not asked over TLS"),
        (f'{LEAST}[[tokens]]\nissuer = "a"\njwks_url = "https://u:p@idp/k"', "a name and a password"),
        (f'{LEAST}[[tokens]]\nissuer = "a"\njwks_url = "https://[idp/k"', "is no URL"),
        (
            f'{LEAST}[[tokens]]\nissuer = "a"\njwks_file = "k"\n' * 1 + '[[tokens]]\nissuer = "a"\njwks_file = "k"',
            "said",
        ),
        (f'{LEAST}[telemetry]\ndecision_log_headers = ["a b"]', "decision_log_headers: `a b` is no name"),
        (f'{LEAST}[telemetry]\ndecision_log_key = "a"', "decision_log_key: there is no `decision_log`"),
        (f'{LEAST}[telemetry]\ndecision_log = "-"', "decision_log: a file of its own is expected"),
        (f'{LEAST}[telemetry]\ndecision_log = "a"\naccess_log = "a"', "decision_log: it is the access log"),
        (AGENT.replace("unix:///run", "tcp://run"), "identity.workload_api: `tcp://run/agent.sock` is no path"),
        (AGENT.replace("agent", "a" * 100), "workload_api: a socket's path has less than"),
    ],
)
def test_what_a_schema_cannot_say_is_refused_too(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        _parse(text)


def test_two_ports_that_are_free_are_two_places() -> None:
    text = LEAST.replace("10.0.0.1:15080", "0.0.0.0:0") + IN.replace("port = 8080", "port = 1").replace("15080", "0")
    assert len(_parse(text).inbound) == 2


def test_keys_at_loopback_need_no_tls() -> None:
    assert _parse(f'{LEAST}[[tokens]]\nissuer = "a"\njwks_url = "http://[::1]:1/k"').tokens[0].url == "http://[::1]:1/k"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_run_settings(tmp_path / "none.toml")


ODD: tuple[object, ...] = (None, True, 0, -1, 2**60, 1.5, "", "x", "-", "127.0.0.1:1", [], ["x"], {}, {"x": 1}, [{}])


def _holders(value: object) -> Iterator[dict[str, object] | list[object]]:
    if isinstance(value, (dict, list)):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _holders(part)


@given(
    st.sampled_from([MOST, AGENT, FILES, LEAST]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from([*ODD, "cut"]),
)
def test_whatever_is_changed_the_schema_takes_what_is_taken(text: str, holder: int, member: int, odd: object) -> None:
    value = tomllib.loads(text)
    holders = list(_holders(value))
    _change(holders[holder % len(holders)], member, copy.deepcopy(odd))
    try:
        found = _settings(Table(value, ""), FOLDER)
    except SettingError:
        return
    assert isinstance(found, RunSettings)
    assert _is_valid(value)


def _change(holder: dict[str, object] | list[object], member: int, odd: object) -> None:
    """Put something odd in the place of a member, or beside them; or take one out."""
    if isinstance(holder, list):
        if odd == "cut":
            del holder[member % len(holder)]
        else:
            holder[member % len(holder)] = odd
        return
    keys = [*holder, "more"]
    key = keys[member % len(keys)]
    if odd == "cut":
        holder.pop(key, None)
    else:
        holder[key] = odd
