"""A translation passes if it is equal, or stricter by losses that say so; nothing else does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from tests.strategies.edits import edited
from tests.strategies.meshes import LIFTED, SMALL, Size, random_mesh, seeded
from tests.strategies.policy_text import mesh_of
from tests.strategies.predicates import origin

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.driver.translating import translation_findings
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Layer
from meshproof.compiler.ir.matchers import Exact, Segments
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import Always, Method, Never, Opaque, Or, SourceIdentity, Test
from meshproof.compiler.verify.semantic_diff import semantic_diff
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion
from meshproof.compiler.verify.translation import Translation, TranslationVerdict, translation
from meshproof.compiler.verify.translation_answered import answered
from meshproof.dsl.diagnostic import Severity

DAY = date(2026, 11, 23)
HEAD = 'mesh m { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
SOURCE = mesh_of(
    HEAD
    + """
authorizer opa { address "opa.shop:9191"  protocol grpc  timeout 200ms }
service web { port http 8080 }
service job { }
service api { port http 8080  versions v1, v2 }
allow read:  { web, job } -> api { GET /items/{id} }
allow write: web -> api { POST /items }
deny  guard: anyone -> api { * /items/secret }
ask   think: web -> api { POST /items  via opa }
route api:http { otherwise => v1 }
""".replace("{ POST /items  via opa }", "{\n POST /items\n via opa\n}"),
    has_mesh=True,
)


def with_rule(mesh: Mesh, name: str, **parts: object) -> Mesh:
    rules = (replace(rule, **parts) if rule.id == name else rule for rule in mesh.rules)  # type: ignore[arg-type]
    return replace(mesh, rules=tuple(rules))


def without(mesh: Mesh, name: str) -> Mesh:
    return replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.id != name))


def rule(name: str) -> AuthzRule:
    return next(one for one in SOURCE.rules if one.id == name)


def loss(subject: str, direction: Direction = Direction.STRICTER) -> Loss:
    return Loss(Feature.PATH_SEGMENTS, direction, subject, "it refuses more", origin())


def judged(lifted: Mesh, *losses: Loss) -> Translation:
    return translation(SOURCE, lifted, losses, DAY)


def drawn(rng: Random, size: Size) -> Mesh:
    """A policy in which senders call externals themselves: other ways out are judged by other rules in files."""
    mesh = random_mesh(rng, size)
    return replace(mesh, externals=tuple(replace(one, via=None) for one in mesh.externals))


def read(mesh: Mesh) -> Mesh:
    """The policy as its files say it: their gateways answer to names."""
    return answered(mesh, ())


@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
def test_what_means_the_same_is_equal_whatever_its_statements_are(size: Size) -> None:
    for number in range(12):
        mesh = drawn(seeded(number), size)
        renamed = replace(mesh, rules=tuple(replace(one, id=RuleId(f"ns/{one.id}[0]")) for one in mesh.rules))
        found = translation(mesh, read(renamed), (), DAY)

        assert not found.looser
        assert not found.unexplained
        assert not found.stricter
        # What is not modelled has another name too, so nobody knows that it is the same.
        assert all("not modelled" in one.reason or size is LIFTED for one in found.undecided)


def places(regions: Iterable[DiffRegion]) -> set[tuple[str | None, int | None]]:
    """Where the regions are."""
    return {(place.old, place.port) for region in regions for place in region.places if place.port is not None}


def test_any_edit_of_what_is_allowed_or_routed_is_found() -> None:
    rng = seeded(5)
    changed = 0
    for _ in range(80):
        mesh = drawn(rng, SMALL)
        other = edited(rng, mesh, SMALL)
        other = replace(other, externals=tuple(replace(one, via=None) for one in other.externals))
        other = replace(other, trusts=mesh.trusts)  # no file says whom a mesh trusts
        if {node.name for node in other.nodes} != {node.name for node in mesh.nodes}:
            continue
        found, difference = translation(mesh, read(other), (), DAY), semantic_diff(mesh, other, DAY)
        assert places(found.looser) <= places(one for one in difference.regions if one.change is Change.ALLOWED)
        # At gateways and externals, and of strangers that `observe` lets by, fewer requests are compared.
        services = {str(node.name) for node in mesh.services if node.observe is None}
        regions = [one for one in difference.regions if one.places[0].old in services]
        assert {place for place in places(regions) if place[0] in services} <= places(found.looser + found.unexplained)
        assert not found.stricter
        changed += bool(regions)
    assert changed > 5


MUTANTS = {
    "a deny is left out": without(SOURCE, "guard"),
    "an ask is left out": without(SOURCE, "think"),
    "a path is widened": with_rule(
        SOURCE, "write", operations=tuple(replace(one, path=Segments("/items/**")) for one in rule("write").operations)
    ),
    "a method is dropped": with_rule(
        SOURCE, "write", operations=tuple(replace(one, methods=()) for one in rule("write").operations)
    ),
    "callers are dropped": with_rule(SOURCE, "write", sources=rule("read").sources),
    "another node is meant": with_rule(
        SOURCE,
        "write",
        destinations=tuple(replace(place, node=SOURCE.services[-1].name) for place in rule("write").destinations),
    ),
    "nothing is decided by default": replace(
        SOURCE, services=tuple(replace(one, default_allow=(Layer.HTTP,)) for one in SOURCE.services)
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_what_lets_more_through_is_wrong_whatever_losses_say(mutant: Mesh) -> None:
    found = judged(mutant, *map(loss, ("read", "write", "guard", "think", "api", "web")))

    assert found.verdict is TranslationVerdict.WRONG
    assert found.looser
    assert not found.is_sound
    witness = found.looser[0].witness
    assert witness is not None
    assert witness.old is not None
    assert witness.new is not None
    assert (witness.old.is_allowed, witness.new.is_allowed) == (False, True)


NARROWER = with_rule(
    SOURCE, "read", operations=tuple(replace(one, path=Exact("/items/1")) for one in rule("read").operations)
)


def test_what_refuses_more_passes_with_a_loss_that_says_so() -> None:
    found = judged(NARROWER, loss("read"))

    assert found.verdict is TranslationVerdict.STRICTER
    assert found.is_sound
    (explained,) = found.stricter
    assert explained.losses == (loss("read"),)
    assert explained.region.sources == ("job, web",)
    assert explained.region.operations == ("GET /items/* except /items/1, /items/secret",)


@pytest.mark.parametrize(
    "losses",
    [(), (loss("write"),), (loss("web"),), (loss("think"),), (loss("read", Direction.DROPPED),)],
    ids=["none", "of another allow", "of another node", "of an ask with other operations", "no stricter one"],
)
def test_what_refuses_more_without_a_loss_that_says_so_is_wrong(losses: tuple[Loss, ...]) -> None:
    found = judged(NARROWER, *losses)

    assert found.verdict is TranslationVerdict.WRONG
    assert not found.looser
    assert [one.change for one in found.unexplained] == [Change.DENIED]


def test_a_loss_of_an_allow_takes_nothing_of_another() -> None:
    """`read` may lose requests, and `write` lets in what `read` does not."""
    found = judged(without(NARROWER, "write"), loss("read"))

    assert found.verdict is TranslationVerdict.WRONG
    assert [one.operations for one in found.unexplained] == [("POST /items",)]
    assert [one.region.operations for one in found.stricter] == [("GET /items/* except /items/1, /items/secret",)]


def test_a_loss_of_an_ask_may_refuse_whoever_has_its_operations() -> None:
    everyone = with_rule(SOURCE, "think", sources=rule("guard").sources)
    source = with_rule(SOURCE, "write", sources=rule("read").sources)
    lifted = with_rule(everyone, "write", sources=rule("read").sources)

    assert translation(source, lifted, (), DAY).verdict is TranslationVerdict.WRONG
    found = translation(source, lifted, (loss("think"),), DAY)
    assert found.verdict is TranslationVerdict.STRICTER
    assert [one.region.sources for one in found.stricter] == [("job",)]


def test_a_loss_of_a_node_may_refuse_anything_there() -> None:
    assert judged(without(SOURCE, "read"), loss("api")).verdict is TranslationVerdict.STRICTER


def test_what_is_sent_elsewhere_needs_a_loss_of_its_route() -> None:
    branches = SOURCE.routes[0].branches
    targets = tuple(replace(one, version="v2") for one in branches[0].targets)
    moved = replace(SOURCE, routes=(replace(SOURCE.routes[0], branches=(replace(branches[0], targets=targets),)),))

    found = judged(moved)
    assert found.verdict is TranslationVerdict.WRONG
    assert {one.change for one in found.unexplained} == {Change.REROUTED}
    for listed in (loss("api:http"), loss("api"), replace(loss("api:http"), is_of_routes=True)):
        assert judged(moved, listed).verdict is TranslationVerdict.WRONG


MANY = mesh_of(
    HEAD
    + """
service web { port http 8080 }
service api { port http 8080  versions v1, v2, v3 }
allow read: web -> api
route api { when query["x"] == "1" => v2 50%, v1 50%  otherwise => v1 }
""",
    has_mesh=True,
)


def sent(first: str, branch: str) -> Mesh:
    """The policy with one branch sent elsewhere."""
    (route,) = MANY.routes
    one, other = route.branches
    target = (replace(other.targets[0], version=branch),)
    branches = (replace(one, targets=target), other) if first == "query" else (one, replace(other, targets=target))
    return replace(MANY, routes=(replace(route, branches=branches),))


def test_a_loss_of_a_route_lets_another_branch_take_what_it_speaks_of_and_nothing_else() -> None:
    of_query = replace(loss("api"), is_of_routes=True, region=MANY.routes[0].branches[0].condition)

    def verdict(lifted: Mesh, listed: Loss) -> TranslationVerdict:
        return translation(MANY, lifted, (listed,), DAY).verdict

    assert verdict(sent("query", "v1"), of_query) is TranslationVerdict.EQUAL
    assert verdict(sent("query", "v1"), replace(of_query, is_of_routes=False)) is TranslationVerdict.WRONG
    assert verdict(sent("query", "v2"), of_query) is TranslationVerdict.WRONG
    assert verdict(sent("query", "v3"), of_query) is TranslationVerdict.WRONG
    assert verdict(sent("otherwise", "v2"), of_query) is TranslationVerdict.WRONG
    refusing = with_rule(MANY, "read", effect=Effect.DENY)
    assert verdict(refusing, replace(of_query, region=Always())) is TranslationVerdict.WRONG


def test_a_loss_of_one_port_explains_nothing_at_another() -> None:
    at = Destination(NodeName("api"), (8080,))
    narrower = with_rule(SOURCE, "read", when=Never())
    assert judged(narrower, replace(loss("read"), at=at)).verdict is TranslationVerdict.STRICTER
    assert judged(narrower, replace(loss("read"), at=replace(at, ports=(9090,)))).verdict is TranslationVerdict.WRONG
    assert (
        judged(narrower, replace(loss("read"), at=replace(at, node=NodeName("web")))).verdict
        is TranslationVerdict.WRONG
    )


OUTSIDE = mesh_of(
    HEAD
    + """
service web { port http 8080 }
service job { }
external mail { hosts "mail.example"  port http 80 }
allow one: web -> mail
allow two: job -> mail
""",
    has_mesh=True,
)


def test_of_an_external_that_is_not_there_each_rule_needs_a_loss() -> None:
    """What is refused is all of it, and a loss of one rule speaks of that."""
    gone = replace(OUTSIDE, externals=(), rules=())

    def verdict(*losses: Loss) -> TranslationVerdict:
        return translation(OUTSIDE, gone, losses, DAY).verdict

    assert verdict(loss("one"), loss("two")) is TranslationVerdict.STRICTER
    assert verdict(loss("one")) is TranslationVerdict.WRONG
    assert verdict(loss("mail", Direction.UNKEPT)) is TranslationVerdict.WRONG


def test_what_is_not_there_or_not_modelled_passes_no_gate() -> None:
    gone = replace(SOURCE, services=tuple(one for one in SOURCE.services if one.name != "api"), rules=(), routes=())
    found = judged(gone)
    assert found.verdict is TranslationVerdict.UNKNOWN
    assert [(one.subject, one.reason) for one in found.undecided] == [("api", "nothing that was emitted is about it")]

    opaque = judged(with_rule(SOURCE, "write", when=Opaque("spec.x", origin())))
    assert opaque.verdict is TranslationVerdict.UNKNOWN
    assert not opaque.is_sound


UNKNOWN = Opaque("spec.x", origin())


def test_a_loss_explains_what_may_be_refused_of_what_the_policy_allows() -> None:
    lifted = with_rule(SOURCE, "write", when=UNKNOWN)
    found = judged(lifted, loss("write"))
    assert found.verdict is TranslationVerdict.STRICTER
    assert [one.region.places[0].text for one in found.stricter] == ["api:http"]
    elsewhere = replace(loss("write"), region=Test(Method(), Exact("GET")))
    assert judged(lifted, elsewhere).verdict is TranslationVerdict.UNKNOWN
    assert judged(lifted, loss("read")).verdict is TranslationVerdict.UNKNOWN


def test_a_loss_hides_nothing_that_may_be_let_through_against_the_policy() -> None:
    """Of what the policy itself allows in some worlds alone, letting it through may be looser."""
    source = with_rule(SOURCE, "write", when=UNKNOWN)
    assert translation(source, read(source), (loss("write"),), DAY).verdict is TranslationVerdict.EQUAL
    other = with_rule(SOURCE, "write", when=Opaque("spec.y", origin()))
    assert translation(source, other, (loss("write"),), DAY).verdict is TranslationVerdict.UNKNOWN
    assert translation(source, NARROWER, (loss("write"),), DAY).verdict is not TranslationVerdict.STRICTER
    wider = with_rule(SOURCE, "read", operations=(), when=UNKNOWN)
    assert judged(wider, loss("read"), loss("api")).verdict is TranslationVerdict.UNKNOWN


def test_findings_have_a_request_and_the_rules_of_the_policy() -> None:
    (finding,) = translation_findings(SOURCE, judged(NARROWER), "istio")

    assert (finding.code, finding.severity) == ("MP723", Severity.ERROR)
    assert finding.message == (
        "istio would refuse what the policy allows, and no listed loss says so: "
        "job, web -> api:http { GET /items/* except /items/1, /items/secret }"
    )
    assert finding.primary == rule("read").origin.span
    assert finding.notes == ("the policy says allow by read, istio deny at default",)
    assert [row.kind for row in finding.evidence] == ["request"]
    assert translation_findings(SOURCE, judged(SOURCE), "istio") == ()


def test_findings_of_what_is_looser_unknown_or_elsewhere_say_which() -> None:
    looser = translation_findings(SOURCE, judged(without(SOURCE, "guard")), "istio")
    assert (looser[0].code, looser[0].severity) == ("MP705", Severity.ERROR)
    assert looser[0].message.startswith("istio would let through what the policy refuses: job, web -> api:http")
    unknown = translation_findings(SOURCE, judged(with_rule(SOURCE, "write", when=Opaque("spec.x", origin()))), "istio")
    assert (unknown[0].code, unknown[0].severity) == ("MP710", Severity.WARNING)
    assert "`spec.x`, which is not modelled" in unknown[0].message
    unrouted = translation_findings(SOURCE, judged(replace(SOURCE, routes=())), "istio")
    assert unrouted[0].notes == ("the policy: v1", "istio: api:8080")


def test_a_loss_may_tell_callers_apart_that_no_rule_does() -> None:
    strict = with_rule(SOURCE, "read", sources=replace(rule("read").sources, matches=rule("write").sources.matches))
    others = tuple(
        Test(SourceIdentity(), Exact(f"spiffe://cluster.local/ns/shop/sa/{name}")) for name in ("nobody", "job")
    )
    loss = Loss(Feature.IDENTITY_SOURCE, Direction.STRICTER, "read", "refuses job", origin(1), region=Or(others))
    found = translation(SOURCE, replace(strict, paths=SOURCE.paths), [loss], DAY)
    assert found.verdict is TranslationVerdict.STRICTER
