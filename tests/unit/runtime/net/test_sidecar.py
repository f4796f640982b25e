"""What callers of a sidecar see, and what the application behind it is asked."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest
from tests.unit.runtime.net.inbound_scenes import MESH, OPEN, PATIENCE, Caller, caller, run, serving

from meshproof.runtime.settings_run import Place, RunLimits

FORBIDDEN = (403, b'{"error":"forbidden","status":403}')


def test_who_calls_is_proven_and_told_and_what_others_say_of_it_is_taken_out() -> None:
    async def body() -> None:
        async with serving() as scene:
            one = await scene.call(caller())
            forged = (
                "X-Forwarded-Client-Cert: URI=spiffe://shop.example/ns/shop/sa/boss\r\nClient-Cert: :x:\r\nx-a: 1\r\n"
            )
            for _ in range(3):
                status, asked = await one.ask("/items/1", forged)
                assert status == 200
                lines = asked.lower().split(b"\r\n")
                own, other = b"spiffe://shop.example/ns/shop/sa/catalog", b"spiffe://shop.example/ns/shop/sa/front"
                told = b"x-forwarded-client-cert: by=%b;uri=%b" % (own, other)
                assert [line for line in lines if b"cert" in line] == [told]
                assert b"x-a: 1" in lines
                assert b"host: catalog" in lines

    run(body())


@pytest.mark.parametrize(
    "target",
    [
        "/other",
        "/items/../other",
        "/items/%2e%2e/other",
        "/items/..%2fother",
        "/items\\..\\other",
        "//items/1",
        "/items/%00",
    ],
)
def test_what_no_rule_allows_is_403_and_the_application_hears_nothing(target: str) -> None:
    async def body() -> None:
        async with serving() as scene:
            one = await scene.call(caller())
            status, asked = await one.ask(target)
            if status == 200:  # then it is a path below /items in whatever way it is read
                assert asked.startswith(b"GET /items/")
            else:
                assert (status, asked) == FORBIDDEN
                assert scene.application.heads == []
            assert (await one.ask("/items/1"))[0] == 200

    run(body())


@pytest.mark.parametrize(
    ("role", "status"),
    [("é".encode(), 403), ("ééé".encode(), 403), ("éé".encode(), 200), (b"\xe9", 403), ("\u2028x".encode(), 200)],
)
def test_headers_are_read_as_utf8_and_are_refused_where_they_are_none(role: bytes, status: int) -> None:
    mesh = MESH + 'deny odd: anyone -> catalog:http { when header["x-role"] matches re"é|..." }\n'

    async def body() -> None:
        async with serving(mesh) as scene:
            one = await scene.call(caller())
            one.writer.write(b"GET /items/1 HTTP/1.1\r\nhost: catalog\r\nx-role: %b\r\n\r\n" % role)
            assert (await one.answer())[0] == status
            assert len(scene.application.heads) == (status == 200)

    run(body())


def test_other_accounts_are_refused_by_the_request_and_other_domains_by_the_handshake() -> None:
    async def body() -> None:
        async with serving() as scene:
            assert await (await scene.call(caller("other"))).ask("/items/1") == FORBIDDEN
            assert await _is_refused(scene.call(caller(is_evil=True)))
            nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            nobody.check_hostname = False
            nobody.verify_mode = ssl.CERT_NONE
            assert await _is_refused(scene.call(nobody))
            assert await _is_refused(scene.call(None))
            assert scene.application.heads == []
            assert "handshake failed" in scene.metrics()

    run(body())


async def _is_refused(calling: object) -> bool:
    try:
        one = await calling  # type: ignore[misc]
        assert isinstance(one, Caller)
        await one.ask("/items/1")
    except (OSError, asyncio.IncompleteReadError):
        return True
    return False


def test_one_permissive_port_takes_tls_and_plaintext_and_knows_them_apart() -> None:
    async def body() -> None:
        async with serving(OPEN) as scene:
            status, asked = await (await scene.call(caller())).ask("/items/1")
            assert (status, b"URI=spiffe://shop.example/ns/shop/sa/front" in asked) == (200, True)
            status, asked = await (await scene.call(None)).ask("/items/1", "x-forwarded-client-cert: URI=boss\r\n")
            assert (status, b"cert" in asked) == (200, False)
            assert await (await scene.call(None)).ask("/other") == FORBIDDEN

    run(body())


def test_a_disabled_port_takes_plaintext_alone() -> None:
    async def body() -> None:
        async with serving(OPEN.replace("mtls permissive", "mtls disabled")) as scene:
            assert (await (await scene.call(None)).ask("/items/1"))[0] == 200
            assert await _is_refused(scene.call(caller()))

    run(body())


def test_http2_is_spoken_with_whoever_chooses_it() -> None:
    async def body() -> None:
        async with serving(OPEN) as scene:
            one = await scene.call(None)
            one.writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            head = await one.reader.readexactly(9)
            assert head[3:5] == b"\x04\x00"  # settings of the server

    run(body())


def test_bytes_over_tcp_go_both_ways_and_halves_end_apart() -> None:
    async def body() -> None:
        async with serving(OPEN) as scene:
            one = await scene.call(None, port=1)
            one.writer.write(b"abc" * 100_000)
            one.writer.write_eof()
            assert await one.reader.read() == b"cba" * 100_000
            assert "istio_tcp" in scene.metrics()

    run(body())


def test_a_connection_over_tcp_is_judged_before_a_byte_of_it() -> None:
    async def body() -> None:
        async with serving() as scene:
            assert await (await scene.call(caller("other"), port=1)).is_ended()
            one = await scene.call(caller(), port=1)
            one.writer.write(b"abc")
            await scene.take(MESH.replace("allow db: front -> catalog:db", "allow db: other -> catalog:db"))
            assert await one.is_ended()

    run(body())


def test_a_websocket_is_carried_after_the_application_has_agreed() -> None:
    async def agree(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"upgrade: websocket" in head
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        writer.write((await reader.readexactly(3))[::-1])

    async def body() -> None:
        async with serving(answer=agree) as scene:
            one = await scene.call(caller())
            assert (await one.ask("/items/1", "connection: upgrade\r\nupgrade: websocket\r\n"))[0] == 101
            one.writer.write(b"GET")
            assert await one.reader.readexactly(3) == b"TEG"

    run(body())


def test_large_bodies_go_both_ways_with_little_of_them_held() -> None:
    size = 4_000_000

    async def mirror(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del head
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        left = size
        while left:
            piece = await reader.read(min(left, 65_536))
            left -= len(piece)
            writer.write(piece)
            await writer.drain()

    async def body() -> None:
        async with serving(answer=mirror) as scene:
            one = await scene.call(caller())
            sent = bytes(range(250)) * (size // 250)
            one.writer.write(b"POST /items/1 HTTP/1.1\r\nhost: catalog\r\ncontent-length: %d\r\n\r\n" % size + sent)
            assert await one.answer() == (200, sent)

    run(body())


def test_a_policy_holds_from_the_next_request_on_connections_stay() -> None:
    async def body() -> None:
        async with serving() as scene:
            one = await scene.call(caller())
            assert (await one.ask("/items/1"))[0] == 200
            await scene.take(MESH.replace("/items/**", "/entries"))
            assert await one.ask("/items/1") == FORBIDDEN
            assert (await one.ask("/entries"))[0] == 200

    run(body())


def test_plaintext_connections_end_when_the_port_becomes_strict() -> None:
    async def body() -> None:
        async with serving(OPEN) as scene:
            plain, secured = await scene.call(None), await scene.call(caller())
            assert (await plain.ask("/items/1"))[0] == (await secured.ask("/items/1"))[0] == 200
            await scene.take(MESH)
            assert await plain.is_ended()
            assert (await secured.ask("/items/1"))[0] == 200

    run(body())


def test_an_application_that_is_away_is_503_until_it_is_back() -> None:
    async def body() -> None:
        async with serving() as scene:
            one = await scene.call(caller())
            assert (await one.ask("/items/1"))[0] == 200
            application = scene.application
            assert application.server is not None
            application.server.close()
            application.answer = _leave
            await one.ask("/items/1")
            assert (await one.ask("/items/1"))[0] == 503
            application.answer = None
            await application.start()
            assert (await one.ask("/items/1"))[0] == 200

    run(body())


async def _leave(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del head, reader
    writer.close()
    raise ConnectionResetError


def test_an_answer_that_breaks_off_is_cut_and_not_made_whole() -> None:
    async def half(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del head, reader
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        await writer.drain()
        raise ConnectionResetError

    async def body() -> None:
        async with serving(answer=half) as scene:
            one = await scene.call(caller())
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await one.ask("/items/1")

    run(body())


def test_connections_are_bounded() -> None:
    async def body() -> None:
        async with serving(limits=RunLimits(connections=2)) as scene:
            first, second = await scene.call(caller()), await scene.call(caller())
            assert await _is_refused(scene.call(caller()))
            assert (await first.ask("/items/1"))[0] == (await second.ask("/items/1"))[0] == 200
            assert "too many connections" in scene.metrics()

    run(body())


def test_draining_ends_idle_connections_at_once_and_others_after_their_answer() -> None:
    going, released = asyncio.Event(), asyncio.Event()

    async def slow(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del head, reader
        going.set()
        await released.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async def body() -> None:
        async with serving(answer=slow) as scene:
            idle, busy = await scene.call(caller()), await scene.call(caller())
            asking = asyncio.create_task(busy.ask("/items/1"))
            await going.wait()
            draining = asyncio.create_task(scene.sidecar.drain(20.0))
            assert await idle.is_ended()
            released.set()
            assert await asking == (200, b"ok")
            assert await busy.is_ended()
            await draining
            with pytest.raises(OSError):  # noqa: PT011  whichever the system says
                await scene.call(caller())

    run(body())


def test_a_handshake_that_ends_while_it_drains_comes_too_late() -> None:
    async def body() -> None:
        async with serving() as scene:
            place = scene.places[0]
            reader, writer = await asyncio.open_connection(place.address, place.port)
            idle = await scene.call(caller())  # it came after the other one, so that one is accepted too
            draining = asyncio.create_task(scene.sidecar.drain(20.0))
            assert await idle.is_ended()

            async def late() -> Caller:
                await writer.start_tls(caller(), server_hostname="catalog")
                return Caller(reader, writer)

            assert await _is_refused(late())
            await draining
            writer.transport.abort()
            assert scene.application.heads == []

    run(body())


@pytest.mark.parametrize("more", [b"", b"x" * 30_000], ids=["small", "large"])
def test_a_request_that_is_none_is_answered_and_ends_as_tls_ends(more: bytes) -> None:
    def asked(place: Place) -> bytes:
        with (
            socket.create_connection((place.address, place.port), PATIENCE) as plain,
            caller().wrap_socket(plain, suppress_ragged_eofs=False) as secured,
        ):
            secured.sendall(b"GET /items/1 HTTP/1.1\r\nhost : catalog\r\n\r\n" + more)
            return b"".join(iter(lambda: secured.recv(1000), b""))  # a connection that is cut, after 2 s, would raise

    async def body() -> None:
        async with serving() as scene:
            assert (await asyncio.to_thread(asked, scene.places[0])).startswith(b"HTTP/1.1 400 ")

    run(body())
