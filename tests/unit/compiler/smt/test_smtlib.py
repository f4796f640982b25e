"""Questions as text: a solver that is told nothing else comes to what the search came to."""

from __future__ import annotations

from itertools import combinations

import pytest
from tests.strategies.claims import with_claims
from tests.strategies.meshes import DAY, LIFTED, SMALL, Size, random_mesh, seeded

from meshproof.compiler.smt.smtlib import closed
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.verify import Analysis, check_claim
from meshproof.compiler.verify.questions import AnswerChanged, Expected, Question, Questions, asked_again

ASK = engines()["z3 strings"]
POLICIES = 25


def questions(seed: int, size: Size) -> tuple[Question, ...]:
    """What is asked for a few claims about a random policy."""
    rng = seeded(seed)
    mesh = with_claims(rng, random_mesh(rng, size), 4)
    asked = Questions()
    for prove in mesh.proofs:
        for claim in prove.claims:
            check_claim(Analysis(mesh, DAY, record=asked.record), prove, claim)
    return asked.asked


@pytest.mark.parametrize("size", [SMALL, LIFTED])
def test_the_text_alone_has_the_answer_that_was_found(size: Size) -> None:
    seen = {
        question.expected: ASK(question.script, 10_000)
        for seed in range(POLICIES)
        for question in questions(seed, size)
        if asked_again(question, 10_000) == question
    }

    assert seen[Expected.SATISFIABLE] is True
    assert seen[Expected.UNSATISFIABLE] is False


def test_another_answer_is_an_error_of_ours() -> None:
    some = questions(1, SMALL)
    contrary = {Expected.SATISFIABLE: Expected.UNSATISFIABLE, Expected.UNSATISFIABLE: Expected.SATISFIABLE}

    for question in some:
        with pytest.raises(AnswerChanged, match="z3 says otherwise"):
            asked_again(Question(question.port, contrary[question.expected], question.script), 10_000)

    assert some


def test_a_question_without_an_answer_is_not_asked_and_one_that_gets_none_is_unknown() -> None:
    hard = " ".join(f"(assert (not (= (bvmul x{a} x{b}) (_ bv1 64))))" for a, b in combinations("abcdef", 2))
    declared = "".join(f"(declare-const x{name} (_ BitVec 64))" for name in "abcdef")
    factors = "(assert (= (bvmul xa xb) (_ bv1152921504606846883 64))) (assert (bvugt xa (_ bv1 64)))"
    script = f"(set-logic QF_BV){declared}{hard}{factors}(assert (bvult xa (_ bv1073741824 64)))(check-sat)"

    assert asked_again(Question("a:b", Expected.UNKNOWN, "no script"), 1).expected is Expected.UNKNOWN
    assert asked_again(Question("a:b", Expected.SATISFIABLE, script), 1).expected is Expected.UNKNOWN


def test_the_same_policy_gives_the_same_text() -> None:
    assert questions(3, SMALL) == questions(3, SMALL) != ()


def test_text_is_ascii_whatever_a_policy_writes() -> None:
    assert all(question.script.isascii() for seed in range(POLICIES) for question in questions(seed, SMALL))


def test_the_second_encoding_stands_alone_too() -> None:
    script = closed('(declare-const a String)\n(assert (str.in_re a (re.+ (str.to_re "x"))))')

    assert ASK(script, 10_000) is True
    assert script.endswith("(check-sat)\n")


@pytest.mark.oracle
@pytest.mark.slow
def test_cvc5_comes_to_the_same() -> None:
    pytest.importorskip("cvc5")
    asked = [question for seed in range(POLICIES) for size in (SMALL, LIFTED) for question in questions(seed, size)]
    strings = closed('(declare-const a String)\n(assert (str.in_re a (re.+ (str.to_re "x"))))')

    assert cvc5_says(strings) == "sat"
    for expected in (Expected.SATISFIABLE, Expected.UNSATISFIABLE):
        assert {cvc5_says(one.script) for one in asked if one.expected is expected} == {expected.value}


def cvc5_says(script: str) -> str:
    """What cvc5 prints for a file, told nothing besides."""
    import cvc5  # noqa: PLC0415  an extra that is not always there

    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("strings-exp", "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "question")
    symbols = parser.getSymbolManager()
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return said.strip()
