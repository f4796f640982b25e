"""What findings show: requests, proofs, and names for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.names import RuleId, written_name
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.dsl.diagnostic import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.ir.request import Request

MOST_NAMES = 4
"""More names than these nobody reads; the rest is counted."""


def request_row(request: Request) -> Evidence:
    """A request as evidence, so that `meshproof eval` takes it."""
    return Evidence("request", json.dumps(request_to_json(request), ensure_ascii=False))


def proof_row(sentence: str) -> Evidence:
    """What the solver has proved."""
    return Evidence("proof", sentence)


def is_for_want_of_facts(reason: str) -> bool:
    """Whether something stays open because files do not say it, or say what is not modelled: no time helps."""
    return "not modelled" in reason or "no file says" in reason


def every(names: Sequence[str]) -> tuple[str, ...]:
    """A note with all names, where `listed` leaves some out."""
    if len(names) <= MOST_NAMES:
        return ()
    return (f"all {len(names)}: {', '.join(f'`{name}`' for name in names)}",)


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`; a long list ends in how many more there are. The forms of a rule are one name."""
    names = tuple(dict.fromkeys(written_name(RuleId(name)) for name in names))
    shown = [f"`{name}`" for name in names[:MOST_NAMES]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
