"""Ports that speak TCP: bytes go to a server that proves who it is, and to no other."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.runtime.net.outbound_scenes import BACK, Mesh, Scene, played, until

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.process.places import place_of
from meshproof.runtime.settings_run import EndpointGroup, Place

DB = ((BACK, 5432),)


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh()


class Server:
    """One that answers each piece with itself, in capitals."""

    def __init__(self) -> None:
        self.received = 0
        self.ended = asyncio.Event()
        self.server: asyncio.Server | None = None
        self.place = Place()

    async def start(self, identities: Identities | None) -> Server:
        context = None if identities is None else identities.server()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.place = place_of(self.server.sockets[0])
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            self.received += len(piece)
            writer.write(piece.upper())
            await writer.drain()
        self.ended.set()
        if writer.can_write_eof():
            writer.write(b"bye")
        writer.close()

    def group(self) -> EndpointGroup:
        return EndpointGroup(BACK, 5432, None, (self.place,))


def test_bytes_go_through_both_ways_and_are_counted(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        server = await Server().start(mesh.identities("/ns/shop/sa/back"))
        outbound = await scene.start("", [server.group()], DB)
        client = await scene.client()
        for _ in range(20):
            client.writer.write(b"x" * 100_000)
        assert await client.reader.readexactly(2_000_000) == b"X" * 2_000_000
        client.writer.close()
        await scene.told.ended.wait()
        await server.ended.wait()
        [record] = scene.told.connections
        assert (record.protocol, record.received, record.sent, record.flags) == ("tcp", 2_000_000, 2_000_000, "")
        assert (outbound.connections, server.received) == (0, 2_000_000)
        assert server.server is not None
        server.server.close()
        assert record.local == str(scene.ports[0])

    played(play, mesh)


@pytest.mark.parametrize("who", ["another", "untrusted", "plaintext", "nobody"])
def test_nothing_is_sent_to_a_server_that_is_somebody_else(mesh: Mesh, who: str) -> None:
    async def play(scene: Scene) -> None:
        identities = {
            "another": mesh.identities("/ns/shop/sa/other"),
            "untrusted": mesh.identities("/ns/shop/sa/back", signer=mesh.stranger),
        }.get(who)
        server = await Server().start(identities)
        assert server.server is not None
        if who == "nobody":
            server.server.close()
        await scene.start("", [server.group()], DB)
        client = await scene.client()
        client.writer.write(b"secret")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await client.reader.readexactly(1)
        await scene.told.ended.wait()
        assert ([one.flags for one in scene.told.connections], server.received) == (["UF"], 0)
        assert scene.told.events == [("back", "connect-failure")]
        server.server.close()

    if who == "plaintext":
        return _plain(mesh)
    return played(play, mesh)


def _plain(mesh: Mesh) -> None:
    """What it gets is a handshake, and nothing of what the application said."""

    async def play(scene: Scene) -> None:
        got: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.read(65536))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        group = EndpointGroup(BACK, 5432, None, (place_of(server.sockets[0]),))
        await scene.start("", [group], DB)
        client = await scene.client()
        client.writer.write(b"secret")
        await scene.told.ended.wait()
        assert got[0][:1] == b"\x16"
        assert b"secret" not in got[0]
        server.close()

    played(play, mesh)


def test_no_more_connections_than_allowed_and_room_is_given_back(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        server = await Server().start(mesh.identities("/ns/shop/sa/back"))
        await scene.start("route back:db { otherwise => v1  limit connections 1 }", [_of_version(server)], DB)
        first = await scene.client()
        first.writer.write(b"a")
        assert await first.reader.readexactly(1) == b"A"
        second = await scene.client()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await second.reader.readexactly(1)
        assert [one.flags for one in scene.told.connections] == ["", "UO"]
        first.writer.close()
        await until(lambda: scene.outbound is not None and scene.outbound.connections == 0)
        third = await scene.client()
        third.writer.write(b"c")
        assert await third.reader.readexactly(1) == b"C"
        assert server.server is not None
        server.server.close()

    played(play, mesh)


def _of_version(server: Server) -> EndpointGroup:
    return EndpointGroup(BACK, 5432, "v1", (server.place,))


def test_without_tls_each_direction_ends_for_itself(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        server = await Server().start(None)
        await scene.start('mtls disabled for back { because "old" owner "o" until 2026-11-23 }', [server.group()], DB)
        client = await scene.client()
        client.writer.write(b"ab")
        client.writer.write_eof()
        assert await client.reader.read() == b"ABbye"
        await scene.told.ended.wait()
        assert server.server is not None
        server.server.close()

    played(play, mesh)


def test_a_rule_that_nobody_asks_is_not_taken_for_one_that_agrees(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        server = await Server().start(None)
        await scene.start(
            'external raw { hosts "raw.example"  port tls 443 }'
            ' deny by-name: front -> raw:tls { when sni == "raw.example" }  allow raw-calls: front -> raw:tls',
            [EndpointGroup(NodeName("raw"), 443, None, (server.place,))],
            [(NodeName("raw"), 443)],
        )
        client = await scene.client()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await client.reader.readexactly(1)
        await scene.told.ended.wait()
        assert [one.flags for one in scene.told.connections] == ["UAEX"]
        assert server.server is not None
        server.server.close()

    played(play, mesh)


def test_a_slow_reader_holds_the_other_side_back(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        server = await Server().start(mesh.identities("/ns/shop/sa/back"))
        await scene.start("", [server.group()], DB)
        client = await scene.client()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        for _ in range(100):
            client.writer.write(b"x" * 100_000)
            sent += 100_000
            await asyncio.sleep(0)
            if client.writer.transport.get_write_buffer_size() > 8_000_000:
                break
        assert server.received < sent
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await client.reader.readexactly(sent)) == sent
        assert server.server is not None
        server.server.close()

    played(play, mesh)
