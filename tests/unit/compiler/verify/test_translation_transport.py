"""Who passes transport is compared for every port, in both directions, whatever is decided after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of
from tests.strategies.predicates import origin

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.entities import Destination, Exemption
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsPolicy,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
)
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Method, Port, SourceIdentity, Test, negation
from meshproof.compiler.semantics import passes_transport
from meshproof.compiler.verify.semantic_diff_values import Undecided
from meshproof.compiler.verify.translation_connections import connection_gaps
from meshproof.compiler.verify.translation_gaps import Gap

DAY = date(2026, 11, 23)
SOURCE = mesh_of(
    """
mesh m { language 1  trust-domain "td"  aliases "old"  trusts "partner"  namespace shop  mtls strict  egress open }
namespace vault { closed }
service web  { port http 80 -> 8080  port raw tcp 6000 }
service soft { port http 80 -> 8080 }
service bare { port http 80 -> 8080 }
service job  { }
allow use: web -> { soft, bare }
mtls permissive for soft { because "old machines" until 2027-01-31 }
mtls disabled for bare { because "old machines" until 2027-01-31 }
""",
    has_mesh=True,
)
LATE = date(2027, 2, 1)
VAULT = MtlsPolicy(NamespaceScope("vault"), MtlsMode.STRICT, origin())
REST = MtlsPolicy(MeshScope(), MtlsMode.PERMISSIVE, origin())
RIGHT = {"web": MtlsMode.STRICT, "soft": MtlsMode.PERMISSIVE, "bare": MtlsMode.DISABLED}


def statement(scope: MtlsScope, mode: MtlsMode) -> MtlsPolicy:
    return MtlsPolicy(scope, mode, origin())


def lifted(modes: dict[str, MtlsMode], *others: MtlsPolicy, rest: tuple[MtlsPolicy, ...] = (VAULT, REST)) -> Mesh:
    own = (statement(ServiceScope(NodeName(name)), mode) for name, mode in modes.items())
    return replace(SOURCE, mtls=(*own, *others, *rest), trusts=())


def gaps(new: Mesh, *losses: Loss, source: Mesh = SOURCE, day: date = DAY) -> list[Gap]:
    found = connection_gaps(source, new, LiftedTransport(), losses, day)
    return [one for one in found if isinstance(one, Gap)]


def told(new: Mesh, *losses: Loss, source: Mesh = SOURCE, day: date = DAY) -> set[tuple[str, str, bool]]:
    return {(gap.place, gap.emitted, gap.is_looser) for gap in gaps(new, *losses, source=source, day=day)}


def test_what_is_as_the_policy_says_is_no_gap() -> None:
    assert told(lifted(RIGHT)) == set()


OPEN = "lets callers without identity pass transport"
SHUT = "refuses callers without identity"
NAMED = "lets callers with an identity pass transport"
NAMELESS = "refuses callers with an identity"


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("web", MtlsMode.PERMISSIVE, {(OPEN, True)}),
        ("web", MtlsMode.DISABLED, {(OPEN, True), (NAMELESS, False)}),
        ("soft", MtlsMode.STRICT, {(SHUT, False)}),
        ("soft", MtlsMode.DISABLED, {(NAMELESS, False)}),
        ("bare", MtlsMode.PERMISSIVE, {(NAMED, True)}),
        ("bare", MtlsMode.STRICT, {(SHUT, False), (NAMED, True)}),
    ],
)
def test_each_mode_for_another_is_found_in_both_directions(
    name: str, mode: MtlsMode, expected: set[tuple[str, bool]]
) -> None:
    found = gaps(lifted(RIGHT | {name: mode}))

    assert {(gap.emitted, gap.is_looser) for gap in found} == expected
    ports = {port.name for service in SOURCE.services if service.name == name for port in service.ports}
    assert {gap.place for gap in found} == {
        *(f"{name}:{port}" for port in ports),
        f"{name} (port that is not declared)",
    }


def test_each_has_a_connection_that_the_interpreter_lets_pass_on_one_side_alone() -> None:
    for modes in (RIGHT | {"web": MtlsMode.PERMISSIVE}, RIGHT | {"soft": MtlsMode.STRICT}):
        new = lifted(modes)
        for gap in gaps(new):
            assert gap.witness is not None
            request = gap.witness.request
            sides = passes_transport(SOURCE, request, DAY), passes_transport(new, request, DAY)
            assert sides == (not gap.is_looser, gap.is_looser)
            assert gap.witness.old is not None
            assert gap.witness.new is not None


def test_ports_that_one_side_alone_names_are_compared() -> None:
    for port, place in ((8080, "web:http"), (6000, "web:raw"), (9, "web:9")):
        opened = statement(PortScope(NodeName("web"), port), MtlsMode.PERMISSIVE)
        assert told(lifted(RIGHT, opened)) == {(place, OPEN, True)}


def test_a_statement_that_has_ended_counts_no_more() -> None:
    strict = dict.fromkeys(RIGHT, MtlsMode.STRICT)
    assert told(lifted(strict), day=LATE) == set()
    assert {place for place, _, _ in told(lifted(RIGHT), day=LATE)} >= {"soft:http", "bare:http"}


def test_nothing_is_let_in_where_nothing_listens() -> None:
    job = statement(ServiceScope(NodeName("job")), MtlsMode.PERMISSIVE)
    assert told(lifted(RIGHT, job)) == set()


def test_what_is_observed_lets_everybody_pass() -> None:
    end = Exemption("to see", None, LATE, origin())
    services = (replace(one, observe=end if one.name == "web" else None) for one in SOURCE.services)
    observing = replace(SOURCE, services=tuple(services))

    assert told(lifted(RIGHT | {"web": MtlsMode.PERMISSIVE}), source=observing) == set()
    assert (SHUT, False) in {found[1:] for found in told(lifted(RIGHT), source=observing)}


def test_a_listed_loss_explains_what_is_stricter_and_nothing_else() -> None:
    def loss(subject: str, direction: Direction = Direction.STRICTER) -> Loss:
        return Loss(Feature.MTLS_MODES, direction, subject, "it refuses more", origin())

    stricter = lifted(RIGHT | {"soft": MtlsMode.STRICT})
    assert told(stricter, loss("soft")) == set()
    assert told(stricter, loss("web"), loss("soft", Direction.DROPPED)) == told(stricter)
    looser = lifted(RIGHT | {"web": MtlsMode.PERMISSIVE})
    assert told(looser, loss("web")) == told(looser)


def test_a_loss_explains_no_connection_that_it_does_not_speak_of() -> None:
    """Another port, an identity that is shown, or requests of a kind on a connection that is refused."""
    stricter = lifted(RIGHT | {"soft": MtlsMode.STRICT})
    every = Loss(Feature.MTLS_MODES, Direction.STRICTER, "soft", "it refuses more", origin())
    without = replace(every, region=negation(Test(SourceIdentity(), Present())))
    assert told(stricter, without) == set()
    for elsewhere in (
        replace(every, region=Test(SourceIdentity(), Present())),
        replace(every, region=Test(Port(), Exact("1"))),
        replace(every, region=Test(Method(), Exact("GET"))),
        replace(every, settings=("retry",)),
        replace(every, repeated="x"),
        replace(every, is_of_routes=True),
        replace(every, at=Destination(NodeName("soft"), (1,))),
    ):
        assert told(stricter, elsewhere) == told(stricter) != set()


def test_workloads_that_nobody_declares_stay_as_they_are_but_in_closed_namespaces() -> None:
    vault, shop = (f"undeclared workloads of namespace {name}" for name in ("vault", "shop"))
    assert told(lifted(RIGHT, rest=(REST,))) == {(vault, OPEN, True)}
    assert told(lifted(RIGHT, rest=())) == {(vault, OPEN, True)}

    named = replace(SOURCE.namespaces[0], name="shop", is_closed=False)
    new = replace(lifted(RIGHT, statement(NamespaceScope("shop"), MtlsMode.STRICT)), namespaces=(named,))
    assert told(new) == {(shop, "makes mutual TLS strict", False)}
    new = replace(lifted(RIGHT, statement(NamespaceScope("shop"), MtlsMode.DISABLED)), namespaces=(named,))
    assert told(new) == {(shop, "makes mutual TLS disabled", True)}
    new = replace(lifted(RIGHT), namespaces=(replace(named, is_closed=True),))
    assert told(new) == {(shop, "refuses everybody", False)}


def test_whose_identities_are_verified_is_compared() -> None:
    assert told(replace(lifted(RIGHT), trusts=("partner",))) == set()
    (gap,) = gaps(replace(lifted(RIGHT), trusts=("evil",)))
    assert (gap.is_looser, gap.emitted) == (True, "verifies identities of `evil`")
    assert gap.witness is not None
    assert gap.witness.request.source.identity == "spiffe://evil/ns/other/sa/other"
    assert told(replace(lifted(RIGHT), aliases=())) == {("the mesh", "refuses identities of `old`", False)}


def test_an_alias_may_be_lifted_as_a_domain_of_its_own() -> None:
    assert told(replace(lifted(RIGHT), aliases=(), trusts=("old",))) == set()


def test_a_target_that_tells_nothing_of_connections_is_not_known() -> None:
    found = connection_gaps(SOURCE, lifted(RIGHT), None, (), DAY)
    assert found == (Undecided("connections", "the target does not tell what it does with them"),)
