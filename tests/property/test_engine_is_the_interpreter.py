"""The fast engine and the interpreter, read independently from the reference, decide and route every request alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.meshes import DAY, LARGE, SMALL, Size, random_mesh, seeded
from tests.strategies.requests import COMPLETE, random_request
from tests.strategies.worlds import IS_FULL, small_worlds

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced, load
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.sameness import is_same
from meshproof.compiler.semantics import MalformedRequest, decide, route
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.paths import normal_path

PROJECT = Path(__file__).resolve().parents[2]
POLICIES = 4_000 if IS_FULL else 1_000
BATCHES = 4
REQUESTS = 50
HAS_RE2 = find_spec("re2") is not None


def _engine(mesh: Mesh) -> Engine:
    """An engine of what a bundle holds of the mesh: so the bundle leaves out nothing that decides."""
    return Engine(load(dump(Bundle("", "", enforced(mesh)))).mesh)


def _drawn(first: int, policies: int, size: Size) -> Iterator[tuple[Random, Mesh]]:
    """So many policies; without google-re2, an extra, those that hold no regular expression."""
    found = 0
    while found < policies:
        rng = Random(first)  # noqa: S311  reproducible on purpose
        mesh = random_mesh(rng, size)
        first += 1
        if HAS_RE2 or b'"kind":"regex"' not in dump(Bundle("", "", enforced(mesh))):
            found += 1
            yield rng, mesh


def _compare(mesh: Mesh, engine: Engine, request: Request, counts: Counter[object]) -> None:
    try:
        expected = decide(mesh, request, DAY)
    except MalformedRequest:
        counts["malformed"] += 1
        return
    assert engine.decide(request, DAY) == expected, (mesh, request)
    wanted, found = route(mesh, request, DAY), engine.route(request, DAY)
    assert is_same(found, wanted), (mesh, request, found, wanted)
    counts.update(["pairs", (expected.reason, expected.is_allowed)])
    if wanted is not None and wanted.branch is not None:
        counts["routed"] += 1


def _run(seed: int, policies: int, requests: int, size: Size = SMALL) -> Counter[object]:
    counts: Counter[object] = Counter()
    for rng, mesh in _drawn(seed * 1_000_000, policies, size):
        engine = _engine(mesh)
        for _ in range(requests):
            _compare(mesh, engine, random_request(rng, mesh, COMPLETE), counts)
    return counts


def test_random_policies_and_requests() -> None:
    counts = _run(1, 60, 30)
    assert counts["pairs"] >= 1_700
    assert counts["routed"] >= 100
    for step in (Reason.TRANSPORT, Reason.PATH, Reason.TOKEN, Reason.RULE, Reason.DEFAULT):
        assert counts[step, False] > 0, step
    assert counts[Reason.RULE, True] > 100


@pytest.mark.oracle
def test_a_large_policy() -> None:
    assert _run(2, 1, 200, LARGE)["pairs"] >= 190


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_many_random_policies_and_requests(batch: int) -> None:
    """All batches of a full run are 4,000 policies and 200,000 requests, each decided and routed by both."""
    counts = _run(10 + batch, POLICIES // BATCHES, REQUESTS)
    assert counts["pairs"] >= (POLICIES // BATCHES) * (REQUESTS - 1)
    assert counts[Reason.ASK, False] > 0


def test_every_class_of_requests_of_small_policies() -> None:
    """What the solver tells apart, one request of each class: nothing is left to chance there."""
    counts = Counter[object]()
    for world in small_worlds(21, 12, 600):
        if HAS_RE2 or b'"kind":"regex"' not in dump(Bundle("", "", enforced(world.mesh))):
            engine = _engine(world.mesh)
            for judged in world.judged.values():
                for one in judged:
                    _compare(world.mesh, engine, one.request, counts)
    assert counts["pairs"] >= 500
    assert counts["malformed"] == 0


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_the_example_shop(environment: str) -> None:
    folder = PROJECT / "policies/examples/boutique"
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.mesh"))}
    policy = policy_of_texts(texts, environment=environment)
    mesh = policy.meshes[0]
    engine, counts, rng = _engine(mesh), Counter[object](), seeded(7)
    for block in mesh.tests:
        for line in block.lines:
            for request in line.requests:
                _compare(mesh, engine, request, counts)
    assert counts["pairs"] >= 10
    for _ in range(150):
        _compare(mesh, engine, random_request(rng, mesh, COMPLETE), counts)


_PIECES = (
    "/",
    "//",
    ".",
    "..",
    "a",
    "%61",
    "%2e",
    "%2F",
    "%5c",
    "%00",
    "%",
    "%zz",
    "\\",
    ";v",
    "#",
    "?",
    " ",
    "é",
    "~",
    "%7E",
    "%C3",
)


@given(st.lists(st.sampled_from(_PIECES), max_size=8).map("".join))
def test_every_trick_with_paths_comes_to_the_same(text: str) -> None:
    for sent in (text, "/" + text):
        normal = normal_path(sent)
        expected = normalize(sent)
        assert normal == (expected.text if isinstance(expected, NormalPath) else None)
        assert normal is None or normal_path(normal) == normal


def test_tricks_with_paths_meet_the_same_rules() -> None:
    counts = Counter[object]()
    for rng, mesh in _drawn(0, 20, SMALL):
        engine = _engine(mesh)
        for _ in range(30):
            request = random_request(rng, mesh, COMPLETE)
            if request.path is not None:
                tricks = "".join(rng.choice(_PIECES) for _ in range(rng.randint(0, 5)))
                _compare(mesh, engine, replace(request, path=request.path + tricks), counts)
    assert counts["pairs"] > 200
    assert counts[Reason.PATH, False] > 20
