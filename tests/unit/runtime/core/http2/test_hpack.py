"""Header blocks beside the package hpack: each reads what the other writes, and both refuse what is none."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder, HeaderTuple, HPACKError, NeverIndexedHeaderTuple
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.hpack import BlockReader, BlockWriter
from meshproof.runtime.core.messages import Fields

MOST = 65_536
SOME = st.sampled_from((b":path", b"/", b":method", b"GET", b"cookie", b"", b"x" * 130, b"accept-encoding", b"\xff\0"))
TEXT = SOME | st.binary(max_size=300)
LINES = st.lists(st.tuples(TEXT, TEXT), max_size=12)


def _decoder() -> Decoder:
    decoder = Decoder(max_header_list_size=2**30)
    decoder.max_allowed_table_size = 4096
    return decoder


def _plain(lines: object) -> Fields:
    assert isinstance(lines, list)
    return [(bytes(name), bytes(value)) for name, value in lines]


@given(st.lists(st.tuples(LINES, st.booleans(), st.sampled_from((None, None, 0, 100, 4096))), max_size=6))
def test_what_hpack_writes_is_read(blocks: list[tuple[Fields, bool, int | None]]) -> None:
    encoder, reader = Encoder(), BlockReader(MOST)
    for lines, is_huffman, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        written = encoder.encode(lines, huffman=is_huffman)
        assert reader.read(written) == lines


@given(st.lists(LINES, max_size=6))
def test_what_is_written_hpack_reads(blocks: list[Fields]) -> None:
    writer, decoder = BlockWriter(), _decoder()
    for lines in blocks:
        read = decoder.decode(writer.write(lines), raw=True)
        assert _plain(read) == lines
    assert decoder.header_table.maxsize in {0, 4096}
    assert list(decoder.header_table.dynamic_entries) == []


def test_what_is_written_is_never_to_be_indexed() -> None:
    read = _decoder().decode(BlockWriter().write([(b"authorization", b"Bearer x"), (b"x-a", b"1")]), raw=True)

    assert [type(line) for line in read] == [NeverIndexedHeaderTuple, NeverIndexedHeaderTuple]
    assert issubclass(NeverIndexedHeaderTuple, HeaderTuple)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_random_bytes_are_read_as_hpack_reads_them(blocks: list[bytes]) -> None:
    """One that refuses ends its connection; ours also refuses numbers that nobody means, and a table above 4 KiB."""
    reader, decoder = BlockReader(MOST), _decoder()
    for block in blocks:
        try:
            ours = reader.read(block)
        except ConnectionFault:
            return
        try:
            theirs = _plain(decoder.decode(block, raw=True))
        except (HPACKError, IndexError):
            pytest.fail(f"hpack refuses {block!r}")
        assert ours == theirs


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",  # index 0
        b"\xbe",  # beyond the static table, where nothing is
        b"\xff\xff\xff\xff\xff\x7f",  # an index that is too large
        b"\x00\x05ab",  # a string that does not end
        b"\x00\x81\xff\x00",  # padding of Huffman's code that is too long, or EOS
        b"\x00\x84\xff\xff\xff\xff\x00",  # EOS
        b"\x3f\xe2\x1f",  # a table of 4,097 bytes
        b"\x82\x20",  # a size after a line
        b"\x40",
        b"\x00\x7f",
    ],
)
def test_what_is_no_block_is_refused(block: bytes) -> None:
    with pytest.raises(ConnectionFault) as fault:
        BlockReader(MOST).read(block)
    assert fault.value.code == Code.COMPRESSION_ERROR


def test_a_block_of_references_is_bounded_by_what_it_means() -> None:
    reader = BlockReader(10_000)
    large = b"\x40\x01a\x7f\x81\x17" + b"v" * 3072  # it stays in the table

    assert reader.read(large) is not None
    assert reader.read(b"\xbe" * 4) is None
    assert reader.read(b"\xbe" * 3) == [(b"a", b"v" * 3072)] * 3


def test_a_line_larger_than_the_table_empties_it() -> None:
    reader = BlockReader(MOST)
    assert reader.read(b"\x40\x01a\x01b") == [(b"a", b"b")]
    assert reader.read(b"\x40\x01a\x7f\x81\x1f" + b"v" * 4096) == [(b"a", b"v" * 4096)]
    with pytest.raises(ConnectionFault):
        reader.read(b"\xbe")


def test_secrets_are_not_kept() -> None:
    writer = BlockWriter()
    writer.write([(b"authorization", b"Bearer secret"), (b"cookie", b"secret"), (b"x-a", b"1")])

    assert set(writer._kept) == {(b"x-a", b"1")}
