from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.core.http2.grpc_messages import Messages

SIZES = st.lists(st.sampled_from((0, 1, 4, 5, 6, 300)), max_size=8)


def _body(sizes: list[int]) -> bytes:
    return b"".join(b"\0" + size.to_bytes(4) + b"\xff" * size for size in sizes)


@given(SIZES, st.lists(st.integers(1, 400), max_size=20))
def test_messages_are_counted_however_they_are_cut(sizes: list[int], cuts: list[int]) -> None:
    body, messages, found = _body(sizes), Messages(), 0
    for cut in cuts:
        found += messages.feed(body[:cut])
        body = body[cut:]
    found += messages.feed(body)

    assert found == len(sizes)


def test_byte_by_byte_a_message_counts_with_its_length() -> None:
    messages = Messages()
    assert [messages.feed(bytes((byte,))) for byte in _body([2, 0])] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]


def test_what_is_cut_off_counts_once_it_has_begun() -> None:
    assert Messages().feed(b"\0\xff\xff\xff\xffabc") == 1
    assert Messages().feed(b"\0\xff\xff") == 0
    assert Messages().feed(b"") == 0
