"""The outbound half on real sockets, with real handshakes: how connections are made, kept, and left."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.runtime.net.outbound_peers import Peer, never, ok
from tests.unit.runtime.net.outbound_scenes import BACK, Mesh, Scene, group, loaded, played, until

from meshproof.runtime.core.messages import Respond
from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.net.process.places import place_of
from meshproof.runtime.settings_run import EndpointGroup, Place


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh()


def test_http2_is_spoken_where_the_port_says_so_and_http1_where_that_is_all_that_there_is(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        old = await scene.peer(ok, "/ns/shop/sa/back", "http/1.1")
        await scene.start("", [group(peer, port=9090), group(old)], [(BACK, 9090), (BACK, 8080)])
        client = await scene.client(0)
        assert (await client.ask("POST", "/a", b"b")).body == b"/a"
        assert (await (await scene.client(1)).ask("GET", "/c")).body == b"/c"
        assert (peer.versions, old.versions) == (["HTTP/2"], ["HTTP/1.1"])

    played(play, mesh)


def test_what_changes_the_protocol_is_carried_as_bytes_over_http1(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        heads: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
            while piece := await reader.read(100):
                writer.write(piece.upper())
            writer.close()

        identities = mesh.identities("/ns/shop/sa/back")
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=identities.server(("h2", "http/1.1")))
        place = place_of(server.sockets[0])
        await scene.start("", [EndpointGroup(BACK, 9090, None, (place,))], [(BACK, 9090)])
        client = await scene.client()
        client.say("GET", "/chat", b"", "upgrade: websocket", "connection: upgrade")
        assert (await client.hear()).status == 101
        client.writer.write(b"abc")
        assert await client.reader.readexactly(3) == b"ABC"
        client.writer.close()
        await until(lambda: bool(scene.told.requests))
        assert (scene.told.requests[0].status, heads[0].startswith(b"GET /chat HTTP/1.1\r\n")) == (101, True)
        server.close()

    played(play, mesh)


def test_plaintext_is_spoken_where_tls_is_disabled_and_only_as_long_as_it_is(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.server(None)
        await scene.start(
            'mtls disabled for back { because "old" owner "o" until 2026-11-23 }'
            ' allow old: plaintext -> back { * /** because "old" owner "o" until 2026-11-23 }',
            [group(peer)],
        )
        assert (await scene.ask()).status == 200
        scene.days.append(scene.days[-1].replace(day=24))
        scene.clock.pass_by(1)
        assert (await scene.ask()).status == 503
        assert (len(peer.heads), scene.told.faults) == (1, ["a handshake with a server failed"])

    played(play, mesh)


def test_a_new_policy_holds_from_the_next_request_on(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        one, two = await scene.peer(), await scene.peer()
        outbound = await scene.start(
            "route back:http { otherwise => v1 }", [group(one, version="v1"), group(two, version="v2")]
        )
        client = await scene.client()
        assert (await client.ask()).status == 200
        outbound.take_policy(loaded("route back:http { otherwise => v2 }"))
        assert (await client.ask()).status == 200
        assert (len(one.heads), len(two.heads)) == (1, 1)

    played(play, mesh)


def test_servers_that_are_not_trusted_any_more_are_left(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        outbound = await scene.start("", [group(peer)])
        client = await scene.client()
        assert (await client.ask()).status == 200
        others = Mesh()
        scene.identities.take(others.identities("/ns/shop/sa/front").own)  # type: ignore[arg-type]
        outbound.took_identity()
        await until(lambda: not peer.links)
        assert (await client.ask()).status == 503
        assert len(peer.heads) == 1

    played(play, mesh)


def test_names_are_followed_and_what_has_begun_is_answered(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        one, two = await scene.peer(), await scene.peer()
        found = [[one]]

        async def lookup(name: str, port: int) -> list[Address]:
            assert (name, port) == ("back.example", 1)
            return [Address(peer.place.address, peer.place.port) for peer in found[-1]]

        await scene.start("", [EndpointGroup(BACK, 8080, None, (), Place("back.example", 1))], lookup=lookup)
        client, late = await scene.client(), await scene.client()
        assert (await client.ask()).status == 200
        one.script = never
        late.say("POST", "/late", b"x")
        await until(lambda: bool(one.held))
        found.append([two])
        scene.clock.pass_by(30)
        await until(lambda: scene.endpoints == [str(two.place)])
        assert (await client.ask()).status == 200
        one.held[0].answer(Respond(200, b"late"))
        assert (await late.hear()).body == b"late"
        await until(lambda: not one.links)
        found.append([])
        scene.clock.pass_by(30)
        await until(lambda: bool(scene.told.faults))
        assert (await client.ask()).status == 200
        assert (len(one.heads), len(two.heads)) == (2, 2)
        assert scene.told.faults == ["the name of a destination has no address"]

    played(play, mesh)


def test_whoever_waits_is_served_when_a_new_policy_allows_more(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(never)
        outbound = await scene.start(
            "route back:http { otherwise => v1  limit connections 1 }", [group(peer, version="v1")]
        )
        one, two = await scene.client(), await scene.client()
        one.say()
        await until(lambda: len(peer.held) == 1)
        two.say()
        await until(lambda: outbound.waiting == 1)
        assert len(peer.held) == 1
        outbound.take_policy(loaded("route back:http { otherwise => v1  limit connections 2 }"))
        scene.clock.pass_by(0.25)
        await until(lambda: len(peer.held) == 2)
        for held in peer.held:
            held.answer(Respond(204))
        assert ((await one.hear()).status, (await two.hear()).status) == (204, 204)

    played(play, mesh)


def test_without_endpoints_nothing_waits(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        await scene.start("", [])
        assert (await scene.ask()).status == 503
        assert scene.told.requests[0].flags == "UH"

    played(play, mesh)


def test_what_has_begun_is_answered_while_it_drains(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        outbound = await scene.start("", [group(peer)])
        client, idle = await scene.client(), await scene.client()
        assert (await idle.ask()).status == 200
        peer.script = never
        client.say()
        await until(lambda: bool(peer.held))
        draining = asyncio.create_task(outbound.drain(10))
        assert await idle.reader.read() == b""
        peer.held[0].answer(Respond(200, b"late"))
        assert (await client.hear()).body == b"late"
        await draining
        assert outbound.connections == 0
        with pytest.raises(ConnectionRefusedError):
            await scene.client()

    played(play, mesh)


def test_a_kept_connection_that_has_ended_is_not_noticed(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        await scene.start("", [group(peer)])
        client = await scene.client()
        for _ in range(3):
            assert (await client.ask()).status == 200
            await _restarted(peer)
        assert [one.attempts for one in scene.told.requests] == [1, 1, 1]

    played(play, mesh)


async def _restarted(peer: Peer) -> None:
    peer.stop()
    await peer.start()


def test_a_large_body_goes_through_in_both_directions(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(lambda _: Respond(200, b"y" * 2_000_000))
        await scene.start("", [group(peer)])
        client = await scene.client()
        client.say("POST", "/", b"x" * 3_000_000)
        answered = await client.hear()
        assert (answered.status, answered.body) == (200, b"y" * 2_000_000)
        assert peer.sizes == [3_000_000]

    played(play, mesh)
