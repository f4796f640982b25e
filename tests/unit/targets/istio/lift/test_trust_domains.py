"""Trust domains, their aliases, and foreign ones: istio.md, section 2."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import allows, api, config, policy

from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio.lift.trust_domains import expanded, tells_apart_domains, tells_apart_principals

BUNDLE = ("new.td", "old.td")
SETTINGS = config("trustDomain: new.td\ntrustDomainAliases: [old.td]\ncaCertificates: [{trustDomains: [partner.td]}]")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("new.td/ns/a/sa/b", ("new.td/ns/a/sa/b", "old.td/ns/a/sa/b")),
        ("old.td/ns/a/sa/b", ("new.td/ns/a/sa/b", "old.td/ns/a/sa/b")),
        ("cluster.local/ns/a/sa/b", ("new.td/ns/a/sa/b", "old.td/ns/a/sa/b")),
        ("old*/ns/a/sa/b", ("new.td/ns/a/sa/b", "old.td/ns/a/sa/b")),
        ("*.td/ns/a/sa/b", ("*.td/ns/a/sa/b",)),
        ("*d.td/ns/a/sa/b", ("new.td/ns/a/sa/b", "*d.td/ns/a/sa/b")),
        ("partner.td/ns/a/sa/b", ("partner.td/ns/a/sa/b",)),
        ("*/ns/a/sa/b", ("*/ns/a/sa/b",)),
        ("old.td/ns/a/*", ("old.td/ns/a/*",)),
        ("cluster.local/*", ("cluster.local/*",)),
        ("*", ("*",)),
    ],
)
def test_which_principals_a_value_stands_for(value: str, meant: tuple[str, ...]) -> None:
    assert expanded(value, BUNDLE) == meant


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        (("cluster.local/ns/a/sa/b",), False),
        (("old.td/ns/a/sa/b", "*/ns/a/sa/c", "*"), False),
        (("*d.td/ns/a/sa/b",), False),
        (("partner.td/ns/a/*",), False),
        (("old.td/ns/a/*",), True),
        (("old.td/ns/a/*", "new.td/ns/a/*"), False),
        (("old.td/ns/a/*", "new.td/ns/b/*"), True),
        (("old*",), True),
        (("*td/ns/a",), False),
        (("*old.td/ns/a",), True),
        (("*sa/b",), False),
    ],
)
def test_lists_that_tell_an_alias_apart(values: tuple[str, ...], is_told: bool) -> None:
    assert tells_apart_principals(values, BUNDLE) is is_told


def test_lists_of_domains_that_tell_an_alias_apart() -> None:
    assert not tells_apart_domains(("old.td",), BUNDLE)
    assert not tells_apart_domains(("*", "partner.td"), BUNDLE)
    assert tells_apart_domains(("old*",), BUNDLE)


def _id(domain: str) -> str:
    return f"spiffe://{domain}/ns/a/sa/b"


def _mesh(value: str, field: str = "principals") -> Mesh:
    return api(SETTINGS, policy(f"rules: [{{from: [{{source: {{{field}: ['{value}']}}}}]}}]"))


def test_an_alias_is_read_as_ours_where_no_policy_tells() -> None:
    mesh = _mesh("cluster.local/ns/a/sa/b")
    assert (mesh.trust_domain, mesh.aliases, mesh.trusts) == ("new.td", ("old.td",), ("partner.td",))
    assert allows(mesh, identity=_id("new.td"))
    assert allows(mesh, identity=_id("old.td"))
    assert not allows(mesh, identity=_id("partner.td"))
    assert not allows(mesh, identity=_id("cluster.local"))


def test_an_alias_stands_for_itself_where_a_policy_tells() -> None:
    mesh = _mesh("old.td/ns/*")
    assert (mesh.aliases, mesh.trusts) == ((), ("old.td", "partner.td"))
    assert allows(mesh, identity=_id("old.td"))
    assert not allows(mesh, identity=_id("new.td"))


def test_namespaces_are_of_any_trusted_domain() -> None:
    mesh = _mesh("a", "namespaces")
    assert allows(mesh, identity=_id("partner.td"))
    assert not allows(mesh, identity=_id("stranger.td"))  # no handshake is verified


def test_a_listed_domain_is_all_of_ours() -> None:
    mesh = _mesh("old.td", "trustDomains")
    assert allows(mesh, identity=_id("new.td"))
    assert allows(mesh, identity=_id("old.td"))
    assert not allows(mesh, identity=_id("partner.td"))


def test_options_win_over_the_configuration() -> None:
    settings = (("istio.trust-domain", "x.td"), ("istio.aliases", "y.td,z.td"))
    mesh = api(SETTINGS, settings=settings)
    assert (mesh.trust_domain, mesh.aliases) == ("x.td", ("y.td", "z.td"))
    assert mesh.services[0].identity.uri == "spiffe://x.td/ns/shop/sa/api"
