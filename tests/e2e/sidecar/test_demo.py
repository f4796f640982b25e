"""What `make demo` shows last: requests of the policy's tests, sent to sidecars, and whether all is as was said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tools.demo import AS_OF, INTRUDER, MESHPROOF, ROOT, SHOP, BrokenPromiseError, compile_to_native, show
from tools.demo_calls import LET_THROUGH, NOT_CONNECTED, REFUSED, Asked, Row, as_table, judged, of_tests, send
from tools.demo_sidecars import STARTED, three_sidecars

REQUEST = {
    "source": {"identity": "spiffe://cluster.local/ns/onlineboutique/sa/frontend"},
    "destination": {"service": "paymentservice"},
    "port": 50051,
    "protocol": "grpc",
    "method": "POST",
    "path": "/hipstershop.PaymentService/Charge",
    "host": "paymentservice",
}
ALLOWED = Asked("a -> b", "allow by rule", REQUEST)
DENIED = Asked("a -> b", "deny at default", REQUEST)
STRANGER = Asked("a -> b", "deny at transport", REQUEST)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """What `check` says of the shop."""
    path = tmp_path_factory.mktemp("report") / "shop.json"
    subprocess.run([MESHPROOF, "check", SHOP, *AS_OF, "--output", f"json={path}"], cwd=ROOT, check=True)
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.slow
def test_sidecars_do_what_is_proved_of_every_test(report: Mapping[str, object], tmp_path: Path) -> None:
    compile_to_native(SHOP, tmp_path / "native", "prod")
    with three_sidecars(tmp_path / "native" / "policy.json", tmp_path / "run") as shop:
        rows = shop.ask(of_tests(report, "prod", STARTED))
        assert shop.order() == "OK"

    assert len(rows) == 11
    assert {row.done for row in rows} == {LET_THROUGH, REFUSED, NOT_CONNECTED}
    show("the shop", rows)


@pytest.mark.slow
def test_sidecars_of_another_policy_are_found_out(report: Mapping[str, object], tmp_path: Path) -> None:
    broken = tmp_path / "boutique"
    shutil.copytree(ROOT / SHOP, broken, ignore=shutil.ignore_patterns("proofs.mesh", "tests.mesh"))
    rules = broken / "rules.mesh"
    rules.write_text(f"{rules.read_text(encoding='utf-8')}\n{INTRUDER}\n", encoding="utf-8")
    compile_to_native(broken, tmp_path / "native", "prod")
    with three_sidecars(tmp_path / "native" / "policy.json", tmp_path / "run") as shop:
        rows = shop.ask(of_tests(report, "prod", STARTED))

    call = "frontend -> paymentservice:grpc call hipstershop.PaymentService/Charge"
    assert [(row.asked.text, row.done) for row in rows if not row.agrees] == [(call, LET_THROUGH)]
    with pytest.raises(BrokenPromiseError, match="something else than was said of frontend -> paymentservice"):
        show("another policy", rows)


def test_what_tests_of_other_environments_and_services_ask_is_not_sent(report: Mapping[str, object]) -> None:
    dev = {asked.text for asked in of_tests(report, "dev", STARTED)}
    prod = {asked.text for asked in of_tests(report, "prod", STARTED)}

    assert {text for text in dev - prod if text.startswith("loadgenerator -> ")} == dev - prod
    assert len(dev - prod) == 3
    assert [asked.text for asked in of_tests(report, "prod", ("redis-cart",))] != []
    assert not any("productcatalog" in asked.text for asked in of_tests(report, "prod", ("productcatalogservice",)))


@pytest.mark.parametrize(
    ("asked", "agrees"), [(ALLOWED, {LET_THROUGH}), (DENIED, {REFUSED}), (STRANGER, {NOT_CONNECTED})]
)
def test_every_decision_has_one_outcome(asked: Asked, agrees: set[str]) -> None:
    outcomes = {LET_THROUGH, REFUSED, NOT_CONNECTED, "status 502, of gRPC 0"}

    assert {done for done in outcomes if Row(asked, done).agrees} == agrees


@pytest.mark.parametrize(("asked", "done"), [(ALLOWED, LET_THROUGH), (DENIED, REFUSED), (STRANGER, NOT_CONNECTED)])
def test_an_answer_that_the_application_did_not_give_and_a_refusal_that_it_heard_of_agree_with_nothing(
    asked: Asked, done: str
) -> None:
    heard = ["before"]

    def sending() -> str:
        if done != LET_THROUGH:
            heard.append("all the same")
        return done

    assert not judged(asked, sending, heard.__len__).agrees


def test_no_row_at_all_is_no_success() -> None:
    with pytest.raises(BrokenPromiseError, match="no request"):
        show("nothing", ())


def test_a_table_has_colours_only_where_they_are_asked_for() -> None:
    rows = (Row(ALLOWED, LET_THROUGH), Row(DENIED, LET_THROUGH))

    plain = as_table(rows, colour=False)

    assert [line.split()[0] for line in plain.splitlines()] == ["request", "✓", "✗"]
    assert "\033" not in plain
    coloured = as_table(rows, colour=True)
    assert coloured != plain
    for code in ("\033[32m", "\033[31m", "\033[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


@pytest.mark.parametrize(("is_terminal", "no_colour"), [(True, ""), (True, "1"), (False, "")])
def test_colours_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool, no_colour: str
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_colour:
        monkeypatch.setenv("NO_COLOR", no_colour)

    show("a rule", (Row(ALLOWED, LET_THROUGH),))

    assert ("\033" in capsys.readouterr().out) is (is_terminal and not no_colour)


def test_a_request_with_parts_that_are_not_sent_is_not_sent_without_them() -> None:
    asked = replace(ALLOWED, request={**REQUEST, "headers": {"x-canary": "true"}})

    with pytest.raises(RuntimeError, match="headers"):
        send("127.0.0.1:9", asked, None)
