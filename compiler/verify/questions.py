"""The questions that a verdict rests on, as text that others can put to a solver of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.smtlib import smtlib
from meshproof.compiler.smt.strings_engines import engines


class Expected(StrEnum):
    """What a solver is expected to answer."""

    SATISFIABLE = "sat"
    UNSATISFIABLE = "unsat"
    UNKNOWN = "unknown"
    """It was not found out: whatever a solver answers, nothing rests on it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one port: SMT-LIB that stands alone, and what comes of it.

    It is over the classes that the first encoding makes, or over strings, as the second has it.
    """

    port: str
    expected: Expected
    script: str
    is_over_strings: bool = False


class AnswerChanged(AssertionError):  # noqa: N818  it says what happened
    """A solver that is told a question as text answers it differently: a bug in the text or in the answer."""


def asked_again(question: Question, timeout_ms: int) -> Question:
    """The question if z3, which is told the text alone, comes to what is expected; else as one of unknown answer.

    Raises AnswerChanged.
    """
    if question.expected is Expected.UNKNOWN:
        return question
    found = engines()["z3 strings"](question.script, timeout_ms)
    if found is None:
        return replace(question, expected=Expected.UNKNOWN)
    if found is not (question.expected is Expected.SATISFIABLE):
        raise AnswerChanged(
            f"at {question.port} {question.expected} was found and z3 says otherwise of the same question"
        )
    return question


class Questions:
    """Takes note of what is asked, each question once, in the order of asking."""

    def __init__(self) -> None:
        self._asked: dict[Question, None] = {}

    def record(self, port: str, encoding: Encoding, formula: Formula, has_some: bool | None) -> None:  # noqa: FBT001  three values
        """Take note of a question and of its answer."""
        expected = {True: Expected.SATISFIABLE, False: Expected.UNSATISFIABLE, None: Expected.UNKNOWN}[has_some]
        self._asked[Question(port, expected, smtlib(encoding, formula))] = None

    @property
    def asked(self) -> tuple[Question, ...]:
        """Everything that was asked."""
        return tuple(self._asked)
