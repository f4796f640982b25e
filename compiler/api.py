"""The Python interface: what the command line does, for programs.

```python
import meshproof
from datetime import date

policy = meshproof.read_policy("policy")
report = meshproof.check(policy, day=date(2026, 11, 23))
refuted = [claim.text for claim in report.claims if claim.verdict == "refuted"]
```

Nothing here prints, and bad input becomes a finding of the report. `meshproof` has these names too, loaded when they
are asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.compiler.driver import judge as judging
from meshproof.compiler.driver import policy as reading
from meshproof.compiler.driver.options import JudgeOptions, Part
from meshproof.compiler.driver.policy import Policy
from meshproof.compiler.ir.decision_json import decision_to_json
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.report.model import Report
from meshproof.compiler.semantics import decide as decide_request
from meshproof.compiler.semantics import route

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.ir.mesh import Mesh

__all__ = ["Part", "Policy", "Report", "check", "decide", "policy_of_texts", "read_policy"]


def read_policy(*paths: str | Path, environment: str | None = None) -> Policy:
    """The policy of files and folders; `environment` keeps it to one of those that the policy declares."""
    return reading.read_policy([Path(path) for path in paths], reading.Reading(environment))


def policy_of_texts(texts: Mapping[str, str], *, environment: str | None = None) -> Policy:
    """The policy of texts by the paths that findings are to show."""
    return reading.policy_of_texts(texts, environment=environment)


def check(policy: Policy, *, day: date, parts: frozenset[Part] = frozenset(Part), is_fast: bool = False) -> Report:
    """All that is to be said about the policy as of `day`; `is_fast` leaves out whatever needs the solver."""
    return judging.judge(policy, JudgeOptions(day, parts=parts, is_fast=is_fast))


def decide(mesh: Mesh, request: Json, *, day: date) -> dict[str, Json]:
    """The decision about a request, both in the JSON forms that `meshproof eval` reads and writes.

    Raises:
        JsonError: the JSON is no request.
        MalformedRequest, MissingAnswer, NotModelled: it has no decision as it was put.
    """
    asked = request_from_json(request, mesh)
    return decision_to_json(decide_request(mesh, asked, day), route(mesh, asked, day))
