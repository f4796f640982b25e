"""Lifted meshes are decided by the solver within its limits, as large as they are in practice."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import DAY, HTTP, WORKLOAD, config, lift, policy

from meshproof.compiler.semantics import decide, is_well_formed
from meshproof.compiler.smt.concretize import request_at
from meshproof.compiler.smt.region import Allowed
from meshproof.compiler.verify import Analysis
from meshproof.compiler.verify.premises import premises_of

COUNT = 20
MODE = "DECODE_AND_MERGE_SLASHES"


def _sources(*values: str) -> str:
    return "".join(
        policy(f"rules: [{{from: [{{source: {{{value.format(n=number)}}}}}]}}]", name=f"p{number}{index}")
        for number in range(COUNT)
        for index, value in enumerate(values)
    )


def _paths(*values: str) -> str:
    return "".join(
        policy(
            f"rules: [{{to: [{{operation: {{paths: {[value.format(n=number) for value in values]}}}}}]}}]", f"p{number}"
        )
        for number in range(COUNT)
    )


@pytest.mark.parametrize(
    "text",
    [
        _sources("namespaces: [ns{n}]", "principals: [cluster.local/ns/n{n}/sa/a]"),
        _sources("serviceAccounts: [ns{n}/a{n}, ns{n}/b{n}]"),
        _sources("principals: ['*/sa/a{n}']", "notNamespaces: [ns{n}]"),
        _paths("/api/v{n}/*", "/x{n}", "/y/{{*}}/z{n}", "/w{n}/{{**}}", "*.js{n}"),
        _paths("/api/v{n}/*", "/x{n}", "*/z{n}")
        + config("pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"),
    ],
    ids=["namespaces", "accounts", "suffixes", "paths", "decoded paths"],
)
def test_many_patterns_of_one_kind_are_told_apart(text: str) -> None:
    analysis = Analysis(lift(WORKLOAD + text), DAY)
    assert len(analysis.keys) == 4
    for key in analysis.keys:
        encoding = analysis.scope(key).encoding(Allowed())
        assert len(encoding.matches) >= COUNT


def test_whom_nobody_configured_lets_nothing_in() -> None:
    """The encoding refuses what the interpreter refuses: a provider that no file has gives no answer."""
    text = policy("action: CUSTOM\nprovider: {name: nobody}\nrules: [{}]")
    analysis = Analysis(lift(WORKLOAD + text), DAY)
    assert analysis.keys
    for key in analysis.keys:
        encoding = analysis.scope(key).encoding(Allowed())
        assert encoding.find((encoding.formula(Allowed()),)) is None


WITNESSED = {
    "words": (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: t, namespace: shop}\n"
        "spec: {jwtRules: [{issuer: i, jwksUri: 'https://i', spaceDelimitedClaims: [roles]}]}\n---\n"
        + policy("rules: [{when: [{key: 'request.auth.claims[roles]', values: ['a b']}]}]")
    ),
    "remote": policy("rules: [{from: [{source: {remoteIpBlocks: [192.0.2.0/24], notIpBlocks: [192.0.2.0/24]}}]}]"),
    "joined": policy("rules: [{when: [{key: 'request.headers[x-a]', values: ['1,2']}]}]"),
    "slashes": policy("rules: [{to: [{operation: {paths: ['//a*']}}]}]"),
    "dots": policy("rules: [{to: [{operation: {paths: ['/..;a*']}}]}]"),
    "address": policy("rules: [{when: [{key: destination.ip, notValues: [10.0.0.0/8]}]}]"),
    "authority": policy("rules: [{to: [{operation: {hosts: ['a.b:8*'], notHosts: ['*0']}}]}]"),
}


@pytest.mark.parametrize("name", WITNESSED)
def test_what_the_solver_finds_allowed_is_allowed(name: str) -> None:
    settings = (("istio.header-values", "joined"),) if name == "joined" else ()
    mesh = lift(WORKLOAD + WITNESSED[name], *settings)
    analysis = Analysis(mesh, DAY)
    encoding = analysis.scope(next(key for key in analysis.keys if key.port == HTTP.port)).encoding(Allowed())
    point = encoding.find((encoding.formula(Allowed()),))
    assert point is not None
    request = request_at(encoding.environment, point)
    assert is_well_formed(mesh, request, DAY) is None
    assert decide(mesh, request, DAY).is_allowed, request


def test_proofs_say_what_they_take_for_granted() -> None:
    analysis = Analysis(lift(WORKLOAD + _sources("namespaces: [ns{n}]")), DAY)
    scopes = [analysis.scope(key) for key in analysis.keys]
    texts = {premise.text for premise in premises_of(analysis, scopes)}
    assert "an identity names one namespace and one account" in texts
    assert "every pod has its proxy, and ports 15020, 15021 and 15090 are the proxy's own" in texts
