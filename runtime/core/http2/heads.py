"""Heads and trailers out of header lines (RFC 9113, 8.1 to 8.5): what is malformed is refused, nothing is mended.

A reader behind us may be of another version of HTTP and of another mind, so what two could read in two ways goes to
nobody: names that are no tokens, values with line ends, hosts that disagree, lengths that are said twice.
"""

from __future__ import annotations

import re
from typing import Final

from meshproof.runtime.core.http2.frames import Code
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Fields, RequestHead, ResponseHead

VERSION: Final = "HTTP/2"

_NAMES: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9a-z-]++\n)*+")
_VALUES: Final = re.compile(rb"(?:(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\n)*+")
_METHOD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")
_TARGET: Final = re.compile(rb"/[!\"$-~]*")
_AUTHORITY: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%-]+(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_STATUS: Final = re.compile(rb"[1-5][0-9]{2}")
_REQUEST_PSEUDO: Final = frozenset({b":method", b":scheme", b":path", b":authority"})
_RESPONSE_PSEUDO: Final = frozenset({b":status"})
_CONNECTION: Final = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_OF_THE_HOP: Final = frozenset({b"proxy-authenticate", b"proxy-authorization", b"http2-settings"})
_SPECIAL: Final = _CONNECTION | _OF_THE_HOP | {b"host", b"content-length", b"te", b"cookie"}
_NO_TRAILERS: Final = _CONNECTION | {b"host", b"content-length", b"te", b"authorization", b"cookie", b"set-cookie"}


class StreamFault(Exception):  # noqa: N818  it is the peer's fault, and no error of ours
    """A message is malformed, or breaks a rule of its stream: the stream ends with this code, the others go on."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


class Refusal(Exception):  # noqa: N818  the same
    """A request that is well-formed and not served: the status that it is answered with."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what


def request_head(lines: Fields, limits: Http2Limits, *, is_end: bool) -> RequestHead:
    """The head of a request. Raises `StreamFault`, or `Refusal` for what is well-formed and not taken."""
    pseudo, fields = _parted(lines, _REQUEST_PSEUDO)
    method = pseudo.get(b":method", b"")
    if method == b"CONNECT":
        raise Refusal(405, "it asks for a tunnel")
    target = pseudo.get(b":path", b"")
    if pseudo.get(b":scheme") not in {b"http", b"https"}:
        raise _malformed("its scheme is not http")
    if not _METHOD.fullmatch(method):
        raise _malformed("its method is no token")
    if not _TARGET.fullmatch(target) and not (target == b"*" and method == b"OPTIONS"):
        raise _malformed("its path is none")
    length, hosts, fields = _special(fields)
    authority = _authority(pseudo.get(b":authority"), hosts)
    if is_end:
        if length:
            raise _malformed("its body is not as long as it says")
        length = 0
    if limits.body_bytes is not None and length is not None and length > limits.body_bytes:
        raise Refusal(413, "its body is too large")
    if not limits.takes_underscores and any(b"_" in name for name, _ in fields):
        raise Refusal(400, "it has a header name with an underscore")
    return RequestHead(method.decode(), target.decode(), authority.decode(), fields, length, is_end, "", VERSION)


def response_head(lines: Fields, *, is_end: bool, is_of_head: bool) -> ResponseHead:
    """The head of a response. `is_of_head`: to a HEAD request. Raises `StreamFault`."""
    pseudo, fields = _parted(lines, _RESPONSE_PSEUDO)
    told = pseudo.get(b":status", b"")
    if not _STATUS.fullmatch(told) or told == b"101":
        raise _malformed("its status is none")
    status = int(told)
    length, _, fields = _special(fields)
    if status < 200:  # noqa: PLR2004
        if is_end:
            raise _malformed("it ends before its final answer")
        return ResponseHead(status, fields)
    if is_of_head or status == 304:  # noqa: PLR2004
        return ResponseHead(status, fields, length, is_end=True)
    if status == 204:  # noqa: PLR2004
        length = 0
    if is_end:
        if length:
            raise _malformed("its body is not as long as it says")
        length = 0
    return ResponseHead(status, fields, length, is_end)


def trailer_fields(lines: Fields) -> Fields:
    """Trailers. Raises `StreamFault`: what says how a message is framed, routed or allowed comes in its head alone."""
    _checked(lines)
    if any(name in _NO_TRAILERS for name, _ in lines):
        raise _malformed("its trailers say what belongs in its head")
    return lines


def _malformed(what: str) -> StreamFault:
    return StreamFault(Code.PROTOCOL_ERROR, what)


def _parted(lines: Fields, allowed: frozenset[bytes]) -> tuple[dict[bytes, bytes], Fields]:
    """The pseudo headers, each once and before all others, and the others. Values of both are checked."""
    pseudo: dict[bytes, bytes] = {}
    for name, value in lines:
        if not name.startswith(b":"):
            break
        if name in pseudo or name not in allowed:
            raise _malformed("its pseudo headers are not as they must be")
        pseudo[name] = value
    fields = lines[len(pseudo) :]
    _checked(fields)
    return pseudo, fields


def _checked(fields: Fields) -> None:
    """Names are tokens without capitals, values are visible. One match for all lines, because there are many."""
    if not fields:
        return
    names, values = zip(*fields, strict=True)
    if not _NAMES.fullmatch(b"\n".join(names) + b"\n") or b"\n" in b"".join(names):
        raise _malformed("a name of its headers is no token in lower case")
    told = b"\n".join(values) + b"\n"
    if told.count(b"\n") != len(values) or not _VALUES.fullmatch(told):
        raise _malformed("a value of its headers has characters that may not be there")


def _special(fields: Fields) -> tuple[int | None, list[bytes], Fields]:
    """The length, the hosts, and what is left, cookies in one line (RFC 9113, 8.2.3)."""
    if not any(name in _SPECIAL for name, _ in fields):
        return None, [], fields
    lengths, hosts, cookies, rest = [], [], [], []
    for field in fields:
        name, value = field
        if name in _CONNECTION or (name == b"te" and value.lower() != b"trailers"):
            raise _malformed("it has a header that belongs to a connection")
        if name == b"content-length":
            lengths.append(value)
        elif name == b"host":
            hosts.append(value)
        elif name == b"cookie":
            cookies.append(value)
        elif name not in _OF_THE_HOP:
            rest.append(field)
    if len(lengths) > 1 or (lengths and not _LENGTH.fullmatch(lengths[0])):
        raise _malformed("its length is not one number")
    if cookies:
        rest.append((b"cookie", b"; ".join(filter(None, cookies))))
    return int(lengths[0]) if lengths else None, hosts, rest


def _authority(told: bytes | None, hosts: list[bytes]) -> bytes:
    """The host that it is for: said once, or twice the same."""
    named = hosts if told is None else [told, *hosts]
    if not named or len(hosts) > 1:
        raise _malformed("it is for no host, or for more than one")
    if any(other.lower() != named[0].lower() for other in named):
        raise _malformed("it is for two hosts")
    if not _AUTHORITY.fullmatch(named[0]):
        raise _malformed("its host is none")
    return named[0]
