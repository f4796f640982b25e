"""What was compiled, as people read it."""

from __future__ import annotations

from meshproof.compiler.backend.residual import Dial, Residual
from meshproof.compiler.report.compiled_text import compiled_lines, dial_lines, residual_lines
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import Compiled, Report

LOOK = Look()
CHECKOUT = "spiffe://td/ns/shop/sa/checkout"


def _compiled(*residuals: Residual, dials: tuple[Dial, ...] = ()) -> Compiled:
    return Compiled("app-mesh", "out", ("a.json",), ("proved",), title="App Mesh", residuals=residuals, dials=dials)


def test_the_files_come_first_and_then_what_is_known_of_them() -> None:
    assert compiled_lines(_compiled(), LOOK) == ["Compiled for app-mesh into out", "  a.json", "  · proved"]


def test_few_names_are_told_and_many_are_counted() -> None:
    few, many = Residual("R2", "kept by callers", ("a", "b")), Residual("R10", "used up", ("a", "b", "c"))
    assert residual_lines(_compiled(few, many), LOOK) == [
        "What App Mesh does not enforce, or does otherwise",
        "  R2   kept by callers (a, b)",
        "  R10  used up (3, such as a)",
    ]


def test_callers_are_called_as_the_policy_calls_them() -> None:
    dials = (Dial("cart", 7070, CHECKOUT, 20000), Dial("cart", 7070, "spiffe://td/host/x", 20001))
    report = Report("compile", identities={CHECKOUT: "checkout"})
    assert dial_lines(report, _compiled(dials=dials), LOOK) == [
        "Who dials another port than the policy says",
        "  cart:7070: checkout 20000, spiffe://td/host/x 20001",
    ]


def test_where_nothing_is_to_be_told_there_is_no_head() -> None:
    assert not residual_lines(_compiled(), LOOK)
    assert not dial_lines(Report("compile"), _compiled(), LOOK)
