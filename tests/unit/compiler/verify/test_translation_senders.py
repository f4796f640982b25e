"""What the proxies of senders do is compared: whether they show who calls, how they start TLS, what they let out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.transport import ClientTls, LiftedClient, LiftedOutside, LiftedTransport
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.verify.translation_gaps import Compared, Gap
from meshproof.compiler.verify.translation_senders import sender_gaps

DAY = date(2026, 11, 23)
SOURCE = mesh_of(
    """
mesh m { language 1  trust-domain "td"  namespace shop  mtls strict  egress closed }
service web { port http 80 -> 8080 }
service api { port http 80 -> 8080 }
gateway out { namespace edges  port tls 443 -> 8443 }
external bank { hosts "bank.example"  port https 443 originate }
external raw  { hosts "raw.example"   port https 443 }
external wide { hosts "*.example"     port https 443 }
external near { hosts "near.example"  port https 443 originate  via out }
allow use: web -> api
""",
    has_mesh=True,
)
MESHES = ClientTls.MESH
API = LiftedClient("shop", NodeName("api"), "api.shop.svc", 80, None, MESHES)
BANK = LiftedClient(
    "shop",
    NodeName("bank"),
    "bank.example",
    443,
    None,
    ClientTls.STARTED,
    names=("bank.example",),
    is_checked=True,
    sni="bank.example",
)
RAW = LiftedClient("shop", NodeName("raw"), "raw.example", 443, None, ClientTls.NONE)
AWAY = LiftedClient("shop", NodeName("near"), "near.example", 443, None, ClientTls.NONE)
AT = replace(BANK, namespace="edges", node=NodeName("near"), host="near.example", names=("near.example",), sni=None)
TO = LiftedClient("shop", NodeName("out"), "out.edges.svc", 443, "near", MESHES, sni="near.example")
CLIENTS = (API, BANK, RAW, AWAY, AT, TO)
OUTSIDE = tuple(LiftedOutside(NodeName(name), f"{name}.example", 443, 443) for name in ("bank", "raw", "near"))
RIGHT = LiftedTransport(
    clients=CLIENTS,
    outside=(*OUTSIDE, LiftedOutside(NodeName("wide"), "*.example", 443, 443, is_at_will=True)),
    closed=frozenset((NodeName("web"), NodeName("api"))),
)


def gaps(transport: LiftedTransport, source: Mesh = SOURCE) -> list[Gap]:
    return [*sender_gaps(Compared(source, SOURCE, transport, DAY, {one.name: one.name for one in SOURCE.nodes}))]


def with_client(one: LiftedClient, **fields: object) -> LiftedTransport:
    clients = (replace(one, **fields) if known is one else known for known in CLIENTS)  # type: ignore[arg-type]
    return replace(RIGHT, clients=tuple(clients))


def test_what_is_as_the_policy_says_is_no_gap() -> None:
    assert gaps(RIGHT) == []


ANY = "has senders take any certificate"


@pytest.mark.parametrize(
    ("transport", "emitted"),
    [
        (with_client(API, tls=ClientTls.NONE), "has senders call without TLS, so nobody knows who calls"),
        (with_client(API, tls=ClientTls.STARTED), "has senders call with TLS of its own, so nobody knows who calls"),
        (with_client(API, names=("spiffe://td/x",)), "has senders take whoever is `spiffe://td/x` for it"),
        (with_client(API, sni="near.example"), "has senders ask for the server name `near.example`"),
        (with_client(TO, sni="raw.example"), "has senders ask for the server name `raw.example`"),
        (with_client(BANK, tls=ClientTls.NONE), "has senders call without TLS"),
        (with_client(BANK, tls=MESHES), "has senders call without TLS"),
        (with_client(BANK, is_checked=False), ANY),
        (with_client(BANK, names=()), ANY),
        (with_client(BANK, names=("bank.example", "evil.example")), ANY),
        (with_client(BANK, sni="raw.example"), "has senders ask for the server name `raw.example`"),
        (with_client(RAW, tls=ClientTls.STARTED), "has senders start TLS"),
        (with_client(AT, tls=ClientTls.NONE), "has senders call without TLS"),
    ],
)
def test_each_difference_is_looser(transport: LiftedTransport, emitted: str) -> None:
    (found,) = gaps(transport)
    assert (found.emitted, found.is_looser) == (emitted, True)


def test_a_call_without_identity_is_shown_by_one_that_the_policy_allows() -> None:
    (found,) = gaps(with_client(API, tls=ClientTls.NONE))
    assert found.witness is not None
    assert found.witness.request.source.identity == "spiffe://td/ns/shop/sa/web"
    assert found.witness.old is not None
    assert found.witness.new is not None
    assert (found.witness.old.is_allowed, found.witness.new.is_allowed) == (True, False)


@pytest.mark.parametrize(
    ("fields", "emitted"),
    [
        ({"is_at_will": True}, "has senders reach whatever address they write"),
        ({"elsewhere": ("evil.example",)}, "has senders reach `evil.example`"),
        ({"reached": 8443}, "has senders reach port 8443"),
    ],
)
def test_connections_outside_go_to_what_was_called(fields: dict[str, object], emitted: str) -> None:
    bank = replace(OUTSIDE[0], **fields)  # type: ignore[arg-type]
    (found,) = gaps(replace(RIGHT, outside=(bank, *RIGHT.outside[1:])))
    assert (found.emitted, found.subject, found.is_looser) == (emitted, "bank", True)


def test_each_sender_is_held_to_what_it_knows_if_egress_is_closed() -> None:
    (found,) = gaps(replace(RIGHT, closed=frozenset((NodeName("web"),))))
    assert (found.place, found.emitted, found.is_looser) == (
        "api calling outside",
        "lets out whatever is asked for",
        True,
    )
    opened = replace(SOURCE, egress=Egress.OPEN)
    assert gaps(replace(RIGHT, closed=frozenset()), opened) == []
    assert [one.is_looser for one in gaps(RIGHT, opened)] == [False, False]


def test_senders_that_nobody_declares_are_left_as_they_are() -> None:
    (found,) = gaps(replace(RIGHT, is_closed_elsewhere=True))
    assert (found.place, found.is_looser) == ("senders that nobody declares", False)
