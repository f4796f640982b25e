from __future__ import annotations

import pytest

from meshproof.runtime.core.http2.frames import PREFACE
from meshproof.runtime.core.http2.preface import speaks_http2


@pytest.mark.parametrize("size", range(1, len(PREFACE)))
def test_a_part_of_the_preface_tells_nothing(size: int) -> None:
    assert speaks_http2(PREFACE[:size]) is None
    assert speaks_http2(memoryview(PREFACE[:size])) is None


def test_the_whole_of_it_is_http2_whatever_follows() -> None:
    assert speaks_http2(PREFACE) is True
    assert speaks_http2(memoryview(PREFACE + b"\0\0\0\4")) is True


@pytest.mark.parametrize("start", [b"G", b"PRI * HTTP/1", b"PUT /", b"\x16\x03\x01", PREFACE[:-1] + b"x"])
def test_all_else_is_not(start: bytes) -> None:
    assert speaks_http2(start) is False
