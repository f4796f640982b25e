"""A decision in JSON, as the command-line reference gives it: one object a line."""

from __future__ import annotations

import re

from meshproof.compiler.ir.decision import Decision, RouteOutcome
from meshproof.compiler.ir.json_text import Json
from meshproof.compiler.ir.names import written_name
from meshproof.compiler.ir.routing import HeaderEdit, Mirror, Redirect, Retry

_PLACE = re.compile(r"(?<=\])@.*\Z")
"""A branch of lifted files is the same at several ports: its name says at which, but not to people."""


def decision_to_json(decision: Decision, outcome: RouteOutcome | str | None) -> dict[str, Json]:
    """The decision and what the sender's proxy does with the same request, `null` where no branch takes it.

    An outcome that is a text says why the route is not known: `route_error` stands in the place of `route` then. `by`
    is the first of the rules that decided, `also` the rest. A refusal that is only logged (`observe`) is an
    `allow` with `"observed": true`.
    """
    names: list[Json] = [written_name(rule) for rule in decision.determined_by]
    fields: dict[str, Json] = {
        "decision": "allow" if decision.is_allowed else "deny",
        "by": names[0] if names else None,
        "also": names[1:],
        "reason": decision.reason.value,
    }
    if isinstance(outcome, str):
        fields["route_error"] = outcome
    else:
        fields["route"] = None if outcome is None else route_to_json(outcome)
    return fields | {"observed": True} if decision.is_observed else fields


def route_to_json(outcome: RouteOutcome) -> dict[str, Json]:
    """What the sender's proxy does, without what it does not do. `path` is the one after a rewrite."""
    fields: dict[str, Json] = {"destinations": [[name, share] for name, share in outcome.destinations]}
    optional: dict[str, Json] = {
        "branch": None if outcome.branch is None else _PLACE.sub("", outcome.branch),
        "path": outcome.path,
        "timeout_ms": outcome.timeout_ms,
        "retry": None if outcome.retry is None else _retry(outcome.retry),
        "mirror": None if outcome.mirror is None else _mirror(outcome.mirror),
        "headers": [_edit(edit) for edit in outcome.headers] or None,
        "host": outcome.rewrite_host,
        "redirect": None if outcome.redirect is None else _redirect(outcome.redirect),
        "answer": outcome.answer,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}


def _retry(retry: Retry) -> Json:
    conditions: list[Json] = list(retry.conditions)
    return {"attempts": retry.attempts, "on": conditions, "within_ms": retry.within_ms}


def _mirror(mirror: Mirror) -> Json:
    target = mirror.target
    address = target.node if target.port is None else f"{target.node}:{target.port}"
    return {"destination": target.label or target.version or address, "percent": mirror.percent}


def _edit(edit: HeaderEdit) -> Json:
    return [edit.action.value, edit.name] if edit.action == "remove" else [edit.action.value, edit.name, edit.value]


def _redirect(redirect: Redirect) -> Json:
    fields: dict[str, Json] = {"status": redirect.status, "host": redirect.host, "path": redirect.path}
    optional: dict[str, Json] = {
        "scheme": redirect.scheme,
        "port": redirect.port,
        "replaces_prefix": redirect.replaces_prefix or None,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}
