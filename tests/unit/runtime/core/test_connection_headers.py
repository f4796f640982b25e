"""What a sidecar takes off before it judges is what no policy may read, in both versions of HTTP."""

from __future__ import annotations

import pytest

from meshproof.compiler.ir.connection_headers import CONNECTION_HEADERS
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_requests import RequestParser
from meshproof.runtime.core.http2.heads import StreamFault, request_head
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Fields, RequestHead

VALUES = {"connection": "upgrade", "transfer-encoding": "chunked", "content-length": "3", "te": "trailers"}
READ = ("accept", "cookie", "expect", "forwarded", "trailer", "via", "x-upgrade")
"""Of those that sound like them: what may be read is there."""


def _over_http1(name: str) -> Fields:
    line = f"{name}: {VALUES.get(name, 'x')}"
    data = f"POST / HTTP/1.1\r\nhost: a\r\n{line}\r\n\r\n".encode()
    (head, *_) = RequestParser(Http1Limits()).feed(data)
    assert isinstance(head, RequestHead)
    return head.fields


@pytest.mark.parametrize("name", sorted(CONNECTION_HEADERS))
def test_what_no_policy_may_read_is_not_there(name: str) -> None:
    assert _over_http1(name) == []


@pytest.mark.parametrize("name", READ)
def test_what_may_be_read_is_there(name: str) -> None:
    assert _over_http1(name) == [(name.encode(), b"x")]


@pytest.mark.parametrize("name", sorted(CONNECTION_HEADERS - {"te"}))
def test_over_http2_it_is_not_there_or_no_request_at_all(name: str) -> None:
    pseudo = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
    lines = [*pseudo, (name.encode(), VALUES.get(name, "x").encode())]
    if name in {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}:
        with pytest.raises(StreamFault):
            request_head(lines, Http2Limits(), is_end=False)
    else:
        assert request_head(lines, Http2Limits(), is_end=False).fields == []
