"""What every sentence of "What happens to a request" means: `semantics/*.md`, policies, requests, and what is decided.

In a file, the fence `mesh` is the policy, the fence `json` a request, and each line of a fence `cases` another one:
what it changes in the first (`"-"` leaves a field out), then `=>` and the outcome.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from meshproof.compiler.ir.decision import Decision, Reason, RouteOutcome
from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.resolve import resolve
from meshproof.compiler.semantics import (
    MalformedRequest,
    MissingAnswer,
    decide,
    forwarded,
    mirrored,
    passes_transport,
    route,
)
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

DAY = date(2026, 11, 23)
FOLDER = Path(__file__).parent / "semantics"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Case:
    policy: str
    request: dict[str, object]
    expected: str


def _cases() -> Iterator[ParameterSet]:
    for path in sorted(FOLDER.glob("*.md")):
        policy = ""
        base: dict[str, object] = {}
        for kind, body in FENCE.findall(path.read_text(encoding="utf-8")):
            if kind == "mesh":
                policy = body
            elif kind == "json":
                base = json.loads(body)
            else:
                assert kind == "cases"
                for line in body.splitlines():
                    change, _, expected = line.partition(" => ")
                    case = Case(policy, base | json.loads(change), expected.strip())
                    yield pytest.param(case, id=f"{path.stem}: {line}")


@cache
def _mesh(text: str) -> Mesh:
    parsed = parse(SourceFile("in.mesh", text))
    resolution = resolve([parsed.document])
    found = (*parsed.diagnostics, *resolution.diagnostics)
    assert [one.message for one in found if one.severity is Severity.ERROR] == []
    (mesh,) = resolution.meshes
    return mesh


def _outcome(case: Case) -> str:
    mesh = _mesh(case.policy)
    try:
        request = request_from_json(_json(case.request), mesh)
    except JsonError as error:
        return f"unreadable: {error.message}"
    what = case.expected.partition(" ")[0]
    try:
        return _judged(mesh, request, what)
    except MalformedRequest as error:
        return f"{what} malformed: {error.reason}".removeprefix("malformed: ")
    except MissingAnswer as error:
        return f"needs {error.authorizer}"


def _json(request: dict[str, object]) -> str:
    return json.dumps({name: value for name, value in request.items() if value != "-"})


def _judged(mesh: Mesh, request: Request, what: str) -> str:
    match what:
        case "route":
            return f"route {_route(route(mesh, request, DAY))}"
        case "mirror":
            copy = mirrored(mesh, request, DAY)
            return "mirror none" if copy is None else f"mirror {_place(copy)} {_decision(decide(mesh, copy, DAY))}"
        case "hops":
            hops = [f"{_place(hop)} {_decision(decide(mesh, hop, DAY))}" for hop in forwarded(mesh, request, DAY)]
            return f"hops {' then '.join([_decision(decide(mesh, request, DAY)), ' and '.join(hops) or 'nothing'])}"
        case "passes" | "fails":
            return "passes transport" if passes_transport(mesh, request, DAY) else "fails transport"
        case _:
            return _decision(decide(mesh, request, DAY))


def _place(request: Request) -> str:
    return f"{request.destination}:{request.port}{'' if request.path is None else ' ' + request.path}"


def _decision(decision: Decision) -> str:
    word = "allow" if decision.is_allowed else "deny"
    names = f" by {', '.join(decision.determined_by)}" if decision.determined_by else ""
    step = "" if decision.reason is Reason.RULE else f" at {decision.reason}"
    return word + step + names + (" (observed)" if decision.is_observed else "")


def _route(outcome: RouteOutcome | None) -> str:
    if outcome is None:
        return "none"
    if outcome.redirect is not None:
        return f"redirect {outcome.redirect.status}"
    shares = ", ".join(f"{name} {share}%" for name, share in outcome.destinations)
    return shares if outcome.path is None else f"{shares} as {outcome.path}"


@pytest.mark.parametrize("case", list(_cases()))
def test_outcome(case: Case) -> None:
    assert _outcome(case) == case.expected
