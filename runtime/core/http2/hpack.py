# ruff: noqa: PLR2004  the numbers are those of RFC 7541, 5.1 and 6
"""Header blocks (HPACK, RFC 7541): read with a bounded table and a bounded result, written without any table.

What is written is never indexed. So it is stateless, the same bytes for the same line, which can be kept; nothing of
one caller stands in a table that a line of another is compared with; and a line that its sender marked as never to be
indexed stays so, as an intermediary must (RFC 7541, 6.2.3). The library's encoder takes 5 times as long (ADR 0220).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from hpack.table import HeaderTable

from meshproof.runtime.core.http2.frames import Code, ConnectionFault
from meshproof.runtime.core.http2.huffman import HuffmanError, decoded
from meshproof.runtime.core.messages import Field, Fields

OVERHEAD: Final = 32
"""What each line costs besides its bytes, in a table and in a list (RFC 7541, 4.1)."""
_STATIC: Final[tuple[Field, ...]] = ((b"", b""), *HeaderTable.STATIC_TABLE)
_FIRST_DYNAMIC: Final = len(_STATIC)
_TABLE_BYTES: Final = 4096
_MOST_INTEGER: Final = 2**24
_MOST_KEPT: Final = 256
_LONGEST_KEPT: Final = 128
_SECRET: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"})

NO_TABLE: Final = b"\x20"
"""Stands before the first block that we write: our table has no size, so the peer's setting never concerns it."""


class BlockReader:
    """Reads the blocks of one connection, in their order. After a fault its state is lost, and so is the connection.

    `version` changes whenever the table does: equal blocks under equal versions are equal lines.
    """

    __slots__ = ("_entries", "_huffman", "_most", "_size", "_table_bytes", "version")

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: deque[Field] = deque()
        self._size = 0
        self._table_bytes = _TABLE_BYTES
        self._huffman: dict[bytes, bytes] = {}
        self.version = 0

    def read(self, block: bytes) -> Fields | None:
        """The lines of a block; None if they are more than may be, which the table survives.

        Raises `ConnectionFault` for what is no block.
        """
        try:
            return self._read(block)
        except (IndexError, HuffmanError):
            raise ConnectionFault(Code.COMPRESSION_ERROR, "it sends headers that cannot be read") from None

    def _read(self, block: bytes) -> Fields | None:
        fields: Fields = []
        at, end, left = 0, len(block), self._most
        while at < end:
            first = block[at]
            at += 1
            if first & 0x80:
                index = first & 0x7F
                if 0 < index < _FIRST_DYNAMIC:
                    field = _STATIC[index]
                else:
                    if index == 0x7F:
                        index, at = _integer(block, at, index)
                    field = self._entry(index)
            elif first & 0x60 == 0x20:
                at = self._resize(block, at, first & 0x1F, is_first=left == self._most)
                continue
            else:
                mask = 0x3F if first & 0x40 else 0x0F
                field, at = self._literal(block, at, first & mask, mask)
                if mask == 0x3F:
                    self._add(field)
            left -= len(field[0]) + len(field[1]) + OVERHEAD
            if left >= 0:
                fields.append(field)
        return fields if left >= 0 else None

    def _entry(self, index: int) -> Field:
        if 0 < index < _FIRST_DYNAMIC:
            return _STATIC[index]
        if index == 0:
            raise IndexError
        return self._entries[index - _FIRST_DYNAMIC]

    def _literal(self, block: bytes, at: int, index: int, mask: int) -> tuple[Field, int]:
        if index == mask:
            index, at = _integer(block, at, index)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = self._string(block, at)
        value, at = self._string(block, at)
        return (name, value), at

    def _string(self, block: bytes, at: int) -> tuple[bytes, int]:
        first = block[at]
        size = first & 0x7F
        at += 1
        if size == 0x7F:
            size, at = _integer(block, at, size)
        end = at + size
        if end > len(block):
            raise IndexError
        text = block[at:end]
        return (self._inflated(text) if first & 0x80 else text), end

    def _inflated(self, text: bytes) -> bytes:
        """A string out of Huffman's code. What is short is kept: most strings come again."""
        known = self._huffman.get(text)
        if known is None:
            known = decoded(text)
            if len(text) <= _LONGEST_KEPT:
                if len(self._huffman) >= _MOST_KEPT:
                    self._huffman.clear()
                self._huffman[text] = known
        return known

    def _resize(self, block: bytes, at: int, size: int, *, is_first: bool) -> int:
        if not is_first:
            raise IndexError
        if size == 0x1F:
            size, at = _integer(block, at, size)
        if size > _TABLE_BYTES:
            raise IndexError
        self._table_bytes = size
        self._evict(0)
        return at

    def _add(self, field: Field) -> None:
        size = len(field[0]) + len(field[1]) + OVERHEAD
        self._evict(size)
        if size <= self._table_bytes:
            self._entries.appendleft(field)
            self._size += size

    def _evict(self, coming: int) -> None:
        """Make room. An entry that is larger than the table empties it and is not added (RFC 7541, 4.4)."""
        self.version += 1
        while self._entries and self._size + coming > self._table_bytes:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + OVERHEAD


def _integer(block: bytes, at: int, start: int) -> tuple[int, int]:
    """A number that did not fit in its prefix. None here has a use for more than four bytes of it."""
    value, shift = start, 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if value > _MOST_INTEGER:
            raise IndexError
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift > 28:
            raise IndexError


class BlockWriter:
    """Writes blocks. What it has written for a line is kept while there is room, but for secrets."""

    __slots__ = ("_kept", "_prefix")

    def __init__(self) -> None:
        self._kept: dict[Field, bytes] = {}
        self._prefix = NO_TABLE

    def write(self, fields: Fields) -> bytes:
        """The block of these lines."""
        kept = self._kept
        parts = [self._prefix]
        for field in fields:
            line = kept.get(field)
            parts.append(self._line(field) if line is None else line)
        self._prefix = b""
        return b"".join(parts)

    def _line(self, field: Field) -> bytes:
        line = _written(field)
        if len(line) <= _LONGEST_KEPT and field[0] not in _SECRET:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[field] = line
        return line


_WHOLE: Final = {field: index for index, field in reversed(list(enumerate(_STATIC))) if index and field[1]}
_NAMES: Final = {field[0]: index for index, field in reversed(list(enumerate(_STATIC))) if index}


def _written(field: Field) -> bytes:
    name, value = field
    whole = _WHOLE.get(field)
    if whole is not None:
        return bytes((0x80 | whole,))
    index = _NAMES.get(name)
    if index is None:
        return b"\x10" + _text(name) + _text(value)
    return (bytes((0x10 | index,)) if index < 0x0F else bytes((0x1F, index - 0x0F))) + _text(value)


def _text(text: bytes) -> bytes:
    size = len(text)
    if size < 0x7F:
        return bytes((size,)) + text
    prefix = bytearray((0x7F,))
    size -= 0x7F
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + text
