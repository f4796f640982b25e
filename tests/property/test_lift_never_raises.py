"""Whatever stands in files, the lift answers with a mesh or with findings; what it makes can be written and read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import pytest
import yaml
from tests.strategies.istio_lifting import WORKLOAD, policy

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir import serde
from meshproof.compiler.ir.json_text import Json
from meshproof.targets.istio.lift.reading import read_istio

RUNS = 2000 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 200
BATCHES = 4
ODD: tuple[Json, ...] = (
    None,
    0,
    -1,
    True,
    "",
    "*",
    [],
    {},
    [None],
    [{}],
    {"a": None},
    "x" * 300,
    1.5,
    "10.0.0.0/8",
    "é",
)
BYTES = (b"\t", b"\x00", b"\xff", b"&a ", b"*a", b"{", b"[", b"- ", b": ", b'"', b"\n---\n", b"!!x ", b"%")


def _documents(root: Path) -> list[Json]:
    golden = sorted((root / "tests/golden/istio").rglob("*.yaml"))
    texts = [path.read_text(encoding="utf-8") for path in golden] + [WORKLOAD + policy("rules: [{}]")]
    return [one for text in texts for one in yaml.safe_load_all(text) if isinstance(one, dict)]


def _places(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [place for key, inner in value.items() for place in _places(inner, (*path, key))]
    elif isinstance(value, list):
        found += [place for index, inner in enumerate(value) for place in _places(inner, (*path, index))]
    return found


def _changed(value: Json, path: tuple[str | int, ...], odd: Json) -> Json:
    """The value with an odd one at the place."""
    if not path:
        return odd
    first, *rest = path
    if isinstance(value, dict):
        return {key: _changed(inner, tuple(rest), odd) if key == first else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [_changed(inner, tuple(rest), odd) if index == first else inner for index, inner in enumerate(value)]


def _says_what_it_read(content: bytes) -> bool:
    found = read_istio((Artifact("a.yaml", content),))
    if found.mesh is not None:
        assert serde.load(serde.dump(found.mesh)) == found.mesh
    for one in found.diagnostics:
        assert one.message == one.message.strip()
    return found.mesh is not None or bool(found.diagnostics)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_odd_values_anywhere(root: Path, batch: int) -> None:
    rng = Random(batch)  # noqa: S311  reproducible on purpose
    documents = _documents(root)
    for _ in range(RUNS // BATCHES):
        chosen = rng.sample(documents, rng.randint(1, 3))
        for _ in range(rng.randint(1, 3)):
            number = rng.randrange(len(chosen))
            chosen[number] = _changed(chosen[number], rng.choice(_places(chosen[number])), rng.choice(ODD))
        assert _says_what_it_read("\n---\n".join(json.dumps(one, default=str) for one in chosen).encode())


@pytest.mark.parametrize("batch", range(BATCHES))
def test_odd_bytes_anywhere(root: Path, batch: int) -> None:
    rng = Random(batch + 100)  # noqa: S311  reproducible on purpose
    texts = [path.read_bytes() for path in sorted((root / "tests/golden/istio").rglob("*.yaml"))]
    for _ in range(RUNS // BATCHES):
        content = rng.choice(texts)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(content))
            content = content[:place] + rng.choice(BYTES) + content[place + rng.randint(0, 20) :]
        assert _says_what_it_read(content)
