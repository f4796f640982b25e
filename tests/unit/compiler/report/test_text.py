"""The report for people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.compiler.report.samples import claim, diagnostic, everything, line_of_test

from meshproof.compiler.report.look import ASCII, Look, width_of
from meshproof.compiler.report.model import ClaimVerdict, Finding, Report, TestOutcome
from meshproof.compiler.report.text import render
from meshproof.dsl.diagnostic import Severity

WHOLE = """\
error[MP301]: rule `peek` is open
  ┌─ shop.mesh:5:1
 3│ service spy { port http 80 }
  │ ----------- its source
  ·
 5│ allow peek: spy -> till
  │ ^^^^^^^^^^^^^^^^^^^^^^^ this rule
  = request: spy -> till:8080 GET /
  = eval: {"source": {"identity": "spiffe://cluster.local/ns/shop/sa/spy"}, "destination": {"service": "till"}, \
"port": 8080, "protocol": "http", "method": "GET", "path": "/"}
  = proof: no request reaches it
  = note: a note
  = in: dev
  = help: delete it

Proofs
  ✓ mtls
  ✗ only web pays
      ✗ only web reaches till
  ? hard
      ? only web reaches till (out of time) (in prod)

What the proofs assume
  · mTLS is strict at `till:http`

Tests
  ✗ pay
      ✗ web -> till:http GET /, but it is deny at default (in dev)
  ? asked
      ? web -> till:http GET /, but it is deny at default

Waived
  MP305 shop.mesh:5 rule `peek` is open

Compiled for istio into build/istio
  a.yaml
  meshproof.lock
  · not yet read back

Who dials another port than the policy says
  a:80: spiffe://td/ns/a/sa/b 81

What Istio does not enforce, or does otherwise
  R1  why (a)

shop in dev, prod as of 2026-11-23: 1 error, 1 waived, 1 claim proved, 1 claim refuted, 1 claim unknown, \
1 test passed, 1 test failed, 1 test undecided
"""


def shown(report: Report, look: Look = Look()) -> str:  # noqa: B008  frozen
    return render(report, look, Severity.ERROR)


def test_everything_in_its_place() -> None:
    assert shown(everything()) == WHOLE


def test_quiet_is_what_is_wrong_and_the_sum() -> None:
    lines = shown(everything(), Look(verbosity=-1)).splitlines()

    assert lines[0] == "error[MP301]: rule `peek` is open"
    assert lines[-1].startswith("shop in dev, prod as of 2026-11-23: 1 error")
    assert not {"Proofs", "Tests", "Waived"} & set(lines)


def test_quiet_says_nothing_where_nothing_is_wrong() -> None:
    report = Report("check", policy="shop", claims=(claim(ClaimVerdict.PROVED),))

    assert shown(report, Look(verbosity=-1)) == ""
    assert shown(report) == "Proofs\n  ✓ only web pays\n\nshop: no findings, 1 claim proved\n"


def test_verbose_is_every_claim_and_every_line() -> None:
    text = shown(everything(), Look(verbosity=1))

    assert "  ✓ mtls\n      ✓ only web reaches till\n" in text
    assert "  ✗ pay\n      ✓ web -> till:http GET /\n" in text


def test_a_vacuous_or_waived_claim_is_never_silent() -> None:
    claims = (
        claim(ClaimVerdict.PROVED, "a", is_vacuous=True),
        claim(ClaimVerdict.REFUTED, "b", is_waived=True),
    )

    text = shown(Report("check", claims=claims, tests=(line_of_test(TestOutcome.FAILED, is_waived=True),)))

    assert "✓ only web reaches till (vacuous)" in text
    assert "✗ only web reaches till (refuted, waived)" in text
    assert "but it is deny at default (failed, waived)" in text


def test_a_title_has_the_sign_of_its_worst_claim() -> None:
    claims = (claim(ClaimVerdict.PROVED), claim(ClaimVerdict.UNKNOWN), claim(ClaimVerdict.REFUTED))

    assert "  ? only web pays\n" in shown(Report("check", claims=claims[:2]))
    assert "  ✗ only web pays\n" in shown(Report("check", claims=claims))


def test_findings_come_by_place() -> None:
    later, earlier = diagnostic("MP301"), diagnostic("MP302", labels=())

    text = shown(replace(everything(), findings=(Finding(later), Finding(earlier))))

    assert text.index("MP302") < text.index("MP301")


def test_what_could_not_be_judged_says_so() -> None:
    report = Report("check", findings=(Finding(diagnostic()),), is_judged=False)

    assert shown(report).splitlines()[-1] == "nothing was judged: 1 error"


def test_a_run_that_was_stopped_says_so() -> None:
    assert shown(Report("check", is_complete=False)).splitlines()[-1].startswith("stopped before the end")


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_nothing_but_what_is_to_be_copied_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(everything(), Look(width)).splitlines()

    assert [line for line in lines if width_of(line) > width and "= eval: " not in line] == []


def test_colour_and_ascii_change_nothing_else() -> None:
    plain = shown(everything(), Look(glyphs=ASCII))

    assert plain.isascii()
    assert "\x1b[" not in plain
    coloured = shown(everything(), Look(has_colour=True))
    assert coloured.count("\x1b[0m") == coloured.count("\x1b[") / 2


def test_what_a_policy_holds_steers_no_terminal() -> None:
    evil = "x\x1b]0;owned\x07\u202e\r\n"
    report = replace(
        everything(),
        policy=evil,
        findings=(Finding(diagnostic(message=evil, notes=(evil,), help=evil)),),
        claims=(claim(ClaimVerdict.REFUTED, evil, reason=evil),),
        tests=(line_of_test(TestOutcome.FAILED, evil),),
    )

    text = shown(report)

    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    assert len(text.splitlines()) < 60
