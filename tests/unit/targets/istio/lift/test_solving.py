"""Lifted meshes are decided by the solver within its limits, as large as they are in practice."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import DAY, WORKLOAD, config, lift, policy

from meshproof.compiler.smt.region import Allowed
from meshproof.compiler.verify import Analysis

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
