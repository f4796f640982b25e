"""What parent and workers say to each other, however it is cut on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.net.process.frames import Frame, FrameError, FrameReader, dump

FIELDS = st.dictionaries(st.text(max_size=8), st.integers(-(2**31), 2**31) | st.text(max_size=8), max_size=3)
FRAMES = st.lists(
    st.builds(Frame, st.text(max_size=8), FIELDS, st.lists(st.binary(max_size=40), max_size=3).map(tuple)), max_size=4
)


@given(FRAMES, st.integers(1, 50))
def test_what_is_said_is_heard_however_it_is_cut(frames: list[Frame], piece: int) -> None:
    data = b"".join(map(dump, frames))
    reader = FrameReader()
    heard = [frame for start in range(0, len(data), piece) for frame in reader.feed(data[start : start + piece])]
    assert heard == frames


@given(st.binary(max_size=200))
def test_what_is_no_frame_is_refused_or_waits(data: bytes) -> None:
    try:
        assert all(isinstance(frame, Frame) for frame in FrameReader().feed(data))
    except FrameError as error:
        assert str(error)  # noqa: PT017  either is right


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"{", "unexpected|expected|JSON"),
        (b'{"kind":"a","fields":{}}', "no kind, no fields or no blobs"),
        (b'{"blobs":[-1],"fields":{},"kind":"a"}', "no kind, no fields or no blobs"),
    ],
)
def test_a_head_that_is_none_is_refused(head: bytes, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        list(FrameReader().feed(len(head).to_bytes(4) + head))


def test_a_frame_that_says_that_it_is_huge_is_refused_before_it_comes() -> None:
    with pytest.raises(FrameError, match="larger than any"):
        list(FrameReader().feed(b"\xff\xff\xff\xff"))


def test_fields_are_what_is_asked_for() -> None:
    frame = Frame("policy", {"a": 1, "b": "x", "c": ["x", "y"], "d": True, "e": [1]})
    assert (frame.number("a"), frame.text("b"), frame.texts("c")) == (1, "x", ("x", "y"))
    for wrong in (
        lambda: frame.number("b"),
        lambda: frame.number("d"),
        lambda: frame.text("a"),
        lambda: frame.texts("e"),
    ):
        with pytest.raises(FrameError, match="`policy` has no"):
            wrong()


def test_a_key_is_in_no_representation() -> None:
    assert "secret" not in repr(Frame("identity", {}, (b"secret",)))
