"""Every application of the corpus is checked within seconds, without a traceback, with all of its fields told."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tools.istio_audit import DAY, applications

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.istio.lift.reading import IstioReading, read_istio

pytestmark = [pytest.mark.corpus]

MESHPROOF = Path(sys.executable).parent / "meshproof"
MOST_SECONDS = 5.0
CODES = (0, 1, 3)


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(path: Path) -> IstioReading:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix in {".yaml", ".yml"})
    base = path.parent if path.is_file() else path
    return read_istio(tuple(Artifact(one.relative_to(base).as_posix(), one.read_bytes()) for one in files))


@pytest.mark.slow
def test_each_is_checked_within_five_seconds_of_the_processor(corpus: Path) -> None:
    slow, broken = [], []
    for name, path in applications(corpus):
        before = _seconds()
        run = subprocess.run(
            [MESHPROOF, "check", path, "--at", DAY.isoformat()], capture_output=True, text=True, check=False
        )
        if _seconds() - before > MOST_SECONDS:
            slow.append(name)
        if run.returncode not in CODES or run.stderr:
            broken.append((name, run.returncode, run.stderr))

    assert broken == []
    assert slow == []


def test_every_field_is_told(corpus: Path) -> None:
    """What is neither in the mesh nor of no import is a finding about its object, or about the field."""
    silent = []
    for name, path in applications(corpus):
        found = _read(path)
        said = [one.message for one in found.diagnostics if one.code in {"MP711", "MP713"}]
        silent += [
            (name, gap.object, gap.path)
            for gap in found.accounts.gaps
            if not any(f"`{gap.object}`" in message or f"`{gap.path}`" in message for message in said)
        ]

    assert silent == []


def test_every_object_is_read_or_counted(corpus: Path) -> None:
    counted = {name: dict(_read(path).context.objects.skipped) for name, path in applications(corpus)}

    assert len(counted) >= 22
    assert counted["smi-spec"]["TrafficSplit.split.smi-spec.io"] > 0
    assert "AuthorizationPolicy.security.istio.io" not in {kind for kinds in counted.values() for kind in kinds}
