"""Sets of callers in the language's words: exactly those that are meant, or none."""

from __future__ import annotations

import pytest

from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.names import Names
from meshproof.compiler.express.sets import Domains, caller_set, takes_plaintext
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, And, Not, Or, Predicate, SourceIdentity, Test
from meshproof.dsl.format import format_set

WEB = "spiffe://cluster.local/ns/shop/sa/web"
NAMES = Names({NodeName("shop/web"): "web"}, {}, {}, {}, {WEB: NodeName("shop/web")}, {})
DOMAINS = Domains("cluster.local", ("vm.corp",), frozenset({"odd"}))


def _is(matcher: Matcher) -> Predicate:
    return Test(SourceIdentity(), matcher)


def _of(domain: str, path: str) -> Predicate:
    return _is(Exact(f"spiffe://{domain}/{path}"))


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        (Always(), "anyone"),
        (_is(Present()), "authenticated"),
        (Not(_is(Present())), "plaintext"),
        (_is(Exact(WEB)), "web"),
        (_of("cluster.local", "x"), 'identity "spiffe://cluster.local/x"'),
        (_is(Prefix("spiffe://cluster.local/ns/ops/")), "namespace ops"),
        (_is(Prefix("spiffe://vm.corp/ns/ops/")), 'namespace ops of "vm.corp"'),
        (_is(Prefix("spiffe://cluster.local/ns/odd/")), 'identity "spiffe://cluster.local/ns/odd/*"'),
        (_is(Prefix("spiffe://vm.corp/")), 'identity "spiffe://vm.corp/*"'),
        (_is(Regex(r".*/ns/a\-b/.*")), '{ namespace a-b, namespace a-b of "vm.corp" }'),
        (_is(Regex("spiffe://.+/ns/shop/(.+/|)sa/web(/.+)?")), '{ web, identity "spiffe://vm.corp/ns/shop/sa/web" }'),
        (Not(_is(Exact(WEB))), "anyone except web"),
        (And((_is(Present()), Not(_is(Exact(WEB))))), "authenticated except web"),
        (
            And((_is(Present()), Or((_is(Exact(WEB)), Not(_is(Prefix("spiffe://vm.corp/"))))))),
            'authenticated and { web, anyone except identity "spiffe://vm.corp/*" }',
        ),
        (Or((_is(Exact(WEB)), _of("nobody.example", "x"))), "web"),
        (Not(_of("nobody.example", "x")), "anyone"),
        (And((_is(Present()), Not(_of("nobody.example", "x")))), "authenticated"),
    ],
)
def test_callers_are_named_as_the_language_names_them(predicate: Predicate, text: str) -> None:
    assert format_set(caller_set(predicate, NAMES, DOMAINS)) == text


@pytest.mark.parametrize(
    "predicate",
    [
        _of("nobody.example", "x"),
        _is(Suffix("/sa/web")),
        _is(Regex("spiffe://.*web")),
        _is(Regex(".*/ns/a.*/.*")),
        _is(Prefix("spiffe://cluster.local/ns/o")),
    ],
)
def test_what_has_no_words_is_said_to_have_none(predicate: Predicate) -> None:
    with pytest.raises(InexpressibleError):
        caller_set(predicate, NAMES, DOMAINS)


def test_who_is_told_apart_by_what_they_are_not_may_have_no_identity() -> None:
    assert takes_plaintext(Not(_is(Exact(WEB))))
    assert not takes_plaintext(And((Not(_is(Exact(WEB))), _is(Present()))))
