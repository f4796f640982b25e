from __future__ import annotations

import _ssl
import ssl
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import AUTHORITY, LEAF, NOW, Issued, authority, bundles, own
from tests.unit.runtime.identity.handshakes import shake, stranger

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CredentialsError, PeerError
from meshproof.runtime.identity.holder import Identities

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
CATALOG = SpiffeId("shop.example", "/ns/shop/sa/catalog")


def _identities(issued: Issued, *trusted: tuple[str, Issued], now: float = NOW) -> Identities:
    made = Identities(lambda: now)
    made.take(own(issued, bundles(*trusted)))
    return made


@pytest.fixture(scope="module")
def root() -> Issued:
    return authority()


def test_both_sides_know_each_other(root: Issued) -> None:
    front = _identities(root.account(FRONT.path), ("shop.example", root))
    catalog = _identities(root.account(CATALOG.path), ("shop.example", root))

    at_server, at_client = shake(catalog.server(("h2", "http/1.1")), front.client(("http/1.1",)))

    assert catalog.peer(at_server).identity == FRONT
    assert front.peer(at_client, expected={CATALOG}).identity == CATALOG
    assert at_server.selected_alpn_protocol() == at_client.selected_alpn_protocol() == "http/1.1"
    assert at_server.version() == "TLSv1.3"


def test_a_server_that_is_another_one_is_refused(root: Issued) -> None:
    front = _identities(root.account(FRONT.path), ("shop.example", root))
    other = _identities(root.account("/ns/shop/sa/other"), ("shop.example", root))
    _, at_client = shake(other.server(), front.client())

    with pytest.raises(PeerError, match="not expected here") as refused:
        front.peer(at_client, expected={CATALOG})
    assert refused.value.reason == "identity"


def test_a_chain_to_the_root_of_another_domain_is_refused_though_both_are_trusted(root: Issued) -> None:
    other_root = authority("other.example")
    both = (("shop.example", root), ("other.example", other_root))
    catalog = _identities(root.account(CATALOG.path), *both)
    honest = other_root.account("/ns/shop/sa/front", "other.example")
    liar = replace(honest, certificate=other_root.sign(LEAF, honest.key).certificate)

    at_server, _ = shake(catalog.server(), stranger(honest))
    assert catalog.peer(at_server).identity.uri == "spiffe://other.example/ns/shop/sa/front"

    at_server, _ = shake(catalog.server(), stranger(liar))
    with pytest.raises(PeerError, match="an authority is not one of the trust domain"):
        catalog.peer(at_server)


def test_without_an_identity_and_past_it_nothing_begins(root: Issued) -> None:
    now = [NOW]
    catalog = Identities(lambda: now[0])
    server = catalog.server()
    front = _identities(root.account(FRONT.path), ("shop.example", root))
    assert catalog.expires_in() is None
    with pytest.raises(ssl.SSLError, match="there is no own identity yet"):
        shake(server, front.client())

    catalog.take(own(root.account(CATALOG.path), bundles(("shop.example", root))))
    shake(server, front.client())
    left = catalog.expires_in()
    assert left is not None
    assert left > 0

    now[0] += left + 1
    with pytest.raises(ssl.SSLError, match="is not valid after 2100-01-01"):
        shake(server, front.client())
    with pytest.raises(CredentialsError):
        catalog.client_context()


def _shown(side: ssl.SSLObject) -> list[bytes]:
    """What the other side has sent of certificates."""
    return [one.public_bytes(_ssl.ENCODING_DER) for one in side._sslobj.get_unverified_chain()]  # type: ignore[attr-defined]


def test_a_leaf_is_shown_with_its_authority_as_openssl_would_and_a_chain_as_it_was_given(root: Issued) -> None:
    middle = root.sign(AUTHORITY, name="middle")
    front = _identities(root.account(FRONT.path), ("shop.example", root))
    for issued, then in ((root.account(CATALOG.path), root), (middle.account(CATALOG.path), middle)):
        catalog = _identities(issued, ("shop.example", root))
        _, at_client = shake(catalog.server(), front.client())

        assert _shown(at_client) == [one.certificate.public_bytes(Encoding.DER) for one in (issued, then)]
        assert catalog.own is not None
        assert catalog.own.certificates.count(b"BEGIN") == len(issued.shown)
