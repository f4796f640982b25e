"""`meshproof diff`: what it prints, how it ends, and what it takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.report.schemas import fits

OLD = """\
mesh tea {
    language     1
    trust-domain "cluster.local"
    namespace    tea
    mtls         strict
}
service kettle { port http 8080 }
service shop   { port http 8080 }
service spy    { port http 8080 }
allow boil: shop -> kettle { POST /boil  GET /level }
"""
LOOSER = OLD.replace("shop -> kettle", "{ shop, spy } -> kettle")
TIGHTER = OLD.replace("  GET /level", "")
BOTH = TIGHTER.replace("shop -> kettle", "{ shop, spy } -> kettle")
OPAQUE = OLD + 'issuer idp { url "https://i.example"  jwks "https://i.example/keys" }\n'


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, str]:
    texts = {"old": OLD, "looser": LOOSER, "tighter": TIGHTER, "both": BOTH, "moved": f"# moved\n{OLD}"}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "tea.mesh").write_text(text)
    return {name: str(tmp_path / name) for name in texts}


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    done = run("diff", *arguments, *AS_OF, "--output", "json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert fits("diff-v1", found)
    assert found["exit_code"] == code
    return found


def test_what_is_newly_allowed_is_told_with_the_rule_and_a_request(sides: dict[str, str]) -> None:
    done = run("diff", sides["old"], sides["looser"], *AS_OF)

    assert done.exit_code == 0
    assert done.stdout == (
        "Newly allowed\n"
        "  + spy -> kettle:http\n"
        "        GET /level\n"
        "        POST /boil\n"
        "      by rule `boil`, changed  tea.mesh:10\n"
        "      e.g. spy -> kettle:8080 GET /level\n"
        "           was deny at default, now allow by boil\n"
        "\n"
        "tea as of 2026-11-23: looser, nothing is newly denied; 1 newly allowed\n"
    )


def test_policies_that_say_the_same_are_equal(sides: dict[str, str]) -> None:
    done = run("diff", sides["old"], sides["moved"], *AS_OF, "--fail-on", "any")

    assert (done.exit_code, done.stdout) == (
        0,
        "tea as of 2026-11-23: equal, no request is treated otherwise\n",
    )
    assert document(sides["old"], sides["moved"])["verdict"] == "equal"


@pytest.mark.parametrize(
    ("new", "fail_on", "code"),
    [
        ("looser", "allowed", 1),
        ("looser", "denied", 0),
        ("looser", "any", 1),
        ("tighter", "allowed", 0),
        ("tighter", "denied", 1),
        ("both", "allowed", 1),
        ("both", "denied", 1),
        ("moved", "any", 0),
    ],
)
def test_a_difference_fails_only_where_it_is_said_to(sides: dict[str, str], new: str, fail_on: str, code: int) -> None:
    assert run("diff", sides["old"], sides[new], *AS_OF, "--fail-on", fail_on).exit_code == code
    assert run("diff", sides["old"], sides[new], *AS_OF).exit_code == 0
    document(sides["old"], sides[new], "--fail-on", fail_on, code=code)


def test_the_document_says_where_each_rule_stood_and_stands(sides: dict[str, str]) -> None:
    found = document(sides["old"], sides["looser"])

    (region,) = found["newly_allowed"]
    assert found["verdict"] == "looser"
    assert found["complete"] is True
    assert region["region"] == {
        "text": "spy -> kettle:http { GET /level; POST /boil }",
        "sources": ["spy"],
        "destinations": ["kettle:http"],
        "operations": ["GET /level", "POST /boil"],
        "conditions": [],
    }
    place = {"path": "tea.mesh", "line": 10, "column": 1}
    assert region["rules"] == [{"kind": "rule", "name": "boil", "change": "changed", "old": place, "new": place}]
    assert region["witness"]["source"] == {"identity": "spiffe://cluster.local/ns/tea/sa/spy"}
    assert region["old"] == {"decision": "deny", "reason": "default", "by": []}
    assert region["new"] == {"decision": "allow", "reason": "rule", "by": ["boil"]}
    assert region["decided_by"] == ["boil"]


def test_what_is_not_known_is_incomplete(tmp_path: Path) -> None:
    accepting = OPAQUE.replace("service kettle { port http 8080 }", "service kettle { port http 8080  accepts idp }")
    for name, text in (("keys", accepting), ("other-keys", accepting.replace("/keys", "/other-keys"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tea.mesh").write_text(text)
    found = document(str(tmp_path / "keys"), str(tmp_path / "other-keys"), code=3)

    assert found["complete"] is False
    assert found["verdict"] == "incomparable"
    assert found["undecided"][0]["subject"] == "issuer idp"
    done = run("diff", str(tmp_path / "keys"), str(tmp_path / "other-keys"), *AS_OF)
    assert "Not known\n  ? issuer idp: its keys come from" in done.stdout
    assert "incomplete: what is not known may differ too" in done.stdout
    looser = tmp_path / "both"
    looser.mkdir()
    (looser / "tea.mesh").write_text(
        accepting.replace("/keys", "/other-keys").replace("shop -> kettle", "{ shop, spy } -> kettle")
    )
    assert run("diff", str(tmp_path / "keys"), str(looser), *AS_OF, "--fail-on", "allowed").exit_code == 1


def test_a_side_that_cannot_be_read_is_named(sides: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/tea.mesh").write_text("mesh {")

    done = run("diff", sides["old"], tmp_path / "bad", *AS_OF)
    assert done.exit_code == 2
    assert done.stderr == f"{tmp_path / 'bad'} cannot be compared:\n"
    assert "error[MP1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-", "."), "not stdin"),
        (("no-such", "."), "`no-such` is no file or folder, and"),
        (("--", "--output", "."), "`--output` is no file or folder, and no revision of git"),
    ],
)
def test_what_is_no_side_is_refused(
    sides: dict[str, str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(sides["old"])
    done = run("diff", *AS_OF, *arguments)

    assert done.exit_code == 2
    assert message in done.stderr or "not a git repository" in done.stderr


def test_an_environment_must_be_chosen_where_there_are_some(tmp_path: Path) -> None:
    text = OLD.replace("mtls         strict", "mtls         strict\n    environments dev, prod")
    for name, more in (("one", ""), ("two", "allow peek: spy -> kettle { GET /level  env dev }\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tea.mesh").write_text(text + more.replace("GET /level  env", "GET /level\n    env"))
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/tea.mesh").write_text(OLD)
    one, two, plain = (str(tmp_path / name) for name in ("one", "two", "plain"))

    assert "MP021" in run("diff", one, two, *AS_OF).stdout
    assert document(one, two, "--env", "dev")["verdict"] == "looser"
    assert document(one, two, "--env", "prod")["verdict"] == "equal"
    # A side that declares none has only one.
    assert document(plain, two, "--env", "dev")["verdict"] == "looser"
    assert run("diff", plain, two, "--env", "stage", *AS_OF).exit_code == 2


def test_reports_go_where_they_are_asked_to(sides: dict[str, str], tmp_path: Path) -> None:
    done = run("diff", sides["old"], sides["looser"], *AS_OF, "--output", f"json={tmp_path / 'diff.json'}", "-q")

    assert done.exit_code == 0
    assert "e.g." not in done.stdout
    assert "spy -> kettle:http" in done.stdout
    assert json.loads((tmp_path / "diff.json").read_text())["verdict"] == "looser"


def test_a_revision_is_compared_with_the_work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/tea.mesh").write_text(OLD)
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one")):
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    (tmp_path / "policy/tea.mesh").write_text(LOOSER)
    monkeypatch.chdir(tmp_path)

    for old in ("HEAD", "HEAD:policy", "git:HEAD"):
        found = document(old, "policy")
        assert found["verdict"] == "looser"
        assert found["old"] == old
        assert found["newly_allowed"][0]["rules"][0]["new"]["line"] == 10
    assert document("policy", "HEAD")["verdict"] == "tighter"


def test_callers_can_be_compared_by_workload(sides: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    renamed = OLD.replace("service shop   { port http 8080 }", "service shop   { port http 8080  account barista }")
    (tmp_path / "accounts/tea.mesh").write_text(renamed)
    new = str(tmp_path / "accounts")

    assert document(sides["old"], new)["verdict"] == "incomparable"
    assert document(sides["old"], new, "--callers", "workload")["verdict"] == "equal"
