"""How long it takes to say what a change of a large policy opens and closes, after both versions are parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from random import Random

from benchmarks.case import Case
from benchmarks.large_policy import policy_text

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.semantic_diff import semantic_diff
from meshproof.compiler.verify.semantic_diff_values import DiffVerdict

DAY = date(2026, 11, 23)
SERVICES, RULES, CHANGED = 500, 20_000, 5
_NARROW = re.compile(r"^allow r\d+: \{ .* \} -> [a-z]+-\d+:http \{ .* \}$", re.MULTILINE)


def cases() -> Iterator[Case]:
    """Nothing changed but that every line has moved; a few rules; the mode of one service, and a rule for a zone."""
    text = policy_text(SERVICES, RULES, claims=0)
    old = _mesh(text)
    yield Case(f"{RULES} rules, none changed", partial(_equal, old, _mesh("# moved\n" + text)), 0.5)
    yield Case(f"{RULES} rules, {CHANGED} changed", partial(_differ, old, _mesh(_edited(text))), 1.5)
    added = text + 'allow more: shop-0 -> tagged pci { GET /more/** because "a benchmark" }\n'
    yield Case(f"{RULES} rules, one added for every service of a tag", partial(_differ, old, _mesh(added)))


def _mesh(text: str) -> Mesh:
    return policy_of_texts({"bench.mesh": text}).meshes[0]


def _edited(text: str) -> str:
    """Some narrow rules let in one more path."""
    random = Random(CHANGED)  # noqa: S311  the same edits each time
    chosen = {match.start() for match in random.sample(list(_NARROW.finditer(text)), k=CHANGED)}
    return _NARROW.sub(
        lambda match: (
            match[0].replace(" }", "  GET /new/** }").replace("  GET /new/** }", " }", 1)
            if match.start() in chosen
            else match[0]
        ),
        text,
    )


def _equal(old: Mesh, new: Mesh) -> None:
    found = semantic_diff(old, new, DAY)
    if found.verdict is not DiffVerdict.EQUAL:
        raise AssertionError(found.verdict)


def _differ(old: Mesh, new: Mesh) -> None:
    found = semantic_diff(old, new, DAY)
    if not found.is_complete or found.verdict is not DiffVerdict.LOOSER:
        raise AssertionError(found.verdict)
