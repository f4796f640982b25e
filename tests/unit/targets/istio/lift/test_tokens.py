"""RequestAuthentications: istio.md, section 7."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.istio_lifting import DAY, HTTP, NODE, WORKLOAD, allows, api, config, judged, policy, read, token

from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.entities import TokenPlace
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import ClaimValue
from meshproof.compiler.semantics import NotModelled
from meshproof.compiler.smt.region import Allowed
from meshproof.compiler.verify import Analysis
from meshproof.compiler.verify.verdict import Example


def rules(*rules: str, name: str = "r", namespace: str = "shop", selector: str = "{app: api}") -> str:
    listed = "\n".join(f"  - {rule}" for rule in rules)
    return (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  selector: {{matchLabels: {selector}}}\n  jwtRules:\n{listed}\n---\n"
    )


IDP = '{issuer: "https://idp", jwksUri: "https://idp/keys"}'
OURS = '{issuer: "https://ours", jwksUri: "https://ours/keys", audiences: [a, b], forwardOriginalToken: true}'
NEED = policy('rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]')


def test_no_token_is_asked_for() -> None:
    mesh = api(rules(IDP))
    assert allows(mesh)
    assert allows(mesh, token=token(iss="https://idp", sub="u"))


def test_a_token_that_is_not_valid_is_refused_even_where_everything_is_allowed() -> None:
    mesh = api(rules(IDP))
    bad = replace(token(iss="https://idp"), is_valid=False)
    assert judged(mesh, token=bad).reason is Reason.TOKEN
    assert judged(mesh, token=token(iss="https://unknown")).reason is Reason.TOKEN
    assert allows(api(), token=bad)  # nobody looks


def test_audiences_are_those_of_the_issuer() -> None:
    mesh = api(rules(OURS))
    assert allows(mesh, token=token(iss="https://ours", aud="b"))
    assert not allows(mesh, token=token(iss="https://ours", aud=("c",)))
    assert judged(mesh, token=token(iss="https://ours")).reason is Reason.TOKEN


@pytest.mark.parametrize("written", ["app", "http://app", "https://app/", "app/"])
def test_audiences_are_compared_without_scheme_and_last_slash(written: str) -> None:
    mesh = api(rules(f'{{issuer: "i", jwks: "{{}}", audiences: ["{written}"]}}'))
    taken: tuple[ClaimValue, ...] = ("app", "app/", "http://app", "https://app", "https://app/", ("x", "http://app/"))
    for audience in taken:
        assert allows(mesh, token=token(iss="i", aud=audience)), audience
    others: tuple[ClaimValue, ...] = (
        "App",
        "app//",
        "ftp://app",
        "https://https://app",
        "https://app/x",
        "xapp",
        ("x",),
        (),
        7,
    )
    for audience in others:
        assert not allows(mesh, token=token(iss="i", aud=audience)), audience


def test_the_solver_knows_that_a_token_must_say_its_audience() -> None:
    """The interpreter has replayed what it finds, whether a rule reads the audience or not."""
    wanted = (
        'rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]',
        'rules: [{when: [{key: "request.auth.claims[group]", values: [x]}]}]',
        "rules: [{when: [{key: request.auth.audiences, values: [other]}]}]",
        "rules: [{when: [{key: request.auth.audiences, notValues: [a]}, {key: request.auth.principal, values: [h*]}]}]",
    )
    for spec in wanted:
        analysis = Analysis(api(rules(OURS), policy(spec)), DAY)
        key = next(one for one in analysis.keys if one.port == HTTP.port)
        assert isinstance(analysis.scope(key).is_satisfiable(Allowed()), Example), spec


def test_a_token_whose_audience_is_another_is_in_no_rule() -> None:
    lone = '{issuer: "i", jwks: "{}", audiences: [a]}'
    spec = (
        'rules: [{when: [{key: request.auth.principal, values: ["*"]}, '
        '{key: request.auth.audiences, notValues: ["*"]}]}]'
    )
    analysis = Analysis(api(rules(lone), policy(spec)), DAY)
    key = next(one for one in analysis.keys if one.port == HTTP.port)
    assert analysis.scope(key).is_empty(Allowed())


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ("", None),
        (', fromHeaders: [{name: Authorization, prefix: "Bearer "}]', None),
        (", fromHeaders: [{name: Authorization}]", TokenPlace("header", "authorization")),
        (', fromHeaders: [{name: X-Token, prefix: "Bearer "}]', TokenPlace("header", "x-token")),
        (", fromParams: [q]", TokenPlace("query", "q")),
    ],
)
def test_the_usual_place_of_a_token_is_no_place_of_its_own(places: str, expected: TokenPlace | None) -> None:
    mesh = api(rules(f'{{issuer: "https://idp", jwksUri: "https://idp/keys"{places}}}'))

    assert [issuer.place for issuer in mesh.issuers] == [expected]


def test_a_policy_demands_a_token() -> None:
    mesh = api(rules(IDP), NEED)
    assert allows(mesh, token=token(iss="https://idp", sub="u"))
    assert not allows(mesh)
    assert not allows(api(NEED), token=token(iss="https://idp", sub="u"))


def test_several_are_pooled() -> None:
    mesh = api(
        rules(IDP, name="a", namespace="istio-system"),
        rules(OURS, name="b"),
        rules('{issuer: "https://ours", jwksUri: "https://ours/keys", audiences: [c]}', name="c", selector="{}"),
    )
    for one in (token(iss="https://idp"), token(iss="https://ours", aud="a"), token(iss="https://ours", aud="c")):
        assert allows(mesh, token=one)
    assert not allows(mesh, token=token(iss="https://ours", aud="d"))
    assert mesh.services[0].accepts == ("istio-system/a[0]", "shop/b[0]", "shop/c[0]")


def test_a_workload_that_is_not_selected_looks_at_no_token() -> None:
    mesh = api(rules(IDP, selector="{app: web}"))
    assert allows(mesh, token=token(iss="https://unknown"))
    node = mesh.node(NODE)
    assert node is not None
    assert [one.name for one in mesh.issuers] == ["shop/r[0]"]


def test_what_an_issuer_says_is_kept() -> None:
    places = '{issuer: "i", jwks: "{}", fromHeaders: [{name: X-Token, prefix: "T "}], fromParams: [q]}'
    mesh = api(rules(OURS, places, '{issuer: "j", jwksUri: "https://j", fromCookies: [c]}'))
    ours, header, cookie = mesh.issuers
    assert (ours.url, ours.jwks, ours.audiences, ours.is_stripped) == (
        "https://ours",
        "https://ours/keys",
        ("a", "b"),
        False,
    )
    assert (header.place, header.is_stripped, header.jwks) == (TokenPlace("header", "x-token"), True, "{}")
    assert cookie.place == TokenPlace("cookie", "c")


def _reading(key: str, rule: str) -> Mesh:
    return api(rules(rule), policy(f'rules: [{{when: [{{key: "{key}", values: [x]}}]}}]'))


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ('{issuer: i, jwksUri: "https://i", outputPayloadToHeader: X-P}', "request.headers[x-p]"),
        (
            '{issuer: i, jwksUri: "https://i", outputClaimToHeaders: [{header: X-C, claim: c}]}',
            "request.headers[x-c]",
        ),
    ],
)
def test_conditions_on_what_the_proxy_changes_are_not_modelled(rule: str, key: str) -> None:
    with pytest.raises(NotModelled):
        judged(_reading(key, rule), headers=(("x-t", "x"),))


@pytest.mark.parametrize(
    ("rule", "header"),
    [(IDP, "authorization"), ('{issuer: "https://idp", jwks: "{}", fromHeaders: [{name: X-T}]}', "x-t")],
)
def test_a_header_that_a_token_may_stand_in_is_there_without_one(rule: str, header: str) -> None:
    mesh = _reading(f"request.headers[{header}]", rule)
    assert allows(mesh, headers=((header, "x"),))
    assert not allows(mesh, headers=((header, "y"),))
    assert not allows(mesh)
    with pytest.raises(NotModelled, match="beside a token"):
        judged(mesh, headers=((header, "x"),), token=token(iss="https://idp"))
    preflight = (("origin", "https://o"), ("access-control-request-method", "GET"), (header, "x"))
    assert allows(mesh, method="OPTIONS", headers=preflight, token=token(iss="https://idp"))


def test_an_authorizer_is_asked_before_tokens_are_looked_at() -> None:
    opa = config("extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: opa.shop.svc.cluster.local, port: 1}}]")
    asking = policy(
        "action: CUSTOM\nprovider: {name: opa}\n"
        'rules: [{when: [{key: "request.headers[authorization]", values: ["*"]}]}]'
    )
    mesh = api(opa, rules(IDP), asking)
    for answer in (True, False):
        said = {"opa": answer}
        seen = allows(mesh, headers=(("authorization", "x"),), token=token(iss="https://idp"), answers=said)
        assert seen is answer
    assert allows(mesh, token=token(iss="https://idp"))


def test_other_conditions_and_other_workloads_are_not_touched_by_that() -> None:
    assert allows(_reading("request.headers[x-other]", IDP), headers=(("x-other", "x"),))
    assert allows(_reading("request.headers[authorization]", OURS), headers=(("authorization", "x"),))
    second = WORKLOAD.replace(" api", " web")
    found = read(
        WORKLOAD
        + second
        + rules(IDP)
        + policy('rules: [{when: [{key: "request.headers[authorization]", values: [x]}]}]')
    )
    assert found.mesh is not None
    assert {(rule.id, rule.destinations[0].node) for rule in found.mesh.rules} == {
        ("shop/p[0]", "shop/api"),
        ("shop/p[0]@2", "shop/web"),
    }
    assert allows(found.mesh, destination="shop/web", headers=(("authorization", "x"),))


def test_an_issuer_that_is_not_named_makes_everything_uncertain() -> None:
    found = read(WORKLOAD + rules('{jwksUri: "https://keys"}'))
    assert found.mesh is not None
    with pytest.raises(NotModelled):
        judged(found.mesh)


def test_presence_demands_nothing() -> None:
    found = read(WORKLOAD + rules('{issuer: i, jwksUri: "https://i", presence: REQUIRED}'))
    assert found.diagnostics == ()
    assert found.mesh is not None
    assert allows(found.mesh)


def test_claims_that_an_issuer_has_as_words_are_split() -> None:
    split = '{issuer: i, jwksUri: "https://i", spaceDelimitedClaims: [roles]}'
    mesh = api(
        rules(split, '{issuer: j, jwksUri: "https://j"}'),
        policy('rules: [{when: [{key: "request.auth.claims[roles]", values: [x]}]}]'),
    )
    assert allows(mesh, token=token(iss="i", roles="w x"))
    assert not allows(mesh, token=token(iss="j", roles="w x"))
    assert allows(mesh, token=token(iss="j", roles="x"))
    assert not allows(mesh, token=token(iss="i", roles=("w x",)))
