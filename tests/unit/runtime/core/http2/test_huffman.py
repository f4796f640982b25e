"""Huffman's code beside the package hpack, byte by byte."""

from __future__ import annotations

import pytest
from hpack.exceptions import HPACKDecodingError
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.http2.huffman import HuffmanError, decoded

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@pytest.mark.parametrize("symbol", range(256))
def test_every_symbol_after_every_other_kind_is_read(symbol: int) -> None:
    for text in (bytes((symbol,)), bytes((symbol, 0, symbol)), b"a" + bytes((symbol,)) * 9, bytes((symbol, 255))):
        assert decoded(ENCODER.encode(text)) == text


@given(st.binary(max_size=200))
def test_what_is_written_is_read(text: bytes) -> None:
    assert decoded(ENCODER.encode(text)) == text


@given(st.binary(max_size=30))
def test_any_bytes_are_read_as_hpack_reads_them(text: bytes) -> None:
    try:
        expected: bytes | None = decode_huffman(text)
    except HPACKDecodingError:
        expected = None
    try:
        found: bytes | None = decoded(text)
    except HuffmanError:
        found = None
    assert found == expected


@pytest.mark.parametrize("text", [b"\xff", b"\x1f\xff", b"\xff\xff\xff\xff", b"\xff\xff\xff\xfc\x00", b"\x00"])
def test_padding_of_a_byte_and_the_end_mark_are_refused(text: bytes) -> None:
    with pytest.raises(HuffmanError):
        decoded(text)


def test_padding_is_what_the_end_mark_begins_with() -> None:
    assert decoded(b"\x1f") == b"a"
    with pytest.raises(HuffmanError):
        decoded(b"\x1e")
