"""`compile --require`: who must keep all of a policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.compiler.cli.running import AS_OF, run

if TYPE_CHECKING:
    from pathlib import Path

SHOP = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict  egress closed }
service web { port http 8080 }
service pay { port http 9000 }
allow charge: web -> pay
"""


def _written(folder: Path) -> Path:
    path = folder / "shop.mesh"
    path.write_text(SHOP, encoding="utf-8")
    return path


@pytest.mark.parametrize("arguments", [(), ("--require", "enforced")])
def test_what_callers_alone_keep_stops_a_compile_that_enforces(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run("compile", _written(tmp_path), *AS_OF, "--target", "app-mesh", "--out", tmp_path / "o", *arguments)

    assert done.exit_code == 1
    assert "error[MP701]: App Mesh cannot express `egress of shop`" in done.stdout
    assert "accept that callers alone keep it, with `--require cooperative`" in done.stdout
    assert not (tmp_path / "o").exists()


def test_what_callers_alone_keep_can_be_accepted_and_is_listed(tmp_path: Path) -> None:
    out = tmp_path / "o"
    arguments = ("--target", "app-mesh", "--require", "cooperative", "--out", out)
    done = run("compile", _written(tmp_path), *AS_OF, *arguments)

    assert done.exit_code == 0, done.output
    left = json.loads((out / "meshproof/residuals.json").read_text(encoding="utf-8"))
    (told,) = [one for one in left if one["names"] == ["egress of shop"]]
    assert told["code"] == "R2"
    assert "cooperative" in told["text"]
    assert "info[MP727]: `egress of shop`" in done.stdout
    enforced = "enforced: proved, and without `egress of shop`, which callers' own proxies alone keep"
    assert f"· {enforced}\n  · cooperative: proved\n" in done.stdout
    told = json.loads((out / "meshproof/sources.json").read_text(encoding="utf-8"))
    assert told["readBack"] == f"read back; {enforced}; cooperative: proved"
    assert told["readBack"] in json.loads((out / "template.json").read_text(encoding="utf-8"))["Description"]


def test_both_verdicts_are_in_the_report(tmp_path: Path) -> None:
    arguments = ("--target", "app-mesh", "--require", "cooperative", "--out", tmp_path / "o", "--output", "json")
    done = run("compile", _written(tmp_path), *AS_OF, *arguments)

    assert json.loads(done.stdout)["compiled"]["judgements"] == [
        {"judgement": "enforced", "verdict": "equal", "without": ["egress of shop"]},
        {"judgement": "cooperative", "verdict": "equal", "without": []},
    ]


def test_a_target_without_the_choice_has_one_verdict(tmp_path: Path) -> None:
    arguments = ("--target", "istio", "--out", tmp_path / "o", "--output", "json")
    compiled = json.loads(run("compile", _written(tmp_path), *AS_OF, *arguments).stdout)["compiled"]

    assert compiled["judgements"] == []
    assert compiled["notes"] == ["read back, and proved to mean what the policy says"]


@pytest.mark.parametrize("value", ["enforced", "cooperative"])
def test_a_target_without_the_choice_refuses_to_be_asked(value: str, tmp_path: Path) -> None:
    """What it would answer to `enforced` would be believed."""
    out = tmp_path / "o"
    done = run("compile", _written(tmp_path), *AS_OF, "--target", "istio", "--require", value, "--out", out)

    assert done.exit_code == 2
    assert "--require: the target `istio` has no choice of who keeps a policy; leave it out" in done.stderr
    assert not out.exists()


def test_there_are_two_answers(tmp_path: Path) -> None:
    done = run("compile", _written(tmp_path), "--target", "app-mesh", "--require", "honest")

    assert done.exit_code == 2
    assert "'enforced', 'cooperative'" in done.stderr
