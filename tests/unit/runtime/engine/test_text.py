from __future__ import annotations

import pytest

from meshproof.runtime.engine.errors import MalformedRequestError
from meshproof.runtime.engine.text import told


def test_a_header_is_read_as_policies_are_written() -> None:
    assert told("é".encode()) == "é"
    assert told(b"a\tb") == "a\tb"


@pytest.mark.parametrize("value", [b"\xe9", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_what_others_would_read_as_something_else_is_read_by_nobody(value: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        told(value)
