"""What a comparison says about edits of every kind, in words that a reviewer would use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Opaque
from meshproof.compiler.smt.solver import Solver, Undecided
from meshproof.compiler.verify.correspondence import by_place
from meshproof.compiler.verify.semantic_diff import CallersBy, DiffOptions, semantic_diff
from meshproof.compiler.verify.semantic_diff_values import DiffRegion, DiffVerdict, EditKind, SemanticDiff
from meshproof.dsl.source import Span

DAY = date(2026, 11, 23)
BASE = """
issuer idp { url "https://idp.example"  jwks "https://idp.example/keys"  audiences "shop" }
gateway edge { namespace ops  account edge  hosts "x.example"  port https 443 -> 8443  certificate "c" }
service web   { port http 8080 }
service batch { }
service api   { port http 8080  accepts idp  versions v1, v2 }
service store { port tcp 6379 }
zone staff = { web, batch }
allow public: internet -> edge
allow read:   web -> api {
    GET /items/{id}
    POST /items
    when token from idp
}
allow keep:   api -> store
deny  guard:  anyone -> api { * /admin/** }
"""


def mesh(text: str, *, egress: str = "closed", domain: str = "cluster.local") -> Mesh:
    head = f'mesh m {{ language 1  trust-domain "{domain}"  namespace shop  mtls strict  egress {egress} }}\n'
    return mesh_of(head + text, has_mesh=True)


def diff(old: str, new: str, options: DiffOptions | None = None) -> SemanticDiff:
    return semantic_diff(mesh(old), mesh(new), DAY, options or DiffOptions())


def edit(before: str, after: str) -> SemanticDiff:
    assert before in BASE
    return diff(BASE, BASE.replace(before, after))


def said(regions: tuple[DiffRegion, ...]) -> list[str]:
    return [
        " | ".join(
            (
                f"{', '.join(one.sources)} -> {', '.join(one.destinations)}",
                *one.operations,
                *(f"if {condition}" for condition in one.conditions),
            )
        )
        for one in regions
    ]


def blamed(region: DiffRegion) -> list[tuple[str, str]]:
    return [(str(one.kind), one.subject) for one in region.blame]


def test_a_widened_path_is_told_by_what_is_new_of_it() -> None:
    found = edit("GET /items/{id}", "GET /items/**")

    assert said(found.newly_allowed) == [
        "web -> api:http | GET /items/** except /items/* | if token from idp",
    ]
    assert found.newly_denied == found.rerouted == ()
    assert found.verdict is DiffVerdict.LOOSER
    (region,) = found.newly_allowed
    assert blamed(region) == [("rule", "read")]
    assert region.witness is not None
    assert region.witness.request.path == "/items"
    assert (region.witness.old, region.witness.new) != (None, None)
    assert region.witness.decided_by == ("read",)


def test_a_further_caller_and_a_lost_one() -> None:
    found = edit("web -> api {", "batch -> api {")

    operations = "GET /items/* | POST /items | if token from idp"
    assert said(found.newly_allowed) == [f"batch -> api:http | {operations}"]
    assert said(found.newly_denied) == [f"web -> api:http | {operations}"]
    assert found.verdict is DiffVerdict.INCOMPARABLE


def test_callers_are_called_as_the_policy_calls_them() -> None:
    found = edit("allow keep:   api -> store", "allow keep:   { staff, api } -> store")

    assert said(found.newly_allowed) == ["batch, web -> store:tcp"]


def test_a_removed_deny_opens_only_what_an_allow_then_lets_in() -> None:
    wide = BASE.replace("GET /items/{id}", "GET /**")
    found = diff(wide, wide.replace("deny  guard:  anyone -> api { * /admin/** }", ""))

    assert said(found.newly_allowed) == ["web -> api:http | GET /admin/** | if token from idp"]
    assert blamed(found.newly_allowed[0]) == [("rule", "guard")]
    assert found.newly_allowed[0].blame[0].is_removed
    assert edit("deny  guard:  anyone -> api { * /admin/** }", "").verdict is DiffVerdict.EQUAL


def test_an_edit_without_effect_is_listed_and_nothing_else() -> None:
    found = edit("deny  guard:  anyone -> api { * /admin/** }", "")

    assert found.regions == ()
    assert [(one.kind, one.subject, one.is_removed) for one in found.silent] == [(EditKind.RULE, "guard", True)]


PLAIN = BASE + 'allow open: anyone -> web { GET /status  because "it tells nothing" }\n'
PERMISSIVE = 'mtls permissive for web { because "moving in"  owner "o"  until 2027-01-31 }\n'


def test_permissive_mtls_opens_what_a_rule_for_anyone_allows() -> None:
    found = diff(PLAIN, PLAIN + PERMISSIVE)

    assert said(found.newly_allowed) == ["plaintext -> web:http | GET /status"]
    assert blamed(found.newly_allowed[0]) == [("mtls", "web")]
    assert diff(BASE, BASE + PERMISSIVE).verdict is DiffVerdict.EQUAL


def test_where_two_edits_open_together_both_are_named() -> None:
    found = diff(BASE, PLAIN + PERMISSIVE)

    assert said(found.newly_allowed) == ["anyone -> web:http | GET /status"]
    (region,) = found.newly_allowed
    assert blamed(region) == [("rule", "open")]
    assert [(one.kind, one.subject) for one in region.also] == [(EditKind.MTLS, "web")]
    assert found.silent == ()


def test_disabled_mtls_takes_every_caller_its_identity() -> None:
    disabled = PERMISSIVE.replace("permissive", "disabled").replace("for web", "for api")
    found = diff(BASE, BASE + disabled)

    assert said(found.newly_denied) == ["web -> api:http | GET /items/* | POST /items | if token from idp"]
    assert blamed(found.newly_denied[0]) == [("mtls", "api")]
    assert found.newly_allowed == ()
    witness = found.newly_denied[0].witness
    assert witness is not None
    assert witness.request.source.identity is not None
    # A rule for everyone takes the callers that had an identity, and those that never had one besides.
    both = diff(PLAIN, PLAIN + disabled.replace("for api", "for web"))
    assert said(both.newly_allowed) == [
        "identities of other trust domains, plaintext -> web:http | GET /status",
    ]
    shown = both.newly_allowed[0].witness
    assert shown is not None
    assert shown.request.source.identity is None  # so that it is a request wherever it is asked about


def test_issuers_that_are_no_longer_accepted_close_what_asks_for_a_token() -> None:
    found = edit("accepts idp", "")

    assert said(found.newly_denied) == ["web -> api:http | GET /items/* | POST /items | if token from idp"]
    assert ("accepted tokens", "api") in blamed(found.newly_denied[0])


def test_issuers_that_are_no_longer_accepted_open_what_asks_for_none() -> None:
    free = BASE.replace("when token from idp", "")
    found = diff(free, free.replace("accepts idp", ""))

    assert said(found.newly_allowed) == [
        "web -> api:http | GET /items/* | POST /items | if with a token that is not accepted",
    ]
    witness = found.newly_allowed[0].witness
    assert witness is not None
    assert witness.request.token is not None
    assert not witness.request.token.is_valid
    assert (witness.old is not None, witness.new is not None) == (True, True)


def test_an_audience_more_is_more_tokens() -> None:
    found = edit('audiences "shop" }', 'audiences "shop", "mail" }')

    assert len(found.newly_allowed) == 1
    assert found.newly_allowed[0].conditions == ('not token.audience == "shop"', 'token.audience == "mail"')
    assert found.newly_denied == ()


def test_keys_from_elsewhere_are_not_known_to_be_the_same() -> None:
    found = edit("https://idp.example/keys", "https://evil.example/keys")

    assert [one.subject for one in found.undecided] == ["issuer idp"]
    assert "https://evil.example/keys" in found.undecided[0].reason
    assert found.verdict is DiffVerdict.INCOMPARABLE
    assert not found.is_complete


def test_a_port_that_becomes_opaque_sees_no_request() -> None:
    plain = "service web { port http 8080 }\nservice db { port http 5432 }\nallow keep: web -> db\n"
    found = diff(plain, plain.replace("port http 5432", "port tcp 5432"))

    assert said(found.newly_allowed) == ["web -> db:tcp | if as a connection"]
    assert blamed(found.newly_allowed[0]) == [("port", "db:5432")]
    assert found.newly_denied == ()


def test_observe_lets_everything_in_at_every_port() -> None:
    observe = 'service web   { port http 8080  observe { because "trying"  owner "o"  until 2027-01-31 } }'
    found = diff(PLAIN, PLAIN.replace("service web   { port http 8080 }", observe))

    assert said(found.newly_allowed) == [
        "anyone, identities of other trust domains -> web (other ports)",
        "anyone, identities of other trust domains -> web:http | if whatever was refused before",
    ]
    assert blamed(found.newly_allowed[0]) == [("observe", "web")]
    assert found.newly_allowed[1].is_rest


def test_an_answer_counts_as_part_of_the_request() -> None:
    ask = 'authorizer opa { address "opa.ops:9191"  protocol grpc  timeout 200ms }\n'
    found = diff(BASE + ask, BASE + ask + "ask opinion: anyone -> api { via opa }\n")

    assert said(found.newly_denied) == [
        "web -> api:http | GET /items/* | POST /items | if `opa` says no | if token from idp",
    ]
    assert found.newly_denied[0].meanings[0][1].answers == (("opa", False),)


def test_routes_are_compared_at_the_sender() -> None:
    route = "route api:http {{ GET /items/** => v{first}  otherwise => v1 {share}%, v2 {rest}%  timeout {timeout}s }}\n"
    one = route.format(first=1, share=90, rest=10, timeout=2)
    found = diff(BASE + one, BASE + route.format(first=2, share=90, rest=10, timeout=2))

    assert said(found.rerouted) == ["web -> api:http | GET /items/* | if token from idp"]
    (region,) = found.rerouted
    assert (region.before and region.before.destinations, region.after and region.after.destinations) == ("v1", "v2")
    assert blamed(region) == [("route", "api:http")]
    assert found.verdict is DiffVerdict.INCOMPARABLE
    slower = diff(BASE + one, BASE + route.format(first=1, share=90, rest=10, timeout=5))
    assert [region.after and region.after.settings for region in slower.rerouted] == [("timeout 5s",)]


def test_what_a_rewrite_makes_of_a_path_is_compared_path_by_path() -> None:
    route = "route edge {{ /old/** => web:http {{ rewrite path {path} }}  otherwise => web:http }}\n"
    found = diff(BASE + route.format(path="/new"), BASE + route.format(path="/new/"))
    assert found.rerouted == ()  # a slash at the end of what is put in front makes no difference
    found = diff(BASE + route.format(path="/new"), BASE + route.format(path="/old"))
    assert said(found.rerouted) == ["anyone -> edge:https | * /old/**"]


def test_a_node_that_is_new_is_told_by_what_it_lets_in() -> None:
    found = diff(BASE, BASE + "service ratings { port http 9080 }\nallow rate: web -> ratings { GET /ratings/** }\n")

    assert said(found.newly_allowed) == ["web -> ratings:http | GET /ratings/**"]
    assert blamed(found.newly_allowed[0]) == [("declaration", "ratings"), ("rule", "rate")]
    assert said(found.newly_denied) == [
        "anyone -> ratings | if declared now: the policy refuses what it does not allow there",
    ]
    closed = 'namespace shop { owner "o"  closed }\n'
    again = diff(closed + BASE, closed + BASE + "service ratings { port http 9080 }\n")
    assert again.verdict is DiffVerdict.EQUAL


def test_a_node_that_is_gone_is_protected_no_longer_unless_its_namespace_is_closed() -> None:
    gone = BASE.replace("service store { port tcp 6379 }", "").replace("allow keep:   api -> store", "")
    found = diff(BASE, gone)

    assert [one.destinations for one in found.newly_allowed] == [("store",)]
    assert found.newly_allowed[0].is_rest
    assert found.newly_denied == ()
    closed = 'namespace shop { owner "o"  closed }\n'
    again = diff(closed + BASE, closed + gone)
    assert said(again.newly_denied) == ["api -> store:tcp"]
    assert again.newly_allowed == ()


def test_what_is_said_of_the_undeclared_counts() -> None:
    closed = 'namespace shop { owner "o"  closed }\n'
    found = diff(closed + BASE, BASE)

    assert [one.destinations for one in found.newly_allowed] == [("undeclared workloads of namespace shop",)]
    assert found.newly_allowed[0].witness is None
    assert diff(BASE, closed + BASE).verdict is DiffVerdict.TIGHTER


@pytest.mark.parametrize(("old", "new", "verdict"), [("closed", "open", "looser"), ("open", "closed", "tighter")])
def test_egress_counts_for_what_is_declared_and_what_is_not(old: str, new: str, verdict: str) -> None:
    external = 'external pay { hosts "api.pay.example"  port https 443 }\n'

    found = semantic_diff(mesh(BASE + external, egress=old), mesh(BASE + external, egress=new), DAY)
    regions = found.newly_allowed or found.newly_denied
    assert found.verdict == verdict
    assert {place for one in regions for place in one.destinations} >= {
        "pay:https",
        "undeclared places outside of the mesh",
    }


def test_an_external_that_nobody_declares_any_more_is_as_open_as_it_was() -> None:
    """Nobody refuses what comes from where no proxy is, whether or not the place is declared."""
    external = 'external pay { hosts "api.pay.example"  port https 443 }\n'
    declared = mesh(BASE + external, egress="open")

    assert semantic_diff(declared, mesh(BASE, egress="open"), DAY).verdict is DiffVerdict.EQUAL
    guarded = mesh(f"{BASE}{external}deny stop: web -> pay\n", egress="open")
    found = semantic_diff(guarded, mesh(BASE, egress="open"), DAY)
    assert [one.sources for one in found.newly_allowed] == [("web",)]


def test_one_reason_to_retry_under_two_words_is_one() -> None:
    """Envoy has another word for what the language calls `refused`, and lifted files have Envoy's."""
    old = mesh(f"{BASE}route api {{ retry 2 on refused, reset }}\n")
    (route,) = old.routes
    (branch,) = route.branches
    retry = branch.settings.retry
    assert retry is not None
    by_envoy = replace(retry, conditions=("refused-stream", "reset"))
    settings = replace(branch.settings, retry=by_envoy)
    new = replace(old, routes=(replace(route, branches=(replace(branch, settings=settings),)),))

    assert semantic_diff(old, new, DAY).verdict is DiffVerdict.EQUAL
    other = replace(old, routes=(replace(route, branches=(replace(branch, settings=replace(settings, retry=None)),)),))
    assert semantic_diff(other, new, DAY).rerouted


def test_a_trust_domain_with_another_name_and_the_old_one_as_alias() -> None:
    old = mesh(BASE)
    new = replace(mesh(BASE, domain="new.local"), aliases=("cluster.local",))
    found = semantic_diff(old, new, DAY)

    # Who came with an identity of the old name still may; who comes with one of the new name may as well.
    assert found.newly_denied == ()
    assert found.newly_allowed
    assert all("new.local" in str(one.witness) for one in found.newly_allowed)


def test_what_is_not_modelled_is_never_equal_unless_it_is_the_same() -> None:
    base = mesh(BASE)
    origin = Origin(Span("x.yaml", 3, 4))

    def with_opaque(field: str, place: Origin = origin) -> Mesh:
        rules = (replace(one, when=Opaque(field, place)) if one.id == "keep" else one for one in base.rules)
        return replace(base, rules=tuple(rules))

    assert semantic_diff(with_opaque("a"), with_opaque("a", Origin(Span("x.yaml", 9, 10))), DAY).is_complete
    found = semantic_diff(with_opaque("a"), with_opaque("b"), DAY)
    assert [one.subject for one in found.undecided] == ["store:tcp"]
    assert "`a`, `b`" in found.undecided[0].reason
    assert found.verdict is DiffVerdict.INCOMPARABLE
    # What is certain whatever it may be is told all the same.
    denied = replace(
        with_opaque("a"),
        rules=tuple(replace(one, effect=Effect.DENY) if one.id == "guard" else one for one in with_opaque("a").rules),
    )
    assert semantic_diff(denied, with_opaque("a"), DAY).is_complete


def test_an_answer_of_the_solver_that_does_not_come_makes_the_comparison_incomplete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gives_up(*_: object) -> None:
        raise Undecided("the solver gave up (timeout)")

    monkeypatch.setattr(Solver, "find", gives_up)
    found = edit("GET /items/{id}", "GET /items/**")

    assert [(one.subject, one.reason) for one in found.undecided] == [("api:http", "the solver gave up (timeout)")]
    assert found.verdict is DiffVerdict.INCOMPARABLE


def test_a_difference_in_many_pieces_ends_in_one_that_has_the_rest() -> None:
    many = "allow many: web -> api { " + "  ".join(f"GET /{number}/a  POST /{number}/b" for number in range(4)) + " }\n"
    found = diff(BASE, BASE + many, DiffOptions(most_boxes=1))

    assert [one.is_rest for one in found.newly_allowed] == [False, True]
    assert found.is_complete


def test_both_ways_of_judging_paths_are_noted() -> None:
    base = mesh(BASE)
    found = semantic_diff(replace(base, paths=PathMode.BASE), base, DAY)

    assert len(found.notes) == 1
    assert 'or hold one of `"<>^{|}` or a backtick' in found.notes[0]
    assert "BASE" in found.notes[0]
    assert found.newly_allowed == found.newly_denied == ()


def test_callers_may_be_compared_as_workloads() -> None:
    other = BASE.replace("service web   { port http 8080 }", "service web   { port http 8080  account web-2 }")
    by_identity = diff(BASE, other)
    by_workload = diff(BASE, other, DiffOptions(callers_by=CallersBy.WORKLOAD))

    assert by_identity.newly_allowed
    assert by_identity.newly_denied
    assert [one.sources for one in by_workload.regions] == []


def test_nodes_of_one_place_are_one_node_whatever_they_are_called() -> None:
    old, new = mesh(BASE), mesh(BASE)
    named = replace(
        old,
        services=tuple(replace(one, name=_lifted(one.name)) for one in old.services),
        rules=tuple(
            replace(one, destinations=tuple(replace(place, node=_lifted(place.node)) for place in one.destinations))
            for one in old.rules
        ),
    )

    found = semantic_diff(named, new, DAY, DiffOptions(correspondence=by_place(named, new)))
    assert found.regions == ()
    assert semantic_diff(named, new, DAY).regions != ()


def _lifted(name: NodeName) -> NodeName:
    return name if name == "edge" else NodeName(f"shop/{name}")
