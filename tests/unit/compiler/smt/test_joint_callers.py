"""Who can call, as two policies know them: by domain, alias and matcher."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.building import mesh as base_mesh
from tests.strategies.building import service

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Suffix
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.semantics.matching import matches
from meshproof.compiler.smt.joint_callers import STRANGERS, JointCallers, SideCallers, Trust, joint_callers

OURS = "spiffe://cluster.local/ns/shop/sa/"
MATCHERS: tuple[Matcher, ...] = (
    Exact(f"{OURS}a"),
    Exact("spiffe://new.local/ns/shop/sa/a"),
    Prefix("spiffe://cluster.local/ns/shop/"),
    Prefix("spiffe://new.local/ns/"),
    Suffix("/sa/b"),
    Regex(".*/ns/shop/.*"),
)


def meshes(old: Mesh, new: Mesh) -> JointCallers:
    return joint_callers(old, new, MATCHERS)


def domains(own: str = "cluster.local", aliases: tuple[str, ...] = (), trusts: tuple[str, ...] = ()) -> Mesh:
    return replace(base_mesh(), trust_domain=own, aliases=aliases, trusts=trusts)


SIDES = [
    (domains(), domains()),
    (domains(), domains(trusts=("partner.example",))),
    (domains(aliases=("old.local",)), domains()),
    (domains(), domains("new.local", aliases=("cluster.local",))),
    (domains("new.local", aliases=("cluster.local",)), domains(aliases=("new.local",))),
    (domains(trusts=("new.local",)), domains("new.local", trusts=("cluster.local",))),
]


def read(mesh: Mesh, uri: str) -> str | None:
    """The identity as rules of a side read it."""
    found = SpiffeId.parse(uri)
    assert found is not None
    domain = Trust.of(mesh).canonical(found.trust_domain)
    return None if domain is None else SpiffeId(domain, found.path).uri


@pytest.mark.parametrize(("old", "new"), SIDES)
def test_each_side_takes_of_each_class_what_its_rules_read(old: Mesh, new: Mesh) -> None:
    found = meshes(old, new)

    for number, caller in enumerate(found.classes[:-1]):
        assert caller.old == caller.new
        assert caller.old is not None
        for mesh, side in ((old, found.old), (new, found.new)):
            uri = read(mesh, caller.old)
            assert bool(side.every >> number & 1) == (uri is not None)
            for matcher in MATCHERS:
                assert bool(side.mask(matcher) >> number & 1) == (uri is not None and matches(matcher, uri))
    assert found.classes[-1].old is found.classes[-1].new is None


@pytest.mark.parametrize(("old", "new"), SIDES)
def test_no_identity_is_missed(old: Mesh, new: Mesh) -> None:
    found = meshes(old, new)

    def signature(side: SideCallers, number: int) -> tuple[bool, ...]:
        masks = (side.every, *map(side.mask, MATCHERS))
        return tuple(bool(mask >> number & 1) for mask in masks)

    known = {(signature(found.old, number), signature(found.new, number)) for number in range(len(found.classes) - 1)}
    names = ("a", "b", "c")
    uris = [
        f"spiffe://{domain}/ns/{namespace}/sa/{name}"
        for domain in ("cluster.local", "new.local", "old.local", "partner.example", *STRANGERS)
        for namespace in ("shop", "pay")
        for name in names
    ]
    for uri in uris:
        sides = []
        for mesh in (old, new):
            one = read(mesh, uri)
            sides.append((one is not None, *(one is not None and matches(matcher, one) for matcher in MATCHERS)))
        assert (sides[0], sides[1]) in known, uri


@pytest.mark.parametrize(("old", "new"), SIDES)
def test_routes_read_who_a_caller_is_whether_a_side_trusts_it_or_not(old: Mesh, new: Mesh) -> None:
    found = joint_callers(old, new, MATCHERS, of_routes=MATCHERS)

    def at_sender(mesh: Mesh, uri: str) -> str:
        return read(mesh, uri) or uri

    known = set()
    for number, caller in enumerate(found.classes[:-1]):
        assert caller.old is not None
        sides = []
        for mesh, side in zip((old, new), found.senders, strict=True):
            taken = tuple(bool(side.mask(matcher) >> number & 1) for matcher in MATCHERS)
            assert taken == tuple(matches(matcher, at_sender(mesh, caller.old)) for matcher in MATCHERS)
            sides.append(taken)
        for mesh, callers in ((old, found.old), (new, found.new)):  # whom it does not trust no rule of a side reads
            assert read(mesh, caller.old) or not any(callers.mask(matcher) >> number & 1 for matcher in MATCHERS)
        known.add(tuple(sides))
    for domain in ("cluster.local", "new.local", "old.local", "partner.example", *STRANGERS):
        for path in ("ns/shop/sa/a", "ns/shop/sa/b", "ns/shop/sa/c", "ns/pay/sa/a", "ns/pay/sa/b", "ns/pay/sa/c"):
            uri = f"spiffe://{domain}/{path}"
            sides = [tuple(matches(one, at_sender(mesh, uri)) for one in MATCHERS) for mesh in (old, new)]
            assert tuple(sides) in known, uri


def test_a_stranger_is_of_a_domain_that_nobody_trusts() -> None:
    found = meshes(domains(trusts=STRANGERS), domains())
    stranger = found.classes[-2]

    assert stranger.old is not None
    assert not any(name in stranger.old for name in (*STRANGERS, "cluster.local"))
    assert found.old.untrusted == 1 << (len(found.classes) - 2)


def test_as_workloads_callers_have_the_identity_of_either_side() -> None:
    def with_accounts(**accounts: str) -> Mesh:
        services = tuple(
            replace(service(name), identity=SpiffeId.of_account("cluster.local", "shop", account))
            for name, account in accounts.items()
        )
        return replace(domains(), services=services, gateways=())

    old, new = with_accounts(a="default", b="default", gone="x"), with_accounts(a="a", b="b", late="y")
    exact = tuple(Exact(f"{OURS}{account}") for account in ("default", "x", "a", "b", "y"))
    found = joint_callers(old, new, exact, tuple((NodeName(name), NodeName(name)) for name in ("a", "b")))

    assert [(one.old, one.new, one.workloads) for one in found.classes if one.workloads] == [
        (f"{OURS}default", f"{OURS}a", ("a",)),
        (f"{OURS}default", f"{OURS}b", ("b",)),
        (f"{OURS}x", f"{OURS}x", ("gone",)),
        (f"{OURS}y", f"{OURS}y", ("late",)),
    ]
    assert found.old.mask(exact[0]) & 0b11 == 0b11
    assert found.new.mask(exact[0]) & 0b11 == 0
    others = [one.new for one in found.classes if not one.workloads]
    assert f"{OURS}default" not in others
    assert others[-1] is None
