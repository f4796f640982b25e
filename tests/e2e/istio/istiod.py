"""The program that runs istiod's own code over objects and prints what it would push (tools/istio_oracle)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.istio.clusters import Cluster

SWITCH = "MESHPROOF_ISTIO_ORACLE"
"""Names the built program, or is `build`: then Go builds it, which takes minutes."""

SOURCE = Path(__file__).parents[3] / "tools" / "istio_oracle"
Listener = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What istiod would push to the proxies, in the order of the pods, and why it refuses objects, by their places."""

    refusals: dict[str, str]
    listeners: tuple[tuple[Listener, ...], ...]


def why_not() -> str | None:
    """Why there is no program to run; None if there is one."""
    wanted = os.environ.get(SWITCH)
    if not wanted:
        return f"{SWITCH} is not set: `build`, or the path of the program made from tools/istio_oracle"
    if wanted == "build":
        return None if shutil.which("go") else "needs Go"
    return None if Path(wanted).is_file() else f"{wanted} is no file"


def program(folder: Path) -> Path:
    """The program, built into the folder if it is not at hand."""
    wanted = os.environ[SWITCH]
    if wanted != "build":
        return Path(wanted)
    built = folder / "istio_oracle"
    subprocess.run(["go", "build", "-o", str(built), "."], cwd=SOURCE, check=True)
    return built


@dataclass(frozen=True, slots=True)
class Istiod:
    """The running program."""

    process: subprocess.Popen[str]

    def push(self, cluster: Cluster) -> Pushed:
        """What is pushed in a cluster. Raises `AssertionError` with istiod's words where it does not take it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(cluster.case()) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        assert "error" not in found, found["error"]
        return Pushed(found["refusals"], tuple(map(tuple, found["listeners"])))


@contextmanager
def running(path: Path, **flags: str) -> Iterator[Istiod]:
    """The program with feature flags of istiod, until the block ends."""
    with subprocess.Popen(
        [str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **flags},
    ) as process:  # fmt: skip
        yield Istiod(process)
        assert process.stdin is not None
        process.stdin.close()
