from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID
from tests.unit.runtime.identity.certificates import NOW
from tests.unit.runtime.identity.handshakes import shake

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.authority import BACKDATED, Authority
from meshproof.runtime.identity.bundles import TrustBundle, TrustBundles
from meshproof.runtime.identity.contexts import client_context, server_context
from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.leaf import check_authority, leaf_identity
from meshproof.runtime.identity.peers import Peers
from meshproof.runtime.identity.pem import certificates, key
from meshproof.runtime.identity.svid import Credentials, credentials

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
CATALOG = SpiffeId("shop.example", "/ns/shop/sa/catalog")
HOUR, DAY = 3600.0, 86_400.0
LONG_AGO, FAR = 946_684_800.0, 4_102_444_800.0  # 2000 and 2100: OpenSSL asks the clock of the machine


@pytest.fixture(scope="module")
def made() -> Authority:
    return Authority.made("shop.example", NOW, 30 * DAY)


def _leaf(authority: Authority, seconds: float = HOUR, now: float = NOW) -> x509.Certificate:
    (leaf,) = certificates(authority.issue(FRONT, now, seconds).certificate)
    return leaf


def _credentials(authority: Authority, identity: SpiffeId) -> Credentials:
    issued = authority.issue(identity, LONG_AGO, FAR - LONG_AGO)
    trusted = TrustBundles([TrustBundle.of("shop.example", [authority.certificate])])
    return credentials(certificates(issued.certificate), key(issued.key), trusted)


def test_what_it_gives_is_taken_in_handshakes_of_both_sides() -> None:
    lasting = Authority.made("shop.example", LONG_AGO, FAR - LONG_AGO)
    front, catalog = _credentials(lasting, FRONT), _credentials(lasting, CATALOG)

    at_server, at_client = shake(server_context(catalog), client_context(front))

    assert Peers(catalog.bundles).identity(at_server, NOW).identity == FRONT
    assert Peers(front.bundles).identity(at_client, NOW, {CATALOG}).identity == CATALOG


def test_an_authority_is_one_of_its_trust_domain_and_signs_leaves_alone(made: Authority) -> None:
    check_authority(made.certificate, "shop.example")
    basic = made.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert (made.begins, made.ends) == (NOW - BACKDATED, NOW + 30 * DAY)
    with pytest.raises(CertificateError, match="one of an authority"):
        leaf_identity(made.certificate)


def test_leaves_are_as_the_standard_wants_them(made: Authority) -> None:
    leaf = _leaf(made)

    assert leaf_identity(leaf) == FRONT
    own = leaf.public_key()
    assert isinstance(own, ec.EllipticCurvePublicKey)
    assert own.curve.name == "secp256r1"
    assert leaf.signature_hash_algorithm is not None
    assert leaf.signature_hash_algorithm.name == "sha256"
    critical = {one.oid for one in leaf.extensions if one.critical}
    assert critical == {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}
    signer = made.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
    known = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert known == signer
    assert leaf.not_valid_before_utc.timestamp() == NOW - BACKDATED
    assert leaf.not_valid_after_utc.timestamp() == NOW + HOUR


def test_keys_and_serials_are_new_each_time(made: Authority) -> None:
    found = [made.issue(FRONT, NOW, HOUR) for _ in range(3)]

    assert len({one.key for one in found}) == 3
    assert len({certificates(one.certificate)[0].serial_number for one in found}) == 3


def test_no_leaf_outlives_its_authority(made: Authority) -> None:
    assert _leaf(made, 365 * DAY).not_valid_after_utc.timestamp() == made.ends
    assert _leaf(made, HOUR, made.begins).not_valid_before_utc.timestamp() == made.begins


@pytest.mark.parametrize("now", [NOW - BACKDATED - 1, NOW + 30 * DAY])
def test_an_authority_that_is_not_valid_gives_nothing(made: Authority, now: float) -> None:
    with pytest.raises(CredentialsError, match="the authority is not valid now"):
        made.issue(FRONT, now, HOUR)


def test_identities_of_other_trust_domains_are_not_given(made: Authority) -> None:
    with pytest.raises(CredentialsError, match=r"`spiffe://other\.example/x` is not of the trust domain `shop"):
        made.issue(SpiffeId("other.example", "/x"), NOW, HOUR)


@pytest.mark.parametrize("name", ["", "Shop.example", "shop example", "shop.example/x", "a" * 256])
def test_a_trust_domain_has_a_name(name: str) -> None:
    with pytest.raises(CredentialsError, match="is no name of a trust domain"):
        Authority.made(name, NOW, DAY)


def test_names_of_hosts_stand_beside_the_identity(made: Authority) -> None:
    issued = made.issue(FRONT, NOW, HOUR, ("front.shop.svc", "localhost"))

    (leaf,) = certificates(issued.certificate)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["front.shop.svc", "localhost"]
    assert leaf_identity(leaf) == FRONT


@pytest.mark.parametrize("host", ["", "a b", "front.", ".front", "fr\u00f6nt", "a" * 64, "*.shop", "front\n"])
def test_what_is_no_name_of_a_host_is_refused(made: Authority, host: str) -> None:
    with pytest.raises(CredentialsError, match="is no name of a host"):
        made.issue(FRONT, NOW, HOUR, (host,))


def test_what_is_kept_is_the_same_authority(made: Authority) -> None:
    again = Authority.kept("shop.example", made.secret)

    assert again.certificate == made.certificate
    leaf = _leaf(again)
    leaf.verify_directly_issued_by(made.certificate)
    assert made.begins == again.begins


def test_what_is_no_authority_is_not_read(made: Authority) -> None:
    other = Authority.made("shop.example", NOW, DAY)
    own_key = made.secret.removeprefix(made.pem)
    for secret, why in (
        (made.pem, "holds no key"),
        (b"", "holds no key"),
        (own_key, "holds no certificate"),
        (other.pem + own_key, "not an authority that this command has made"),
        (made.pem + other.pem + own_key, "not an authority that this command has made"),
        (made.pem + own_key[:60], "not exactly one private key|cannot be read"),
    ):
        with pytest.raises((CertificateError, CredentialsError), match=why):
            Authority.kept("shop.example", secret)


def test_keys_are_in_no_representation(made: Authority) -> None:
    for shown in (repr(made), repr(made.issue(FRONT, NOW, HOUR))):
        assert not re.search("PRIVATE|EllipticCurvePrivateKey", shown)
