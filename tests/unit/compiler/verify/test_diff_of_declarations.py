"""What a comparison says of declarations that are not alike, where no request shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.matchers import Cidr
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import RemoteIp, Test
from meshproof.compiler.verify.semantic_diff import semantic_diff
from meshproof.compiler.verify.semantic_diff_values import DiffVerdict, SemanticDiff

DAY = date(2026, 11, 23)
BASE = """
mesh m { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }
gateway edge { namespace ops  account edge  hosts "x.example"  port https 443 -> 8443  certificate "c"
    trusted-proxies 1 }
gateway out { namespace ops  account out  hosts "out.example"  port tls 15443 }
external pay { hosts "*.pay.example"  port https 443 }
service web { port http 80 -> 8080 }
allow public: internet -> edge
allow shown: edge -> web { GET /** when client.ip in "10.0.0.0/8" }
allow paid: web -> pay
"""


def edit(before: str, after: str, base: str = BASE) -> SemanticDiff:
    assert before in base
    old, new = (mesh_of(text, has_mesh=True) for text in (base, base.replace(before, after)))
    return semantic_diff(old, new, DAY)


def test_an_external_at_another_host_is_newly_allowed_there_and_denied_where_it_was() -> None:
    found = edit('"*.pay.example"', '"*.evil.example"')

    assert [(one.sources, one.destinations) for one in found.newly_allowed] == [(("web",), ("pay at *.evil.example",))]
    assert [one.destinations for one in found.newly_denied] == [("pay at *.pay.example",)]
    assert [edit.subject for edit in found.newly_allowed[0].blame] == ["pay"]
    assert found.verdict is DiffVerdict.INCOMPARABLE


@pytest.mark.parametrize(
    ("hosts", "verdict"),
    [
        ('"*.pay.example", "api.PAY.example"', DiffVerdict.EQUAL),
        ('"*.pay.example", "pay.example"', DiffVerdict.LOOSER),
        ('"api.pay.example"', DiffVerdict.TIGHTER),
        ('"*.api.pay.example"', DiffVerdict.TIGHTER),
    ],
)
def test_hosts_that_a_wildcard_covers_are_no_further_ones(hosts: str, verdict: DiffVerdict) -> None:
    assert edit('"*.pay.example"', hosts).verdict is verdict


def test_hosts_of_an_external_that_nobody_may_call_open_nothing() -> None:
    found = edit('"*.pay.example"', '"*.evil.example"', BASE.replace("allow paid: web -> pay", ""))

    assert found.regions == ()
    assert found.notes == ("`pay`: it is at `*.evil.example` now, not `*.pay.example`",)


@pytest.mark.parametrize(("rule", "is_complete"), [("", True), ("deny stop: web -> pay", False)])
def test_where_the_outside_is_open_only_refusals_hang_on_hosts(rule: str, is_complete: bool) -> None:
    base = BASE.replace("egress closed", "egress open") + rule

    assert edit('"*.pay.example"', '"*.evil.example"', base).is_complete is is_complete


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (
            'certificate "c"',
            'certificate "c" client-ca "d"',
            "it asks callers for a certificate of `d` now, of nobody before: others can come to it",
        ),
        ("trusted-proxies 1", "trusted-proxies 2", "it trusts 2 proxies, not 1: `client.ip` is another address"),
    ],
)
def test_what_a_gateway_believes_is_left_open_and_never_equal(before: str, after: str, reason: str) -> None:
    found = edit(before, after)

    assert [(one.subject, one.reason) for one in found.undecided] == [("gateway edge", reason)]
    assert found.verdict is DiffVerdict.INCOMPARABLE


def test_trusted_proxies_do_not_count_where_nobody_asks_for_the_client() -> None:
    base = BASE.replace('when client.ip in "10.0.0.0/8"', "")

    assert edit("trusted-proxies 1", "trusted-proxies 2", base).is_complete


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("80 -> 8080", "81 -> 8080", "`web`: callers dial `81` now, not `80`"),
        ("service web {", 'service web { name "shop"', "`web`: its name on the platform `shop` now, not `web`"),
        (
            "service web {",
            'service web { labels { app: "other" }',
            "`web`: its workloads are those with `app=other` now, not `app=web`",
        ),
        (
            '"x.example"',
            '"y.example", "x.example"',
            "`edge`: it answers to `x.example`, `y.example` now, not `x.example`",
        ),
        ('certificate "c"', 'certificate "d"', "`edge`: its certificate `d` now, not `c`"),
        (
            "port https 443 }",
            "port https 443 via out }",
            "`pay`: what goes there is judged by `out` now, not `proxies of callers`",
        ),
    ],
)
def test_what_a_name_means_on_the_platform_is_a_note(before: str, after: str, note: str) -> None:
    found = edit(before, after)

    assert found.notes == (note,)
    assert found.is_complete


def test_a_further_port_and_hosts_in_another_order_are_no_other_meaning() -> None:
    base = BASE.replace('"x.example"', '"x.example", "y.example"')
    old, new = base, base.replace('"x.example", "y.example"', '"y.example", "x.example"')

    assert edit(old, new.replace("80 -> 8080", "80 -> 8080  port admin http 9090"), base).notes == ()


def test_that_tokens_go_on_or_do_not_is_a_note() -> None:
    base = BASE + 'issuer idp { url "https://i.example"  jwks "https://i.example/keys"  audiences "shop" }'

    assert edit('audiences "shop"', 'audiences "shop"  strip', base).notes == (
        "`idp`: who is called no longer sees its tokens",
    )


def test_whose_gateway_is_no_gateway_any_more_has_no_clients() -> None:
    """Files may have rules for an identity that is a gateway's today and nobody's tomorrow."""
    old = mesh_of(BASE, has_mesh=True)
    new = replace(
        old,
        gateways=tuple(one for one in old.gateways if one.name != "edge"),
        rules=tuple(one for one in old.rules if one.id != "public"),
    )
    found, back = semantic_diff(old, new, DAY), semantic_diff(new, old, DAY)

    assert [one.conditions for one in found.newly_denied if one.destinations == ("web:http",)] == [
        ('client.ip in "10.0.0.0/8"',)
    ]
    assert "web:http" in {name for one in back.newly_allowed for name in one.destinations}


def test_trusted_proxies_count_where_envoy_is_asked_for_the_client() -> None:
    def trusting(proxies: int) -> Mesh:
        mesh = mesh_of(BASE, has_mesh=True)
        seen = Test(RemoteIp(), Cidr("10.0.0.0/8"))
        return replace(
            mesh,
            gateways=tuple(replace(one, trusted_proxies=proxies) for one in mesh.gateways),
            rules=tuple(
                replace(one, when=seen) if one.id == "public" else one for one in mesh.rules if one.id != "shown"
            ),
        )

    assert semantic_diff(trusting(1), trusting(2), DAY).verdict is DiffVerdict.INCOMPARABLE


def test_labels_that_one_side_does_not_tell_are_no_change() -> None:
    told = mesh_of(BASE, has_mesh=True)
    untold = replace(told, services=tuple(replace(one, labels=()) for one in told.services))

    assert semantic_diff(untold, told, DAY).notes == ()
