"""Fetching over loopback, with and without TLS, from servers that are wrong in all the ways that servers are."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from tests.e2e.envoy.certificates import Authority

from meshproof.runtime.tokens.fetch import Address, FetchError, address_of, fetch, read_file

PATIENCE = 20.0
BODY = b'{"keys":[]}'


def _ok(body: bytes = BODY, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n%b" % (len(body), more, body)


def _fetched(
    answer: bytes | None, context: ssl.SSLContext | None = None, address: Address | None = None
) -> list[bytes]:
    """What was asked, and what came; a server that says None never ends its answer."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n" if answer is None else answer)
        if answer is None:
            await reader.read()
        writer.close()

    async def body() -> list[bytes]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            way = address or address_of(f"http://127.0.0.1:{port}/keys?a=1")
            came = await fetch(
                Address(way.host, port, way.target, way.context), PATIENCE if answer is not None else 0.05
            )
        return [*asked, came]

    return asyncio.run(asyncio.wait_for(body(), PATIENCE))


@pytest.mark.parametrize(
    "answer",
    [
        _ok(),
        _ok(more=b"content-encoding: identity\r\n"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n"
        + BODY[:4]
        + b"\r\n7\r\n"
        + BODY[4:]
        + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 100 Continue\r\n\r\n" + _ok(),
    ],
)
def test_an_answer_is_taken_whole(answer: bytes) -> None:
    asked, came = _fetched(answer)
    assert came == BODY
    assert asked.startswith(b"GET /keys?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nConnection: close\r\n" in asked


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no whole answer"),
        (b"nonsense\r\n\r\n", "no whole answer"),
        (_ok()[:-1], "no whole answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n" + BODY[:4] + b"\r\n", "no whole answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n", "no whole answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", "no whole answer"),
        (b"HTTP/1.1 302 Found\r\nlocation: https://evil/\r\ncontent-length: 0\r\n\r\n", "answers 302"),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "answers 500"),
        (_ok(more=b"content-encoding: gzip\r\n"), "an encoding that nobody asked for"),
        (_ok(b" " * 2_000_000), "more than 1048576 bytes"),
        (None, "did not answer within 0.05 seconds"),
    ],
)
def test_what_is_no_good_answer_is_refused(answer: bytes | None, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        _fetched(answer)


def test_over_tls_the_server_must_be_who_it_says(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path, "ca"), Authority(tmp_path / "other", "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.of("spiffe://a/b")
    context.load_cert_chain(pair.certificate, pair.key)
    assert _fetched(_ok(), context, address_of("https://127.0.0.1/keys", authority.root))[-1] == BODY
    with pytest.raises(FetchError, match="its certificate is refused"):
        _fetched(_ok(), context, address_of("https://127.0.0.1/keys", other.root))
    with pytest.raises(FetchError, match="its certificate is refused"):
        _fetched(_ok(), context, address_of("https://127.0.0.1/keys"))
    with pytest.raises(FetchError, match="its certificate is refused"):
        _fetched(_ok(), context, address_of("https://localhost/keys", authority.root))
    with pytest.raises(FetchError, match=r"no whole answer|cannot be asked"):
        _fetched(_ok(), context)


def test_a_server_that_is_not_there_is_told() -> None:
    async def nobody() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await fetch(address_of(f"http://127.0.0.1:{port}/"), PATIENCE)

    with pytest.raises(FetchError, match="cannot be asked"):
        asyncio.run(nobody())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://idp.example/keys", "neither `https` nor at loopback"),
        ("http://10.0.0.1/keys", "neither `https` nor at loopback"),
        ("http://localhost/keys", "neither `https` nor at loopback"),
        ("ftp://127.0.0.1/keys", "neither `https` nor at loopback"),
        ("file:///etc/passwd", "no URL of a server"),
        ("keys.json", "no URL of a server"),
        ("https://", "no URL of a server"),
        ("https://user:word@idp.example/", "no URL of a server"),
        ("https://idp.example/a b", "no URL of a server"),
        ("https://idp.example/\r\nx: y", "no URL of a server"),
        ("https://idp.ex\u00e4mple/", "no URL of a server"),
        ("https://idp.example:x/", "is no URL"),
        ("https://[::1/", "is no URL"),
    ],
)
def test_urls_that_are_not_asked(url: str, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        address_of(url)


def test_urls_that_are() -> None:
    found = address_of("https://idp.example")
    assert (found.host, found.port, found.target, found.authority) == ("idp.example", 443, "/", "idp.example")
    assert address_of("http://[::1]:81/k").authority == "[::1]:81"
    assert found.context is not None
    assert found.context.check_hostname


def test_an_authority_or_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="is no authority: No such file"):
        address_of("https://idp.example", tmp_path / "none.pem")
    with pytest.raises(FetchError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.json")
    (tmp_path / "keys.json").write_bytes(BODY)
    assert read_file(tmp_path / "keys.json") == BODY
