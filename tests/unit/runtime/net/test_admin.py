"""The admin address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

import pytest

from meshproof.runtime.net import admin
from meshproof.runtime.net.admin import Admin, Page
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.settings_run import Place

PATIENCE = 20.0
GET = b"GET /here HTTP/1.1\r\nhost: admin\r\n\r\n"


async def _pages(path: str) -> Page | None:
    return Page(503, b"no\n") if path == "/here" else None


def _with(body: Callable[[Place], Coroutine[None, None, None]]) -> None:
    async def all_of_it() -> None:
        served = Admin(_pages)
        place = await served.start(Place("127.0.0.1", 0))
        try:
            await body(place)
        finally:
            served.stop()

    asyncio.run(asyncio.wait_for(all_of_it(), PATIENCE))


async def _answer(place: Place, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(place.address, place.port)
    writer.write(text)
    found = b""
    with suppress(ConnectionError):
        found = await reader.read()
    writer.close()
    return found


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        (GET, b"HTTP/1.1 503 Service Unavailable\r\n", b"\r\n\r\nno\n"),
        (GET.replace(b"/here", b"/here?x=1"), b"HTTP/1.1 503 ", b"\r\n\r\nno\n"),
        (GET.replace(b"GET", b"HEAD"), b"HTTP/1.1 503 ", b"content-length: 3\r\n"),
        (GET.replace(b"/here", b"/there"), b"HTTP/1.1 404 Not Found\r\n", b"nothing is here\n"),
        (GET.replace(b"GET", b"POST"), b"HTTP/1.1 405 Method Not Allowed\r\n", b"only GET and HEAD are answered\n"),
        (GET + GET, b"HTTP/1.1 503 ", b"\r\n\r\nno\n"),
        (b"nonsense\r\n\r\n", b"", b""),
        (GET.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n"), b"", b""),
    ],
)
def test_one_request_is_answered_and_the_connection_ends(text: bytes, begin: bytes, end: bytes) -> None:
    async def body(place: Place) -> None:
        found = await _answer(place, text)
        assert found.startswith(begin)
        assert end in found
        assert found.count(b"HTTP/1.1 ") == bool(begin)

    _with(body)


def test_whoever_is_slow_is_cut_and_one_too_many_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_SECONDS", 0.05)
    monkeypatch.setattr(admin, "_CONNECTIONS", 1)

    async def body(place: Place) -> None:
        slow = asyncio.create_task(_answer(place, GET[:-2]))
        reader, writer = await asyncio.open_connection(place.address, place.port)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        assert await slow == b""
        assert b"503" in await _answer(place, GET)

    _with(body)


def test_a_place_that_is_taken_is_refused() -> None:
    async def body(place: Place) -> None:
        with pytest.raises(RefusedError, match=f"`{place}` cannot be listened at"):
            await Admin(_pages).start(place)

    _with(body)
