"""Answers as bytes."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from urllib.parse import quote

from meshproof.compiler.ir.json_text import Json, canonical
from meshproof.runtime.core.http1 import Fault
from meshproof.runtime.extauthz.answer import Answer

_MOST_RULES = 2048


@lru_cache(1024)
def answer_bytes(answer: Answer, policy: str, *, is_last: bool) -> bytes:
    """The answer to an Envoy: the rules and the policy stand in headers, and not in the body that callers may see."""
    named = (("x-meshproof-rules", answer.rules), ("x-meshproof-audited", answer.audited))
    fields = (
        ("x-meshproof-decision", answer.decision),
        ("x-meshproof-reason", answer.reason),
        *((name, _listed(rules)) for name, rules in named if rules),
        ("x-meshproof-policy", quote(policy, safe=":")),
    )
    return _response(answer.status, {"decision": answer.decision, "reason": answer.reason}, fields, is_last=is_last)


def _listed(rules: tuple[str, ...]) -> str:
    return ", ".join(quote(rule, safe="/._-") for rule in rules)[:_MOST_RULES]


def fault_bytes(fault: Fault) -> bytes:
    """The last answer on a connection whose peer broke a rule; it says nothing of what was sent."""
    return _response(fault.status, {"decision": "deny", "reason": "malformed"}, (), is_last=True)


def health_bytes(status: int, word: str) -> bytes:
    """The answer of a health endpoint, after which the connection ends."""
    return _response(status, {"status": word}, (), is_last=True)


def _response(status: int, body: Json, fields: tuple[tuple[str, str], ...], *, is_last: bool) -> bytes:
    content = canonical(body)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in fields),
        "content-type: application/json",
        f"content-length: {len(content)}",
        "cache-control: no-store",
        *(["connection: close"] if is_last else []),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("ascii") + content
