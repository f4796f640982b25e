"""What Istio's own end-to-end tests expect of requests with tokens, in policies and tokens of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.istio_expectations import JWT_A, JWT_B, Expected, broken, custom_object, no, yes
from tests.strategies.istio_lifting import api, policy, token

from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Token

A, B = token(**JWT_A), token(**JWT_B)
EXPIRED = replace(A, is_valid=False)
TWO = custom_object(
    "RequestAuthentication",
    """
  jwtRules:
  - {issuer: a@issuer, jwksUri: "https://keys.example/a"}
  - {issuer: b@issuer, jwksUri: "https://keys.example/b", spaceDelimitedClaims: [custom_scope, teams]}
""",
)
ONE = custom_object("RequestAuthentication", '{jwtRules: [{issuer: a@issuer, jwksUri: "https://keys.example/a"}]}')
ASKS = policy('rules: [{to: [{operation: {methods: [GET]}}], from: [{source: {requestPrincipals: ["a@issuer/one"]}}]}]')


def _more(base: dict[str, ClaimValue], **claims: ClaimValue) -> Token:
    return token(**(base | claims))


def _at(path: str, condition: str) -> str:
    return f"- {{to: [{{operation: {{paths: ['{path}'], methods: [GET]}}}}], {condition}}}"


def _claim(path: str, key: str, *values: str) -> str:
    return _at(path, f"when: [{{key: 'request.auth.{key}', values: [{', '.join(values)}]}}]")


NESTED = _more(
    JWT_A,
    nested=ClaimObject((("key1", ("x", "w")), ("inner", ClaimObject((("key1", ("x", "w")),))))),
)
OTHER_NESTED = _more(JWT_A, nested=ClaimObject((("key2", "z"), ("inner", ClaimObject((("key2", "z"),))))))
CLAIM_RULES = "\n".join(
    (
        _at("/one", 'from: [{source: {requestPrincipals: ["a@issuer/one"]}}]'),
        _at("/not-one", 'from: [{source: {notRequestPrincipals: ["a@issuer/one"]}}]'),
        _at("/any", 'from: [{source: {requestPrincipals: ["*"]}}]'),
        _claim("/group", "claims[groups]", "g2"),
        _claim("/scope", "claims[scope]", "append", "write"),
        _claim("/other-scope", "claims[scope]", "admin"),
        _claim("/permission", "claims[permission]", "write", "append"),
        _claim("/custom-admin", "claims[custom_scope]", "admin"),
        _claim("/custom-user", "claims[custom_scope]", "user"),
        _claim("/nested-key1", "claims[nested][key1]", "w"),
        _claim("/nested-none", "claims[nested][none]", "z"),
        _claim("/nested-key2", "claims[nested][key2]", "z"),
        _claim("/inner-key1", "claims[nested][inner][key1]", "x"),
        _claim("/valid", "principal", '"*"'),
        _claim("*/presenter", "presenter", "bar"),
        _claim("*/audiences", "audiences", "foo"),
    )
)
BY_PATH: dict[str, tuple[Expected, ...]] = {
    "/one": (yes(token=A), no(token=B), no()),
    "/not-one": (no(token=A), yes(token=B), yes()),
    "/any": (yes(token=A), yes(token=B), no()),
    "/group": (yes(token=B), no(token=A), no()),
    "/scope": (yes(token=_more(JWT_B, scope="read write")), no(token=A)),
    "/other-scope": (no(token=_more(JWT_B, scope="read write")),),
    "/permission": (no(token=A), no(token=B), yes(token=_more(JWT_B, permission="read write"))),
    "/custom-admin": (yes(token=_more(JWT_B, custom_scope="admin user")), no(token=A), no()),
    "/custom-user": (
        yes(token=_more(JWT_B, custom_scope="admin user")),
        # Issuer A does not say that this claim is words: it is one text.
        no(token=_more(JWT_A, custom_scope="admin user")),
        yes(token=_more(JWT_A, custom_scope="user")),
    ),
    "/nested-key1": (yes(token=NESTED), no(token=OTHER_NESTED)),
    "/nested-key2": (no(token=NESTED), yes(token=OTHER_NESTED)),
    "/inner-key1": (yes(token=NESTED), no(token=OTHER_NESTED)),
    "/nested-none": (no(token=NESTED), no(token=OTHER_NESTED)),
    "/valid": (yes(token=A), no()),
    "/x/presenter": (yes(token=_more(JWT_A, azp="bar")), no(token=A)),
    "/audiences": (yes(token=_more(JWT_A, aud="foo")), yes(token=_more(JWT_A, aud=("foo", "bar"))), no(token=A)),
}


@pytest.mark.parametrize("path", BY_PATH)
def test_claims(path: str) -> None:
    mesh = api(TWO, policy(f"rules:\n{CLAIM_RULES}"))
    table = tuple(replace(one, fields=one.fields | {"path": path}) for one in BY_PATH[path])
    assert broken(mesh, table) == []


PREFLIGHT = (("origin", "https://o.example"), ("access-control-request-method", "POST"))


def test_tokens_without_any_policy() -> None:
    table = (
        yes(token=A),
        yes(token=B),
        no(token=EXPIRED),
        yes(token=EXPIRED, method="OPTIONS", headers=PREFLIGHT),
        no(token=EXPIRED, method="OPTIONS", headers=PREFLIGHT[1:]),
        yes(),
        no(token=token(iss="c@issuer", sub="three")),
    )
    assert broken(api(TWO), table) == []


def test_tokens_that_a_policy_asks_for() -> None:
    assert broken(api(ONE, ASKS), (yes(token=A), no(token=EXPIRED), no(), no(token=B))) == []


def test_without_either_there_is_nothing_to_look_at() -> None:
    assert broken(api(), (yes(token=A), yes(token=EXPIRED), yes())) == []


def test_audiences_of_pooled_objects() -> None:
    """Tokens of B are taken by the second object, which wants no audience."""
    mesh = api(
        custom_object(
            "RequestAuthentication",
            """
  jwtRules:
  - {issuer: a@issuer, jwksUri: "https://keys.example/a", audiences: [foo]}
  - {issuer: b@issuer, jwksUri: "https://keys.example/b", audiences: [bar]}
""",
            name="part1",
        ),
        custom_object(
            "RequestAuthentication", '{jwtRules: [{issuer: b@issuer, jwksUri: "https://keys.example/b"}]}', name="part2"
        ),
    )
    table = (
        no(token=_more(JWT_A, aud="other")),
        yes(token=_more(JWT_A, aud="foo")),
        yes(token=_more(JWT_A, aud=("other", "foo"))),
        yes(token=B),
        yes(token=_more(JWT_B, aud="other")),
    )
    assert broken(mesh, table) == []
