from __future__ import annotations

import pytest

from meshproof.runtime.core.http2.grpc_reply import grpc_reply, is_grpc
from meshproof.runtime.core.messages import RequestHead, Respond


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (b"application/grpc", True),
        (b"application/grpc+proto", True),
        (b"application/grpc-web", False),
        (b"application/json", False),
        (b"", False),
    ],
)
def test_requests_of_grpc_are_told_by_their_type(kind: bytes, expected: bool) -> None:
    assert (
        is_grpc(RequestHead("POST", "/a.B/C", "b", [(b"x-a", b"application/grpc"), (b"content-type", kind)]))
        is expected
    )


@pytest.mark.parametrize(
    ("status", "told"),
    [(400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14), (500, 2), (413, 2)],
)
def test_statuses_are_those_of_grpcs_mapping(status: int, told: int) -> None:
    reply = grpc_reply(Respond(status, b"", flags="X"))

    assert reply == Respond(
        200, b"", ((b"content-type", b"application/grpc"), (b"grpc-status", b"%d" % told)), flags="X"
    )


def test_the_body_is_the_message_and_other_fields_stay() -> None:
    reply = grpc_reply(Respond(403, 'a%b\n"é"'.encode(), ((b"content-type", b"application/json"), (b"x-a", b"1"))))

    assert reply.body == b""
    assert reply.fields == (
        (b"x-a", b"1"),
        (b"content-type", b"application/grpc"),
        (b"grpc-status", b"7"),
        (b"grpc-message", b'a%25b%0A"%C3%A9"'),
    )
