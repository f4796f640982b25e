from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from tests.unit.runtime.identity.bad_certificates import SHAPES, strong_keys, weak_keys
from tests.unit.runtime.identity.certificates import AUTHORITY, LEAF, Issued, Shape, authority, usage

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CertificateError
from meshproof.runtime.identity.leaf import authority_domain, check_authority, is_trust_domain, leaf_identity


@pytest.fixture(scope="module")
def root() -> Issued:
    return authority()


GOOD = {
    "as SPIRE writes them": LEAF,
    "no basic constraints": replace(LEAF, is_authority=None),
    "no extended key usage": replace(LEAF, purposes=None),
    "more usages": replace(LEAF, usage=usage("digital_signature", "key_encipherment", "key_agreement")),
    "names of hosts beside it": replace(LEAF, names=(x509.DNSName("front.shop.svc"),)),
    "an extension that nobody knows": replace(
        LEAF, more=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False),)
    ),
}


@pytest.mark.parametrize("shape", GOOD.values(), ids=GOOD)
def test_a_good_leaf_names_one_workload(root: Issued, shape: Shape) -> None:
    assert leaf_identity(root.sign(shape).certificate) == SpiffeId("shop.example", "/ns/shop/sa/front")


@pytest.mark.parametrize(("shape", "why"), SHAPES.values(), ids=SHAPES)
def test_what_the_standard_refuses_is_refused(root: Issued, shape: Shape, why: str) -> None:
    with pytest.raises(CertificateError) as refused:
        leaf_identity(root.sign(shape).certificate)

    assert why in str(refused.value)


@pytest.mark.parametrize("kind", ["RSA of 1024 bits", "secp256k1", "P-224"])
def test_weak_keys_are_refused(root: Issued, kind: str) -> None:
    key, why = weak_keys()[kind]

    with pytest.raises(CertificateError) as refused:
        leaf_identity(root.sign(LEAF, key).certificate)
    assert why in str(refused.value)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "RSA", "Ed25519"])
def test_strong_keys_are_taken(root: Issued, kind: str) -> None:
    assert leaf_identity(root.sign(LEAF, strong_keys()[kind]).certificate).trust_domain == "shop.example"


AUTHORITIES = {
    "one that is named by its trust domain": replace(AUTHORITY, uris=("spiffe://shop.example",)),
    "one without a name": AUTHORITY,
    "one with the URI of a host": replace(AUTHORITY, uris=("https://ca.shop.example/",)),
    "one without key usage": replace(AUTHORITY, usage=None),
}


@pytest.mark.parametrize("shape", AUTHORITIES.values(), ids=AUTHORITIES)
def test_authorities_are_taken(root: Issued, shape: Shape) -> None:
    made = root.sign(shape, name="authority").certificate

    check_authority(made, "shop.example")
    assert authority_domain(made) == ("shop.example" if "spiffe://shop.example" in shape.uris else None)


NO_AUTHORITIES = {
    "a leaf": (LEAF, "an authority is not marked as one"),
    "one without basic constraints": (replace(AUTHORITY, is_authority=None), "an authority is not marked as one"),
    "one that may not sign": (replace(AUTHORITY, usage=usage("crl_sign")), "the key usage of an authority is not to"),
    "one of another trust domain": (
        replace(AUTHORITY, uris=("spiffe://other.example",)),
        "an authority is not one of the trust domain `shop.example`",
    ),
    "one with capitals": (replace(AUTHORITY, uris=("SPIFFE://other.example",)), "not one of the trust domain"),
    "one with a path": (replace(AUTHORITY, uris=("spiffe://shop.example/ca",)), "not one of the trust domain"),
    "one with two, one of them another": (
        replace(AUTHORITY, uris=("spiffe://shop.example", "spiffe://other.example")),
        "not one of the trust domain",
    ),
}


@pytest.mark.parametrize(("shape", "why"), NO_AUTHORITIES.values(), ids=NO_AUTHORITIES)
def test_what_may_not_sign_is_refused(root: Issued, shape: Shape, why: str) -> None:
    with pytest.raises(CertificateError) as refused:
        check_authority(root.sign(shape, name="authority").certificate, "shop.example")

    assert why in str(refused.value)


def test_an_authority_tells_its_trust_domain(root: Issued) -> None:
    assert authority_domain(root.certificate) == "shop.example"
    assert authority_domain(root.account("/x").certificate) is None


def test_names_of_trust_domains() -> None:
    assert all(map(is_trust_domain, ("a", "shop.example", "a_b-c.1")))
    assert not any(map(is_trust_domain, ("", "Shop", "a/b", "a:1", "a b", "a\n", "x" * 256, "é")))


def test_extensions_that_cannot_be_read_are_refused(root: Issued) -> None:
    twice = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x02\x86\xff")
    broken = replace(LEAF, uris=(), more=((twice, False),))

    with pytest.raises(CertificateError, match="its extensions cannot be read"):
        leaf_identity(root.sign(broken).certificate)
