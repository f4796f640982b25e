"""Whatever bytes arrive, a reader returns or refuses: changed good input, mixed with noise, for minutes.

The fast lane tries a few of each. `readers.py` says what each reader promises; `run.py` looks for more, by coverage.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.readers import READERS
from tests.fuzz.seeds import seeds

ROOT = Path(__file__).parents[2]
_IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
_MANY = 20_000 if _IS_FULL else 1_000
_SECONDS = 600 if _IS_FULL else 60
_DUST = st.sampled_from(
    (b"\0", b"\n", b"\r\n", b" ", b":", b",", b"%", b"\xff", b"0", b"-1", b"{", b'"', b"[", b"chunked", b"2" * 20)
)


@st.composite
def _changed(draw: st.DrawFn, name: str) -> bytes:
    """Good input in which pieces are cut, doubled, swapped with those of other input, or others than they were."""
    known = seeds()[name]
    found = draw(st.sampled_from(known))
    for _ in range(draw(st.integers(0, 6))):
        at, end = sorted((draw(st.integers(0, len(found))), draw(st.integers(0, len(found)))))
        match draw(st.sampled_from(("cut", "double", "swap", "byte", "dust", "noise"))):
            case "cut":
                found = found[:at] + found[end:]
            case "double":
                found = found[:end] + found[at:end][:400] + found[end:]
            case "swap":
                other = draw(st.sampled_from(known))
                found = found[:at] + other[at:end] + found[end:]
            case "byte":
                found = found[:at] + bytes([draw(st.integers(0, 255))]) + found[at + 1 :]
            case "dust":
                found = found[:at] + draw(_DUST) + found[at:]
            case _:
                found = found[:at] + draw(st.binary(max_size=12)) + found[end:]
    return found[:8192]


@pytest.mark.parametrize("name", READERS)
def test_good_input_is_read(name: str) -> None:
    assert seeds()[name]
    for seed in seeds()[name]:
        READERS[name](seed)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=25)
@given(st.data())
def test_a_few_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    some = data.draw(_changed(name) | st.binary(max_size=200))
    READERS[name](some)
    assert len(some) <= 8192


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=_MANY)
@given(st.data())
def test_many_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    some = data.draw(_changed(name) | st.binary(max_size=400))
    READERS[name](some)
    assert len(some) <= 8192


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this system")
@pytest.mark.parametrize("name", READERS)
def test_coverage_finds_nothing_more(name: str, tmp_path: Path) -> None:
    limits = [f"-max_total_time={_SECONDS}", "-timeout=20", "-max_len=4096"]
    command = [sys.executable, "-m", "tests.fuzz.run", name, *limits]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
