"""Messages of HTTP/1.1 as bytes. What is written was read strictly, so no value here can hold a line break."""

from __future__ import annotations

from http import HTTPStatus

from meshproof.runtime.core.messages import Fields, RequestHead, ResponseHead

LAST_CHUNK = b"0\r\n\r\n"
_SWITCHING, _OK, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304
_WITH_BODIES = frozenset({"POST", "PUT", "PATCH"})
_LINE = b": ".join
_STATUS_LINES = {
    status: b"HTTP/1.1 %d %b"
    % (status, HTTPStatus(status).phrase.encode("ascii") if status in set(HTTPStatus) else b"-")
    for status in range(100, 600)
}


def request_bytes(head: RequestHead) -> bytes:
    """The head of a request, with what this hop needs: `host`, the framing of the body, the upgrade."""
    first = f"{head.method} {head.target} HTTP/1.1\r\nhost: {head.authority}".encode("ascii")
    if head.protocol:
        end = b"connection: upgrade\r\nupgrade: %b\r\n\r\n" % head.protocol.encode("ascii")
    elif head.length is None:
        end = b"transfer-encoding: chunked\r\n\r\n"
    elif head.length or head.method in _WITH_BODIES:
        end = b"content-length: %d\r\n\r\n" % head.length
    else:
        end = b"\r\n"
    return b"\r\n".join((first, *map(_LINE, head.fields), end))


def is_chunked(head: RequestHead | ResponseHead) -> bool:
    """Whether the body of a message that was written by this module is in chunks."""
    return head.length is None and not head.is_end


def response_bytes(head: ResponseHead, *, is_last: bool, protocol: str = "") -> bytes:
    """The head of a response, with what this hop needs. `is_last`: the connection ends after it."""
    status = head.status
    if status < _OK:
        end = b"connection: upgrade\r\nupgrade: %b\r\n" % protocol.encode("ascii") if status == _SWITCHING else b""
    elif head.length is not None:
        end = b"" if status == _NO_CONTENT else b"content-length: %d\r\n" % head.length
    else:
        end = b"" if head.is_end else b"transfer-encoding: chunked\r\n"
    end += b"connection: close\r\n\r\n" if is_last else b"\r\n"
    return b"\r\n".join((_STATUS_LINES[status], *map(_LINE, head.fields), end))


def chunk(payload: bytes) -> bytes:
    """A chunk; nothing for no data, because an empty chunk is the last one."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


def last_chunk(trailers: Fields) -> bytes:
    """The last chunk, with trailers."""
    return b"0\r\n%b\r\n\r\n" % b"\r\n".join(map(b": ".join, trailers)) if trailers else LAST_CHUNK


def refusal_bytes(status: int) -> bytes:
    """The last answer on a connection whose peer broke a rule. It says nothing of what was sent."""
    body = b'{"error":"malformed","status":%d}' % status
    fields: Fields = [(b"content-type", b"application/json")]
    return response_bytes(ResponseHead(status, fields, len(body)), is_last=True) + body
