"""Real handshakes in memory: who is let in, and who is not, by whichever of OpenSSL and us says so first."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from tests.unit.runtime.identity.bad_certificates import SHAPES, strong_keys, weak_keys, with_sha1
from tests.unit.runtime.identity.certificates import (
    AUTHORITY,
    LEAF,
    NOW,
    Issued,
    Shape,
    authority,
    bundles,
    own,
)
from tests.unit.runtime.identity.handshakes import shake, stranger

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity import peers as peers_module
from meshproof.runtime.identity.contexts import client_context, external_context, server_context
from meshproof.runtime.identity.errors import PeerError
from meshproof.runtime.identity.peers import Peers

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
DOMAIN = "shop.example"


class Scene:
    """A server whose trust bundles are those of two trust domains, and whoever calls it."""

    def __init__(self) -> None:
        self.root = authority()
        self.other = authority("other.example")
        self.trusted = ((DOMAIN, self.root), ("other.example", self.other))
        self.credentials = own(self.root.account("/ns/shop/sa/catalog"), bundles(*self.trusted))
        self.server = server_context(self.credentials)
        self.peers = Peers(self.credentials.bundles)

    def caller(self, issued: Issued, now: float = NOW) -> SpiffeId:
        at_server, _ = shake(self.server, stranger(issued))
        return self.peers.identity(at_server, now).identity


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_a_good_caller_is_known(scene: Scene) -> None:
    assert scene.caller(scene.root.sign()) == FRONT


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "RSA", "Ed25519"])
def test_callers_have_keys_of_every_kind_that_is_taken(scene: Scene, kind: str) -> None:
    assert scene.caller(scene.root.sign(LEAF, strong_keys()[kind])) == FRONT


@pytest.mark.parametrize(("shape", "why"), SHAPES.values(), ids=SHAPES)
def test_who_shows_no_svid_is_refused(scene: Scene, shape: Shape, why: str) -> None:
    with pytest.raises((PeerError, ssl.SSLError)) as refused:
        scene.caller(scene.root.sign(shape))

    if isinstance(refused.value, PeerError):
        assert refused.value.reason == "certificate"
        assert why in str(refused.value)


@pytest.mark.parametrize("kind", ["RSA of 1024 bits", "secp256k1", "P-224"])
def test_weak_keys_are_refused(scene: Scene, kind: str) -> None:
    with pytest.raises((PeerError, ssl.SSLError)):
        scene.caller(scene.root.sign(LEAF, weak_keys()[kind][0]))


def _over(seconds: float) -> Shape:
    return replace(LEAF, ends=datetime.fromtimestamp(seconds, UTC))


def test_nobody_is_let_in_before_and_after_the_certificate_is_valid(scene: Scene) -> None:
    """By the clock that is passed in; OpenSSL asks that of the machine, which may be another one's."""
    at_server, _ = shake(scene.server, stranger(scene.root.sign()))
    begins, ends = LEAF.begins.timestamp(), LEAF.ends.timestamp()

    for moment in (begins, ends):
        assert scene.peers.identity(at_server, moment).identity == FRONT
    for moment, why in ((begins - 1, "not valid before 2000-01-01"), (ends + 1, "not valid after 2100-01-01")):
        with pytest.raises(PeerError, match=why) as refused:
            scene.peers.identity(at_server, moment)
        assert refused.value.reason == "validity"


@pytest.mark.parametrize(
    "shape",
    [
        replace(LEAF, ends=datetime(2001, 1, 1, tzinfo=UTC)),
        replace(LEAF, begins=datetime(2099, 1, 1, tzinfo=UTC)),
    ],
    ids=["expired", "not yet valid"],
)
def test_openssl_refuses_what_is_not_valid_by_its_clock(scene: Scene, shape: Shape) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        scene.caller(scene.root.sign(shape))


def test_an_identity_stands_until_the_first_certificate_of_its_chain_is_over(scene: Scene) -> None:
    ends = datetime(2090, 1, 1, tzinfo=UTC)
    middle = scene.root.sign(replace(AUTHORITY, uris=(f"spiffe://{DOMAIN}",), ends=ends), name="middle")
    at_server, _ = shake(scene.server, stranger(middle.sign()))

    proven = scene.peers.identity(at_server, NOW)

    assert (proven.identity, proven.ends) == (FRONT, ends.timestamp())
    with pytest.raises(PeerError, match="not valid after 2090-01-01"):
        scene.peers.identity(at_server, ends.timestamp() + 1)


@pytest.mark.parametrize("uris", [(), (f"spiffe://{DOMAIN}",)], ids=["without a name", "of the trust domain"])
def test_intermediates_are_followed(scene: Scene, uris: tuple[str, ...]) -> None:
    middle = scene.root.sign(replace(AUTHORITY, uris=uris), name="middle")
    low = middle.sign(replace(AUTHORITY, uris=uris), name="low")

    assert scene.caller(low.sign()) == FRONT


def _below(scene: Scene, shape: Shape) -> Issued:
    return scene.root.sign(shape, name="middle").sign()


def _named(permitted: str = "", excluded: str = "") -> Shape:
    """An authority whose names are constrained (RFC 5280, 4.2.1.10)."""
    found = [[x509.UniformResourceIdentifier(one)] if one else None for one in (permitted, excluded)]
    return replace(AUTHORITY, more=((x509.NameConstraints(*found), True),))


def test_an_intermediate_that_may_sign_for_us_is_followed(scene: Scene) -> None:
    assert scene.caller(_below(scene, _named(DOMAIN))) == FRONT
    assert scene.caller(_below(scene, _named(excluded="other.example"))) == FRONT


CHAINS: dict[str, Callable[[Scene], Issued]] = {
    "an intermediate of another domain": lambda scene: _below(
        scene, replace(AUTHORITY, uris=("spiffe://other.example",))
    ),
    "the root of another domain": lambda scene: scene.other.sign(),
    "a leaf of another domain below our root": lambda scene: scene.root.account("/ns/shop/sa/front", "other.example"),
    "a leaf of a domain that is not trusted": lambda scene: scene.root.account("/ns/shop/sa/front", "evil.example"),
    "below an intermediate of another root": lambda scene: scene.other.sign(AUTHORITY, name="middle").sign(),
    "an unknown root": lambda _: authority().sign(),
    "signed by itself": lambda _: authority(shape=LEAF),
    "signed by a leaf": lambda scene: scene.root.account("/ns/shop/sa/front").sign(),
    "an intermediate that may not sign": lambda scene: _below(scene, replace(AUTHORITY, usage=LEAF.usage)),
    "an intermediate that is no authority": lambda scene: _below(scene, replace(AUTHORITY, is_authority=False)),
    "an intermediate that is over": lambda scene: _below(
        scene, replace(AUTHORITY, ends=datetime(2001, 1, 1, tzinfo=UTC))
    ),
    "a longer path than the authority allows": lambda scene: (
        scene.root.sign(replace(AUTHORITY, path_length=0), name="middle").sign(AUTHORITY, name="low").sign()
    ),
    "an intermediate that may sign for others alone": lambda scene: _below(scene, _named("other.example")),
    "an intermediate that may not sign for us": lambda scene: _below(scene, _named(excluded=DOMAIN)),
    "signed with SHA-1": lambda scene: with_sha1(scene.root, scene.root.sign()),
    "signed by an intermediate that is signed with SHA-1": lambda scene: with_sha1(
        scene.root, scene.root.sign(AUTHORITY, name="middle")
    ).sign(),
    "an intermediate that is left out": lambda scene: replace(_below(scene, AUTHORITY), above=()),
    "an intermediate with a weak key": lambda scene: scene.root.sign(
        AUTHORITY, weak_keys()["RSA of 1024 bits"][0], name="middle"
    ).sign(),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_chains_that_do_not_lead_to_the_own_trust_domain_are_refused(scene: Scene, chain: str) -> None:
    with pytest.raises((PeerError, ssl.SSLError)):
        scene.caller(CHAINS[chain](scene))


def test_an_authority_of_two_trust_domains_is_one_of_each() -> None:
    """Whoever trusts one root for two domains says so; then a leaf belongs to the domain that it names."""
    root = authority()
    nameless = replace(root, certificate=root.sign(AUTHORITY, root.key, name=DOMAIN).certificate)
    trusted = bundles((DOMAIN, nameless), ("other.example", nameless))
    credentials = own(nameless.account("/ns/shop/sa/catalog"), trusted)

    for domain in trusted.trust_domains:
        caller = own(nameless.account("/x", domain), trusted)
        at_server, _ = shake(server_context(credentials), client_context(caller))
        assert Peers(trusted).identity(at_server, NOW).identity.trust_domain == domain


def test_an_authority_need_not_have_signed_itself(scene: Scene) -> None:
    """A bundle may hold an authority below a root of somebody else's; the root is trusted by nobody then."""
    middle = scene.root.sign(replace(AUTHORITY, uris=(f"spiffe://{DOMAIN}",)), name="middle")
    trusted = bundles((DOMAIN, middle))
    server = server_context(own(middle.account("/ns/shop/sa/catalog"), trusted))

    at_server, _ = shake(server, stranger(middle.sign()))
    assert Peers(trusted).identity(at_server, NOW).identity == FRONT

    with pytest.raises(ssl.SSLError):
        shake(server, stranger(scene.root.sign()))


def test_a_caller_without_a_certificate_is_refused(scene: Scene) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.verify_mode = ssl.CERT_NONE

    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake(scene.server, bare)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_handshakes_of_both_versions_are_judged(scene: Scene, version: ssl.TLSVersion) -> None:
    client = stranger(scene.root.sign())
    client.minimum_version = client.maximum_version = version

    at_server, at_client = shake(scene.server, client)

    assert scene.peers.identity(at_server, NOW).identity == FRONT
    assert at_client.version() == version.name.replace("v1_", "v1.")


def test_older_versions_and_weak_ciphers_are_not_spoken(scene: Scene) -> None:
    for ciphers in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"):
        client = stranger(scene.root.sign())
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(ciphers)
        with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
            shake(scene.server, client)
    assert scene.server.minimum_version is ssl.TLSVersion.TLSv1_2
    assert scene.server.options & ssl.OP_NO_RENEGOTIATION
    assert scene.server.options & ssl.OP_NO_COMPRESSION


def _old_client(issued: Issued) -> ssl.SSLContext:
    client = stranger(issued)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    return client


def test_a_resumed_session_stands_while_its_certificate_is_known_and_valid(scene: Scene) -> None:
    client = _old_client(scene.root.sign())
    at_server, at_client = shake(scene.server, client)
    scene.peers.identity(at_server, NOW)

    resumed, _ = shake(scene.server, client, session=at_client.session)

    assert resumed.session_reused
    assert scene.peers.identity(resumed, NOW).identity == FRONT
    with pytest.raises(PeerError, match="not valid after"):
        scene.peers.identity(resumed, LEAF.ends.timestamp() + 1)
    with pytest.raises(PeerError, match="resumes a session whose certificate is not known") as refused:
        Peers(scene.credentials.bundles).identity(resumed, NOW)
    assert refused.value.reason == "resumed"


def test_who_was_refused_is_refused_again_by_its_ticket(scene: Scene) -> None:
    client = _old_client(scene.root.account("/x", "evil.example"))
    at_server, at_client = shake(scene.server, client)
    with pytest.raises(PeerError):
        scene.peers.identity(at_server, NOW)

    resumed, _ = shake(scene.server, client, session=at_client.session)

    assert resumed.session_reused
    with pytest.raises(PeerError):
        scene.peers.identity(resumed, NOW)


def test_tickets_of_before_a_rotation_resume_nothing(scene: Scene) -> None:
    client = _old_client(scene.root.sign())
    _, at_client = shake(scene.server, client)

    anew, _ = shake(server_context(scene.credentials), client, session=at_client.session)

    assert not anew.session_reused
    assert scene.peers.identity(anew, NOW).identity == FRONT


def test_no_session_of_tls_1_3_is_resumed(scene: Scene) -> None:
    _, at_client = shake(scene.server, stranger(scene.root.sign()))

    assert at_client.session is None or not at_client.session.has_ticket


def test_certificates_that_were_found_good_are_remembered_and_bounded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_module, "_MOST_KNOWN", 2)
    judge = Peers(scene.credentials.bundles)
    handshakes = [shake(scene.server, stranger(scene.root.sign()))[0] for _ in range(3)]
    for one in handshakes:
        judge.identity(one, NOW)
    assert len(judge._known) == 1

    monkeypatch.setattr(peers_module, "check_chain", None)
    assert judge.identity(handshakes[2], NOW).identity == FRONT


def test_a_connection_that_is_cut_off_is_no_end(scene: Scene) -> None:
    """Whatever Python ignores by itself: Debian's 3.11.2 takes one for the other."""
    for context in (scene.server, client_context(scene.credentials), external_context()):
        assert not context.options & ssl.OP_IGNORE_UNEXPECTED_EOF
