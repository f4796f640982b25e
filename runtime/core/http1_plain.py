"""Messages of HTTP/1.1 as nearly all are, read in one go: a whole head whose lines read in one way alone (ADR 0285).

What is read here means the same to the parsers of `http1_requests` and `http1_responses`, which read all else: whatever
frames a body or belongs to a connection, comes in pieces, is folded, padded, doubled, upgraded or refused. `length` of
a response is the one thing of that kind that is read, where its body came with it and is exactly as long.
"""

from __future__ import annotations

import re

from meshproof.runtime.core.http1_fields import NAMES
from meshproof.runtime.core.messages import Field, Fields, ResponseHead

_METHODS = {name.encode("ascii"): name for name in ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH")}
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]+").fullmatch
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*").fullmatch
_BODILESS = frozenset({204, 304})
_END = b"\r\n\r\n"
_VARYING = frozenset(
    {b"authorization", b"b3", b"cookie", b"date", b"etag", b"if-modified-since", b"if-none-match", b"last-modified"}
    | {b"location", b"referer", b"set-cookie", b"traceparent", b"tracestate", b"x-b3-spanid", b"x-b3-traceid"}
    | {b"x-amzn-trace-id", b"x-forwarded-for", b"x-request-id"}
)
"""Names whose values are others in each message, or nothing to keep in memory: their lines are read each time."""

_MOST_LINES = 512
_LONGEST_LINE = 128
_LONGEST_HEAD = 512
_HEADS: dict[bytes, tuple[int, Fields, int]] = {}
"""Heads of plain responses that were read before: status, lines but for `content-length`, and that."""


class NotPlainError(Exception):
    """It is for the parsers."""


def plain_request(data: bytes, host: bytes, most: int) -> tuple[str, str, Fields] | None:
    """Method, target and lines of a request without a body, if `data` is one and plain, with at most so many lines.

    `host` is its line with the host of requests before it, as it was sent.
    """
    if data[-4:] != _END:
        return None
    first, *lines = data.split(b"\r\n")
    del lines[-2:]
    try:
        method, target, version = first.split(b" ")
        told = target.decode("ascii")
        lines.remove(host)
        if version != b"HTTP/1.1" or target[:1] != b"/" or not told.isprintable() or len(lines) > most:
            return None
        return _METHODS[method], told, [_LINES.get(line) or _read(line) for line in lines]
    except (ValueError, KeyError, NotPlainError):
        return None


def host_line(data: bytes) -> bytes:
    """The line of a head that tells the host, as it was sent; nothing where there is none, or more than one."""
    found = [line for line in data.split(b"\r\n") if line[:5].lower() == b"host:"]
    return found[0] if len(found) == 1 else b""


def plain_response(data: bytes, most: int) -> ResponseHead | None:
    """A response with its body, which came whole, if it is plain, with at most so many lines."""
    head, mark, body = data.partition(_END)
    known = _HEADS.get(head)
    if known is not None:
        status, fields, length = known
        if len(body) != length or len(fields) >= most or not mark:
            return None
        return ResponseHead(status, fields.copy(), length, True, body)  # noqa: FBT003  names cost time here
    first, *lines = head.split(b"\r\n")
    status = _STATUSES.get(first) or _status(first)
    if not status or not mark or len(lines) > most:
        return None
    try:
        _take_length(lines, len(body))
        fields = [_LINES.get(line) or _read(line) for line in lines]
    except (ValueError, NotPlainError):
        return None
    _keep(head, status, fields, len(body))
    return ResponseHead(status, fields, len(body), True, body)  # noqa: FBT003  as above


def _keep(head: bytes, status: int, fields: Fields, length: int) -> None:
    """Nearly all answers of an endpoint have one of a few heads, which change with the second at most."""
    if len(head) <= _LONGEST_HEAD and all(name == b"date" or name not in _VARYING for name, _ in fields):
        if len(_HEADS) >= _MOST_LINES:
            _HEADS.clear()
        _HEADS[head] = status, fields.copy(), length


def _take_length(lines: list[bytes], length: int) -> None:
    """Take out the line that says so. Raises `ValueError` where there is none."""
    said = b"ontent-length: %d" % length
    try:
        lines.remove(b"c" + said)
    except ValueError:
        lines.remove(b"Content-Length: %d" % length)


def _read(line: bytes) -> Field:
    """A line that is not kept. Raises `NotPlainError` unless its name is known as one of no framing, hop or dispute."""
    name, _, value = line.partition(b":")
    known = NAMES.get(name)
    value = value.strip(b" \t")
    if known is None or not (value.replace(b"-", b"").isalnum() or _VALUE(value)):  # ids are told faster so
        raise NotPlainError
    if known in _VARYING or len(line) > _LONGEST_LINE:
        return known, value
    if len(_LINES) >= _MOST_LINES:
        _LINES.clear()
    _LINES[line] = field = known, value
    return field


def _status(line: bytes) -> int:
    """The status of a line that is not kept; 0 unless it is plain and that of a response with a body."""
    found = _STATUS(line)
    status = 0 if found is None else int(found[1])
    if status in _BODILESS:
        return 0
    if status and len(line) <= _LONGEST_LINE:
        if len(_STATUSES) >= _MOST_LINES:
            _STATUSES.clear()
        _STATUSES[line] = status
    return status


_LINES: dict[bytes, Field] = {}
_STATUSES: dict[bytes, int] = {}
