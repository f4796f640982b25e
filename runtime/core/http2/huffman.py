"""Huffman's code of HPACK (RFC 7541, 5.2), read a byte at a time. Half of the time that the library takes.

A state is a node of the code's tree. What a byte means in a state is worked out when it is first met there: at most
256 states, about 2.5 KiB each.
"""

from __future__ import annotations

from typing import Final

from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

_EOS: Final = 256
_PADDING_BITS: Final = 7

Row = tuple[list[bytes | None], bytes]
"""By the byte: the text that ends in it (None: there is no such code), and the state after it."""


class HuffmanError(ValueError):
    """It is no text in Huffman's code."""


def decoded(text: bytes) -> bytes:
    """The text of a string. Raises `HuffmanError` where it holds the end mark, or ends amid a symbol."""
    rows = _ROWS
    state = 0
    found: list[bytes | None] = []
    for byte in text:
        row = rows[state] or _row(state)
        found.append(row[0][byte])
        state = row[1][byte]
    if state not in _ENDS:
        raise HuffmanError("it ends amid a symbol")
    try:
        return b"".join(found)  # type: ignore[arg-type]  # a None is what is caught
    except TypeError:
        raise HuffmanError("it holds the end mark") from None


def _tree() -> list[list[int]]:
    """The inner nodes: where 0 and 1 lead to, another node or (below 0) -1 and less for a symbol."""
    nodes = [[0, 0]]
    for symbol, (code, length) in enumerate(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)):
        at = 0
        for place in range(length - 1, 0, -1):
            bit = code >> place & 1
            if not nodes[at][bit]:
                nodes.append([0, 0])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][code & 1] = -1 - symbol
    return nodes


def _ends() -> frozenset[int]:
    """States in which a text may end: after a symbol, and up to seven bits of padding, all 1."""
    found, at = {0}, 0
    for _ in range(_PADDING_BITS):
        at = _NODES[at][1]
        found.add(at)
    return frozenset(found)


def _row(state: int) -> Row:
    made: list[bytes | None] = []
    nexts = bytearray()
    for byte in range(256):
        text, at = bytearray(), state
        is_good = True
        for place in range(7, -1, -1):
            at = _NODES[at][byte >> place & 1]
            if at < 0:
                symbol, at = -1 - at, 0
                is_good = is_good and symbol != _EOS
                text.append(symbol & 0xFF)
        made.append(_TEXTS.setdefault(bytes(text), bytes(text)) if is_good else None)
        nexts.append(at)
    row = _ROWS[state] = (made, bytes(nexts))
    return row


_NODES: Final = _tree()
_ENDS: Final = _ends()
_ROWS: Final[list[Row | None]] = [None] * len(_NODES)
_TEXTS: Final[dict[bytes, bytes]] = {}
