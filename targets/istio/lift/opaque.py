"""Findings for the conditions of rules that are not modelled, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.predicate import And, Not, Opaque, Or, Predicate
from meshproof.targets.istio.lift.findings import NOT_MODELLED, LiftFindings
from meshproof.targets.istio.lift.unmodelled import is_unknown_rule


def report_opaque(mesh: Mesh, findings: LiftFindings) -> None:
    """One finding for each such condition; what is a finding already, as an object or a field that is not known, is not
    told again.
    """  # noqa: D205
    told = {one.primary for one in findings.diagnostics}
    for subject, predicate in _conditions(mesh):
        for opaque in _opaque_in(predicate):
            if opaque.origin.span in told:
                continue
            message = f"`{opaque.field}` in `{subject}` is not modelled: decisions that depend on it are unknown"
            findings.add(NOT_MODELLED, message, subject, opaque.origin)


def _conditions(mesh: Mesh) -> Iterator[tuple[str, Predicate]]:
    for rule in mesh.rules:
        if not is_unknown_rule(rule):
            yield written_name(rule.id), rule.when


def _opaque_in(predicate: Predicate) -> Iterator[Opaque]:
    match predicate:
        case Opaque():
            yield predicate
        case Not(operand):
            yield from _opaque_in(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _opaque_in(operand)
        case _:
            return
