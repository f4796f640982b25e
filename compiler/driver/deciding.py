"""Deciding requests that come as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from meshproof.compiler.ir.decision_json import decision_to_json
from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.report.honesty import members
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide, route

if TYPE_CHECKING:
    from datetime import date

    from meshproof.compiler.ir.decision import RouteOutcome
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request


class Answered(Enum):
    """What became of a line: decided, no request that can be decided, or one that needs what is not modelled."""

    DECIDED = "decided"
    MALFORMED = "malformed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Answer:
    """The line of JSON that answers a line, without its line end."""

    outcome: Answered
    text: str


def answer(mesh: Mesh, line: str, day: date) -> Answer:
    """The decision about the request on a line, or what keeps it from one; never an exception."""
    try:
        request = request_from_json(line, mesh)
        if request.port in mesh.proxy_ports:
            reason = f"port `{request.port}` is the proxy's own, and under no policy"
            return _answer(Answered.UNDECIDED, {"error": reason})
        decision = decide(mesh, request, day)
        told = decision_to_json(decision, route_of(mesh, request, day))
        return _answer(Answered.DECIDED, told | members(mesh.judgement))
    except JsonError as error:
        return _answer(Answered.MALFORMED, {"error": str(error)})
    except MalformedRequest as error:
        return _answer(Answered.MALFORMED, {"error": error.reason})
    except MissingAnswer as error:
        return _answer(Answered.MALFORMED, {"error": str(error)})
    except NotModelled as error:
        return _answer(Answered.UNDECIDED, {"error": error.told})


def route_of(mesh: Mesh, request: Request, day: date) -> RouteOutcome | str | None:
    """Where the request is sent, or why that is not known: it may hang on what the decision does not."""
    try:
        return route(mesh, request, day)
    except (MalformedRequest, NotModelled) as error:
        return str(error)


def _answer(outcome: Answered, value: dict[str, Json]) -> Answer:
    return Answer(outcome, json.dumps(value, ensure_ascii=False))
