"""Regular expressions that are templates: the same paths, those that Envoy percent-encodes first among them."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.strategies.istio_reading import _path
from tests.strategies.patterns import paths

from meshproof.compiler.ir.matchers import Regex
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.path_templates import template_of
from meshproof.targets.istio.paths import path_values

EXPRESSIONS = {
    r"/item/[^/\[\]]+": "/item/{*}",
    r"/item/[^/\[\]]+/[^\[\]]*": "/item/{*}/{**}",
    r"/v1\.0/[^\[\]]*": "/v1.0/{**}",
    r"/[^/\[\]]+/cart": "/{*}/cart",
}


@pytest.mark.parametrize(("expression", "template"), EXPRESSIONS.items())
def test_an_expression_of_operators_and_literals_is_a_template(expression: str, template: str) -> None:
    assert template_of(expression) == template


@pytest.mark.parametrize(
    "expression",
    [
        "/item",
        "/item/.*",
        r"/item/[^/\[\]]*",
        r"/item/x[^/\[\]]+",
        r"/[^\[\]]*/[^/\[\]]+",
        r"/(?:a|b)/[^/\[\]]+",
        r"/\d/[^/\[\]]+",
        r"item/[^/\[\]]+",
        "/item\\",
    ],
)
def test_what_no_template_says_is_none(expression: str) -> None:
    assert template_of(expression) is None
    with pytest.raises(NotExpressibleError):
        path_values((Regex(expression),))


@pytest.mark.parametrize("expression", [r"/a%22/[^/\[\]]+", r"/a;x/.;y/[^/\[\]]+"])
def test_what_envoy_reads_otherwise_is_refused(expression: str) -> None:
    with pytest.raises(NotExpressibleError):
        path_values((Regex(expression),))


@given(st.sampled_from(sorted(EXPRESSIONS)), st.one_of(paths(), paths().map(lambda path: f"/item{path}")))
def test_both_take_the_same_normal_paths(expression: str, path: str) -> None:
    assume(path.startswith("/") and not set(path) & set("#?\\"))
    try:
        judged = istio_path(path, IstioMode.BASE)
    except PatternRefused:
        return
    assume(judged == path or set(path) & set('"<>^`{|}'))
    template = template_of(expression)
    assert template is not None
    assert _path(template, judged) == (re.fullmatch(expression, path) is not None)
