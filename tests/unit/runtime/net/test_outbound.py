"""The outbound half on real sockets, with real handshakes: what goes where, and what never does."""

from __future__ import annotations

import pytest
from tests.unit.runtime.net.outbound_peers import always, never, ok
from tests.unit.runtime.net.outbound_scenes import Mesh, Scene, group, played, until

from meshproof.runtime.core.messages import Respond


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh()


def test_a_request_goes_to_a_server_that_proves_who_it_is_and_connections_are_used_again(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        await scene.start("", [group(peer)])
        client = await scene.client()
        assert (await client.ask("GET", "/a?b=1")).body == b"/a?b=1"
        assert (await client.ask("POST", "/c", b"body", "x: 1")).status == 200
        assert (await scene.ask("GET", "/d")).body == b"/d"
        assert (len(peer.links), peer.heads[1].fields) == (1, [(b"x", b"1")])
        assert {one.upstream for one in scene.told.requests} == {str(peer.place)}
        assert [(one.side, one.service, one.local_identity) for one in scene.told.connections] == [
            ("outbound", "back", "spiffe://shop.example/ns/shop/sa/front")
        ] * 2
        assert {one.local for one in scene.told.connections} == {str(scene.ports[0])}  # the settings say port 0
        assert (scene.told.faults, scene.told.events) == ([], [])

    played(play, mesh)


@pytest.mark.parametrize("who", ["another", "another-domain", "untrusted", "plaintext"])
def test_nothing_is_sent_to_a_server_that_is_somebody_else(mesh: Mesh, who: str) -> None:
    async def play(scene: Scene) -> None:
        back = "/ns/shop/sa/back"
        identities = {
            "another": mesh.identities("/ns/shop/sa/other"),
            "another-domain": mesh.identities(back, signer=mesh.evil, trust_domain="evil.example"),
            "untrusted": mesh.identities(back, signer=mesh.stranger),
        }.get(who)
        peer = await scene.server(identities)
        await scene.start("", [group(peer)])
        answered = await scene.ask("POST", "/secret", b"secret")
        assert (answered.status, peer.heads) == (503, [])
        assert [(one.flags, one.status) for one in scene.told.requests] == [("UF", 503)]
        expected = {"another": "a server was refused: identity"}.get(who, "a handshake with a server failed")
        assert scene.told.faults == [expected]
        assert scene.told.events == [("back", "connect-failure")]

    played(play, mesh)


def test_a_route_tries_the_other_endpoint_where_one_is_not_who_it_should_be(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        wrong, right = await scene.peer(ok, "/ns/shop/sa/other"), await scene.peer()
        await scene.start(
            "route back:http { otherwise => v1 { retry 1 on connect-failure }  balance round-robin }",
            [group(wrong, right, version="v1")],
            drawn=(0.0,),
        )
        assert (await scene.ask("POST", "/once", b"body")).body == b"/once"
        assert (len(right.heads), wrong.heads, scene.told.requests[0].attempts) == (1, [], 2)

    played(play, mesh)


def test_a_route_reads_headers_as_policies_are_written(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        usual, other = await scene.peer(), await scene.peer()
        await scene.start(
            'route back:http { when header["x-team"] == "é" => v2  otherwise => v1 }',
            [group(usual, version="v1"), group(other, version="v2")],
        )
        in_utf8 = "é".encode().decode("latin-1")  # as the client writes each byte
        assert (await scene.ask("GET", "/a", b"", f"x-team: {in_utf8}")).status == 200
        assert (len(usual.heads), len(other.heads)) == (0, 1)
        assert (await scene.ask("GET", "/a", b"", "x-team: é")).status == 403
        assert (len(usual.heads), len(other.heads)) == (0, 1)

    played(play, mesh)


def test_an_endpoint_that_dies_is_ejected_and_taken_back(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        one, other = await scene.peer(), await scene.peer()
        await scene.start(
            "route back:http { otherwise => v1  balance round-robin  eject after 2 errors for 30s up to 50% }",
            [group(one, other, version="v1")],
        )
        assert [(await scene.ask()).status for _ in range(4)] == [200] * 4
        assert (len(one.heads), len(other.heads)) == (2, 2)
        one.stop()
        statuses = [(await scene.ask()).status for _ in range(8)]
        assert sorted(statuses) == [200] * 6 + [503] * 2
        assert scene.told.events.count(("back", "ejected")) == 1
        await one.start()
        assert [(await scene.ask()).status for _ in range(4)] == [200] * 4
        assert len(one.heads) == 2
        scene.clock.pass_by(31)
        assert [(await scene.ask()).status for _ in range(4)] == [200] * 4
        assert len(one.heads) == 4

    played(play, mesh)


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("PUT", 3), ("POST", 1)])
def test_only_what_means_the_same_twice_is_sent_again(mesh: Mesh, method: str, times: int) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(always(503))
        await scene.start(
            "route back:http { otherwise => v1 { retry 2 on 5xx } }", [group(peer, version="v1")], drawn=(0.0,)
        )
        assert (await scene.ask(method, "/x", b"abc" if method != "GET" else b"")).status == 503
        assert [one.method for one in peer.heads] == [method] * times
        assert scene.told.requests[0].flags == ("URX" if times > 1 else "")

    played(play, mesh)


def test_a_body_that_is_larger_than_what_is_kept_is_sent_once(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(always(503))
        await scene.start(
            "route back:http { otherwise => v1 { retry 2 on 5xx } }", [group(peer, version="v1")], drawn=(0.0,)
        )
        client = await scene.client()
        client.say("PUT", "/large", b"x" * 200_000)
        assert (await client.hear()).status == 503
        assert (len(peer.heads), scene.told.requests[0].attempts) == (1, 1)

    played(play, mesh)


def test_a_request_that_takes_too_long_is_504_and_ends_at_the_server_too(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(never)
        await scene.start("route back:http { otherwise => v1 { timeout 2s } }", [group(peer, version="v1")])
        client = await scene.client()
        client.say()
        await peer.seen.get()
        scene.clock.pass_by(1.9)
        assert scene.told.requests == []
        scene.clock.pass_by(0.2)
        assert (await client.hear()).status == 504
        assert scene.told.requests[0].flags == "UT"
        await until(lambda: not peer.links)
        assert (len(peer.resets), peer.told.requests[0].status) == (1, 0)

    played(play, mesh)


def test_more_than_a_destination_may_take_at_once_is_503_with_a_flag(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer(never)
        await scene.start("route back:http { otherwise => v1  limit requests 2 }", [group(peer, version="v1")])
        clients = [await scene.client() for _ in range(2)]
        for client in clients:
            client.say()
            await peer.seen.get()
        assert (await scene.ask()).status == 503
        assert [one.flags for one in scene.told.requests] == ["UO"]
        assert ("back", "overflow") in scene.told.events
        peer.held[0].answer(Respond(200))
        assert (await clients[0].hear()).status == 200
        peer.script = ok
        assert (await scene.ask()).status == 200

    played(play, mesh)


def test_weights_are_exact_for_draws_that_are_spread(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        one, two = await scene.peer(), await scene.peer()
        await scene.start(
            "route back:http { otherwise => v1 80%, v2 20% }",
            [group(one, version="v1"), group(two, version="v2")],
            drawn=[number / 20 for number in range(20)],
        )
        client = await scene.client()
        for _ in range(40):
            assert (await client.ask()).status == 200
        assert (len(one.heads), len(two.heads)) == (32, 8)

    played(play, mesh)


def test_a_mirror_that_hangs_or_fails_changes_nothing_of_the_answer(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        one, shadow = await scene.peer(), await scene.peer(never)
        await scene.start(
            "route back:http { otherwise => v1 { mirror v2 100% } }",
            [group(one, version="v1"), group(shadow, version="v2")],
        )
        client = await scene.client()
        assert (await client.ask("POST", "/a", b"body")).body == b"/a"
        assert (await shadow.seen.get()).target == "/a"
        shadow.stop()
        for number in range(5):
            assert (await client.ask("GET", f"/{number}")).body == b"/%d" % number
        assert [record.status for record in scene.told.requests] == [200] * 6

    played(play, mesh)


def test_what_the_route_says_is_done_to_the_request(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        await scene.start(
            'route back:http { GET /old/** => v1 { rewrite path /new  set header "x-a" "1"  remove header "x-b" }'
            " GET /moved => { redirect 308 path /there }  GET /broken => v1 { fault abort 418 100% } }",
            [group(peer, version="v1")],
        )
        client = await scene.client()
        assert (await client.ask("GET", "/old/x?y", b"", "x-b: 2", "x-c: 3")).body == b"/new/x?y"
        assert sorted(peer.heads[0].fields) == [(b"x-a", b"1"), (b"x-c", b"3")]
        moved = await client.ask("GET", "/moved")
        assert (moved.status, "location: /there" in moved.head) == (308, True)
        assert (await client.ask("GET", "/broken")).status == 418
        assert (await client.ask("GET", "/none")).status == 404
        assert [one.flags for one in scene.told.requests] == ["", "", "FI", "NR"]

    played(play, mesh)


def test_a_delay_that_was_asked_for_holds_the_request_and_its_body_back(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        await scene.start("route back:http { otherwise => v1 { fault delay 5s 100% } }", [group(peer, version="v1")])
        client = await scene.client()
        client.say("POST", "/slow", b"x" * 100_000)
        await until(lambda: any(one.at == scene.clock.now + 5 for one in scene.clock.waiting))
        scene.clock.pass_by(4.9)
        assert peer.heads == []
        scene.clock.pass_by(0.1)
        assert (await client.hear()).body == b"/slow"
        assert ([one.flags for one in scene.told.requests], peer.sizes) == (["DI"], [100_000])

    played(play, mesh)


def test_a_browser_is_told_what_the_route_says(mesh: Mesh) -> None:
    async def play(scene: Scene) -> None:
        peer = await scene.peer()
        await scene.start(
            'route back:http { otherwise => v1 { cors { origins "https://shop.example"  methods PUT  max-age 60s } } }',
            [group(peer, version="v1")],
        )
        client = await scene.client()
        asked = ("origin: https://shop.example", "access-control-request-method: PUT")
        preflight = await client.ask("OPTIONS", "/", b"", *asked)
        assert (preflight.status, peer.heads) == (200, [])
        assert "access-control-allow-origin: https://shop.example" in preflight.head.lower()
        answered = await client.ask("PUT", "/a", b"b", asked[0])
        assert (answered.body, "access-control-allow-origin" in answered.head.lower()) == (b"/a", True)
        stranger = await client.ask("PUT", "/a", b"b", "origin: https://evil.example")
        assert "access-control-allow-origin" not in stranger.head.lower()

    played(play, mesh)
