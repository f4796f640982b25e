"""Commands that are about one environment, of policies that have several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from meshproof.compiler.driver.policy import Policy

NOT_CHOSEN = "MP021"


def not_chosen(policy: Policy) -> Policy:
    """The policy with no mesh, and the finding that one of its environments must be chosen."""
    names = ", ".join(f"`{name}`" for name in policy.environments)
    finding = Diagnostic(
        code=NOT_CHOSEN,
        severity=problem(NOT_CHOSEN).severity,
        message=f"the policy has the environments {names}, and none was chosen",
        labels=(Label(policy.meshes[0].origin.span, "declares environments", is_primary=True),),
        help=f"add `--env {policy.environments[-1]}`",
    )
    return replace(policy, meshes=(), diagnostics=(*policy.diagnostics, finding))
