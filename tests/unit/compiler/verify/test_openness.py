"""How open workloads are, the most open port first."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.istio_lifting import WORKLOAD, lift, policy

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import decide
from meshproof.compiler.verify import Analysis
from meshproof.compiler.verify.openness import Level, Openness, openness

DAY = date(2026, 11, 23)
STRICT = (
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
    "metadata: {name: strict, namespace: shop}\nspec: {mtls: {mode: STRICT}}\n---\n"
)
PLUGIN = (
    "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: w, namespace: shop}\nspec: {url: x}\n"
)


def found(text: str) -> Openness:
    (one,) = openness(Analysis(lift(WORKLOAD + text), DAY))
    return one


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", Level.ANYONE),
        (STRICT, Level.IDENTIFIED),
        (policy("rules: [{}]"), Level.ANYONE),
        (policy("rules: [{to: [{operation: {ports: ['5432']}}]}]"), Level.ANYONE),
        (policy("rules: [{from: [{source: {principals: ['*']}}]}]"), Level.IDENTIFIED),
        (policy("rules: [{from: [{source: {notNamespaces: [other]}}]}]") + STRICT, Level.IDENTIFIED),
        (policy("rules: [{from: [{source: {notNamespaces: [other]}}]}]"), Level.ANYONE),
        (policy("rules: [{from: [{source: {namespaces: [shop]}}]}]"), Level.NAMED),
        (policy("rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]"), Level.NAMED),
        (policy("rules: []"), Level.NOBODY),
        (policy("rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]"), Level.ANYONE),
        (PLUGIN, Level.NOT_KNOWN),
    ],
)
def test_how_open_a_workload_is(text: str, level: Level) -> None:
    assert found(text).level is level


@pytest.mark.parametrize("text", ["", STRICT, policy("rules: [{from: [{source: {namespaces: [shop]}}]}]")])
def test_the_request_is_let_in(text: str) -> None:
    mesh = lift(WORKLOAD + text)
    request = found(text).request
    assert request is not None
    assert decide(mesh, request, DAY).is_allowed


def test_a_request_of_a_caller_that_is_known_is_shown() -> None:
    request = found(STRICT).request
    assert request is not None
    assert request.source.identity == "spiffe://cluster.local/ns/shop/sa/api"


def test_ports_that_nobody_declares_count_where_there_are_no_others() -> None:
    bare = policy("rules: [{from: [{source: {namespaces: [shop]}}]}]")
    (one,) = openness(Analysis(lift(WORKLOAD.partition("---")[0] + "---\n" + bare), DAY))
    assert one == Openness(NodeName("shop/api"), Level.NAMED, one.request)
