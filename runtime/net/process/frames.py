"""What parent and workers say to each other over a pair of sockets: a kind, some fields, some blobs.

Both sides are the same program, so what does not parse is an error of ours and not of a peer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse

_SIZE = 4
_MOST_HEAD = 16 * 1024 * 1024


class FrameError(Exception):
    """The other side does not say what this side understands."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. Blobs are in no representation: a private key may be among them."""

    kind: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    blobs: tuple[bytes, ...] = field(default=(), repr=False)

    def text(self, name: str) -> str:
        """A field that is a string. Raises `FrameError`."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise FrameError(f"`{self.kind}` has no text `{name}`")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is a list of strings. Raises `FrameError`."""
        value = self.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise FrameError(f"`{self.kind}` has no texts `{name}`")
        return tuple(str(one) for one in value)

    def number(self, name: str) -> int:
        """A field that is a whole number. Raises `FrameError`."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FrameError(f"`{self.kind}` has no number `{name}`")
        return value


def dump(frame: Frame) -> bytes:
    """The bytes of a frame."""
    head = canonical({"kind": frame.kind, "fields": dict(frame.fields), "blobs": [len(one) for one in frame.blobs]})
    return b"".join((len(head).to_bytes(_SIZE), head, *frame.blobs))


class FrameReader:
    """Frames out of bytes, however they are cut."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises `FrameError`."""
        self._held += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Frame | None:
        held = self._held
        if len(held) < _SIZE:
            return None
        end = _SIZE + int.from_bytes(held[:_SIZE])
        if end > _MOST_HEAD:
            raise FrameError("a frame is larger than any that is sent")
        if len(held) < end:
            return None
        kind, fields, sizes = _head(bytes(held[_SIZE:end]))
        if len(held) < end + sum(sizes):
            return None
        blobs = []
        for size in sizes:
            blobs.append(bytes(held[end : end + size]))
            end += size
        del held[:end]
        return Frame(kind, fields, tuple(blobs))


def _head(text: bytes) -> tuple[str, Mapping[str, Json], tuple[int, ...]]:
    try:
        value = parse(text)
    except JsonError as error:
        raise FrameError(str(error)) from None
    match value:
        case {"kind": str(kind), "fields": dict(fields), "blobs": list(blobs)}:
            sizes = tuple(one for one in blobs if isinstance(one, int) and one >= 0)
            if len(sizes) == len(blobs):
                return kind, fields, sizes
        case _:
            pass
    raise FrameError("a frame has no kind, no fields or no blobs")
