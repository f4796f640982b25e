"""Checks over random policies, lifted ones too: none fails, and what a finding shows is so for the interpreter."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache

import pytest
from tests.strategies.meshes import DAY, LIFTED, SMALL, random_mesh, seeded

from meshproof.compiler.checks.check import Needs
from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import decide, route
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify import check_claim
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.claim_result import JudgedClaim
from meshproof.dsl.diagnostic import Diagnostic, Severity

POLICIES = 300 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 40


def _findings(mesh: Mesh) -> list[Diagnostic]:
    analysis = Analysis(mesh, DAY)

    @cache
    def claims() -> tuple[JudgedClaim, ...]:
        return tuple(
            (prove, claim, check_claim(analysis, prove, claim)) for prove in mesh.proofs for claim in prove.claims
        )

    context = CheckContext(mesh, DAY, (), {}, lambda: analysis, claims=claims)
    found: list[Diagnostic] = []
    for check in all_checks():
        if check.needs is not Needs.FINDINGS:
            try:
                found.extend(check.find(context))
            except Undecided:
                continue
    return found


def _request(finding: Diagnostic) -> Request | None:
    rows = [row.value for row in finding.evidence if row.kind == "request"]
    return request_from_json(rows[0]) if rows else None


@pytest.mark.parametrize("is_lifted", [False, True])
def test_what_is_shown_is_so(*, is_lifted: bool) -> None:
    seen: Counter[str] = Counter()
    for seed in range(POLICIES):
        mesh = random_mesh(seeded(seed), LIFTED if is_lifted else SMALL)
        for finding in _findings(mesh):
            seen[finding.code] += 1
            assert finding.subject
            _replay(mesh, finding, _request(finding))
    assert len(seen) >= 10, seen
    assert seen["MP501"], seen


def _replay(mesh: Mesh, finding: Diagnostic, request: Request | None) -> None:
    if request is None:
        return
    decision = decide(mesh, request, DAY)
    match finding.code:
        case "MP402":
            assert route(mesh, request, DAY) is None
            assert decision.is_allowed is (finding.severity is Severity.WARNING)
        case "MP408":
            assert decision.is_allowed
            assert isinstance(mesh.node(request.destination), Gateway)
            here = [one for one in mesh.routes if (one.node, one.port) == (request.destination, request.port)]
            spoken = Layer.TCP if request.protocol is RequestProtocol.TCP else Layer.HTTP
            assert not [one for one in here if one.layer in {None, spoken}]  # others are for what is not asked here
        case "MP501":
            assert decision.is_allowed
            assert request.source.identity is None
        case "MP321":
            assert decision.is_allowed
        case _:
            return
