from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.identity.certificates import AUTHORITY, Issued, authority
from tests.unit.runtime.identity.workload_api.wire import bundles, chain, field, key_der, svid, svids

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CredentialsError, IdentityError
from meshproof.runtime.identity.workload_api.answers import bundles_of, credentials_of

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
OTHER = SpiffeId("shop.example", "/ns/shop/sa/other")


@pytest.fixture(scope="module")
def root() -> Issued:
    return authority()


@pytest.fixture(scope="module")
def foreign() -> Issued:
    return authority("other.example")


def test_the_identity_of_the_agent_is_taken_with_all_bundles(root: Issued, foreign: Issued) -> None:
    issued = root.account(FRONT.path)
    named = {"spiffe://other.example": chain(foreign.certificate), "third.example": chain(root.certificate)}

    with pytest.raises(CredentialsError, match=r"an authority is not one of the trust domain `third\.example`"):
        credentials_of(svids(svid(FRONT.uri, issued, root), federated=named))
    del named["third.example"]
    own = credentials_of(svids(svid(FRONT.uri, issued, root), federated=named))

    assert own.identity == FRONT
    assert own.serial == issued.certificate.serial_number
    assert own.bundles.trust_domains == ("other.example", "shop.example")
    assert own.bundles.authorities("other.example") == {chain(foreign.certificate)}


def test_intermediates_come_after_the_leaf_and_a_bundle_may_have_several_authorities(root: Issued) -> None:
    middle = root.sign(AUTHORITY, name="middle")
    own = credentials_of(svids(svid(FRONT.uri, middle.account(FRONT.path), authority(), root)))

    assert own.certificates.count(b"BEGIN CERTIFICATE") == 2
    assert len(own.bundles.authorities("shop.example")) == 2


def test_of_several_identities_that_which_is_expected_is_taken_and_else_the_first(root: Issued) -> None:
    answer = svids(
        svid(OTHER.uri, root.account(OTHER.path), root, more=field(5, "internal")),
        svid(FRONT.uri, root.account(FRONT.path), root),
    )

    assert credentials_of(answer, (FRONT,)).identity == FRONT
    assert credentials_of(answer, (SpiffeId("shop.example", "/x"), OTHER)).identity == OTHER
    assert credentials_of(answer).identity == OTHER
    assert credentials_of(answer, (SpiffeId("shop.example", "/x"),)).identity == OTHER


def test_fields_that_are_not_known_are_passed_over(root: Issued) -> None:
    answer = svids(svid(FRONT.uri, root.account(FRONT.path), root, more=field(99, "more"))) + field(7, b"\0")

    assert credentials_of(answer).identity == FRONT


def test_what_is_not_good_is_refused(root: Issued, foreign: Issued) -> None:
    issued, other = root.account(FRONT.path), root.account(OTHER.path)
    good = svid(FRONT.uri, issued, root)
    leaf, secret = field(2, chain(issued.certificate)), field(3, key_der(issued))
    trusted = field(4, chain(root.certificate))
    name = field(1, FRONT.uri)
    for answer, why in (
        (b"", "has no identity for this process"),
        (b"\x0a\x05x", "no X509SVIDResponse"),
        (field(1, field(1, b"\xff")), "no X509SVIDResponse"),
        (svids(good, lists=(b"x",)), "revocation lists, which are not kept here"),
        (svids(svid(FRONT.uri, issued)), "`shop.example` is refused: it holds no certificate"),
        (svids(svid(FRONT.uri, issued, foreign)), "not one of the trust domain `shop.example`"),
        (svids(svid(FRONT.uri, issued, authority())), "does not lead to an authority that is trusted"),
        (svids(svid(FRONT.uri, other, root)), "is that of `spiffe://shop.example/ns/shop/sa/other`, not of"),
        (svids(svid("spiffe://Shop.example/x", issued, root)), "is no SPIFFE ID of a workload"),
        (svids(svid("", issued, root)), "`` of the agent is no SPIFFE ID of a workload"),
        (svids(name + secret + trusted), "own certificate is refused: it holds no certificate"),
        (svids(name + leaf + trusted), "own key is refused: it holds a private key that cannot be read"),
        (svids(name + leaf + field(3, key_der(other)) + trusted), "own key is not that of the own certificate"),
        (svids(name + field(2, chain(issued.certificate)[:-1]) + secret + trusted), "cannot be read"),
        (svids(name + field(2, chain(issued.certificate) + b"x") + secret + trusted), "cannot be read"),
        (svids(good, federated={"Other": chain(foreign.certificate)}), "`Other` is no name of a trust domain"),
        (svids(good, federated={"spiffe://other.example/x": b""}), "is refused|is no name"),
        (svids(good, federated={"other.example": b""}), "`other.example` is refused: it holds no certificate"),
        (svids(good, federated={"shop.example": chain(root.certificate)}), "a trust domain has two bundles"),
    ):
        with pytest.raises(CredentialsError, match=why):
            credentials_of(answer)


def test_bundles_alone_are_taken(root: Issued, foreign: Issued) -> None:
    named = {"spiffe://shop.example": chain(root.certificate), "spiffe://other.example": chain(foreign.certificate)}

    assert bundles_of(bundles(named)).trust_domains == ("other.example", "shop.example")
    for answer, why in (
        (b"", "no trust bundle for this process"),
        (b"\x12\x05x", "no X509BundlesResponse"),
        (bundles(named, lists=(b"x",)), "revocation lists"),
        (bundles({"spiffe://other.example": chain(root.certificate)}), "not one of the trust domain"),
        (bundles({**named, "shop.example": chain(root.certificate)}), "two bundles"),
    ):
        with pytest.raises(CredentialsError, match=why):
            bundles_of(answer)


def test_a_key_is_in_no_message_and_no_representation(root: Issued) -> None:
    own = credentials_of(svids(svid(FRONT.uri, root.account(FRONT.path), root)))
    assert "PRIVATE" not in repr(own)


@given(st.binary(max_size=200))
def test_bytes_are_an_answer_or_refused(data: bytes) -> None:
    for read in (credentials_of, bundles_of):
        with pytest.raises(IdentityError):
            read(data)


@pytest.fixture(scope="module")
def whole(root: Issued) -> bytes:
    return svids(svid(FRONT.uri, root.account(FRONT.path), root))


@given(damage=st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=3))
def test_an_answer_that_is_damaged_is_an_answer_or_refused(whole: bytes, damage: list[tuple[int, int]]) -> None:
    answer = bytearray(whole)
    for place, value in damage:
        answer[place % len(answer)] = value
    found = None
    with suppress(IdentityError):
        found = credentials_of(bytes(answer))
    assert found is None or found.identity == FRONT
