"""Who gives the second opinion: z3 with its own theory of strings, and cvc5 where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

Opinion = bool | None
"""Whether the script can be satisfied; None if the engine does not know."""


def engines() -> dict[str, Callable[[str, int], Opinion]]:
    """The engines that are here, by name. Each takes a script and how many milliseconds it may take."""
    found: dict[str, Callable[[str, int], Opinion]] = {"z3 strings": _z3}
    if find_spec("cvc5") is not None:
        found["cvc5"] = _cvc5
    return found


def _z3(script: str, timeout_ms: int) -> Opinion:
    from z3 import Solver, Z3Exception, sat, unknown, unsat  # noqa: PLC0415  it is loaded if it is asked

    from meshproof.compiler.smt.z3_solver import INTERRUPTED  # noqa: PLC0415  it loads z3

    solver = Solver()
    solver.set("timeout", timeout_ms)
    solver.from_string(script)
    try:
        outcome = solver.check()
    except Z3Exception:  # its string solver gives up in more ways than one
        return None
    if outcome == unknown and solver.reason_unknown() == INTERRUPTED:
        raise KeyboardInterrupt
    return True if outcome == sat else False if outcome == unsat else None


def _cvc5(script: str, timeout_ms: int) -> Opinion:
    import cvc5  # noqa: PLC0415  an extra that is not always there

    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("strings-exp", "true")
    solver.setOption("tlimit-per", str(timeout_ms))
    solver.setLogic("QF_SLIA")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "policy")
    symbols = parser.getSymbolManager()
    command = parser.nextCommand()
    while not command.isNull():
        command.invoke(solver, symbols)
        command = parser.nextCommand()
    outcome = solver.checkSat()
    return True if outcome.isSat() else False if outcome.isUnsat() else None
