"""Each pack is sound, in the layout of `fmt`, and speaks of its own zones alone; what it claims can be broken."""

from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions, Part
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.report.model import ClaimVerdict, Report
from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.declarations import Zone, ZoneParameter
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.ast.sets import Named
from meshproof.dsl.format import format_source
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile
from meshproof.dsl.visitor import walk
from meshproof.policies.catalog import pack_names, read_pack

CLAIMS = JudgeOptions(day=date(2026, 11, 23), parts=frozenset((Part.CLAIMS,)))
SHOP = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict  egress closed }
gateway edge { namespace ingress  hosts "shop.example"  port https 443 -> 8443  certificate "c" }
service web   { port http 80 -> 8080 }
service pay   { port grpc 9000  tags pci }
service store { port tcp 6379  tags pci }
allow public: internet -> edge
allow browse: edge -> web:http { GET|POST /** }
allow charge: web -> pay:grpc { call shop.Pay/Charge }
allow keep:   pay -> store
route edge { host "shop.example" /** => web:http }
use pack "zero-trust-baseline" {
    doors = { edge }, insiders = { namespace shop, edge }, protected = all, sensitive = tagged pci
}
"""
OPEN = 'mtls permissive for web { because "x" owner "y" until 2027-01-31 }\n'
BY_PLAINTEXT = 'allow old: plaintext -> web { because "x" owner "y" until 2027-01-31 }\n'
BACK_DOOR = """
gateway back { port http 80 }
allow back-in: internet -> back
allow behind:  back -> web
route back { /** => web:http }
"""


def source(name: str) -> SourceFile:
    text = read_pack(name)
    assert text is not None
    return SourceFile(f"{name}.mesh", text)


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_is_sound_and_in_the_layout_of_fmt(name: str) -> None:
    assert format_source(source(name)).text == read_pack(name)


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_speaks_of_the_zones_that_it_asks_for_and_of_all_of_them(name: str) -> None:
    document = parse(source(name)).document
    asked = {node.name.text for node in walk(document) if isinstance(node, ZoneParameter)}
    named = {node.name.text for node in walk(document) if isinstance(node, Named)}

    assert asked == named


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_asks_claims_and_denies_and_nothing_else(name: str) -> None:
    statements = parse(source(name)).document.statements
    rules = [one for one in statements if isinstance(one, Rule)]

    assert all(isinstance(one, ZoneParameter | Zone | Prove | Rule) for one in statements)
    assert {rule.effect.value for rule in rules} <= {"deny"}
    assert all("guardrail" in {tag.text for tag in rule.tags} for rule in rules)


@pytest.mark.parametrize("name", pack_names())
def test_what_a_pack_names_begins_with_what_it_is_called(name: str) -> None:
    statements = parse(source(name)).document.statements
    rules = [one.name.text for one in statements if isinstance(one, Rule) and one.name is not None]
    titles = [one.title.value for one in statements if isinstance(one, Prove)]

    assert len(rules) == sum(isinstance(one, Rule) for one in statements)
    assert all(name.startswith(title.partition(":")[0].replace(" ", "-")) for title in titles)
    assert all(rule.startswith(titles[0].partition(":")[0].replace(" ", "-") + "-") for rule in rules)


def claims_of(*additions: str) -> Report:
    policy = policy_of_texts({"shop.mesh": "".join((SHOP, *additions))})
    assert policy.diagnostics == ()
    return judge(policy, CLAIMS)


def refuted(report: Report) -> set[str]:
    return {claim.name.removeprefix("zero trust: ") for claim in report.claims if claim.verdict is ClaimVerdict.REFUTED}


def test_the_baseline_holds_in_a_sound_shop() -> None:
    report = claims_of()

    assert {claim.verdict for claim in report.claims} == {ClaimVerdict.PROVED}
    assert not any(claim.is_vacuous for claim in report.claims if "mutually" not in claim.name)
    assert len(report.claims) == 6


@pytest.mark.parametrize(
    ("addition", "broken"),
    [
        (OPEN, {"every connection is mutually authenticated"}),
        (OPEN + BY_PLAINTEXT, {"every connection is mutually authenticated"}),
        ("allow stranger: namespace other -> web",
         {"only identities of the mesh get in", "the outside comes in by the doors"}),
        ("allow short-cut: edge -> pay\nroute edge:https { /pay => pay:grpc  /** => web:http }",
         {"no door opens on what is sensitive"}),
        (BACK_DOOR, {"the outside comes in by the doors"}),
        ('external log { hosts "log.example"  port http 80 }\nroute pay { mirror log:http 10% }',
         {"no copy of what is sensitive leaves what is protected"}),
    ],
)  # fmt: skip
def test_each_claim_of_the_baseline_can_be_broken(addition: str, broken: set[str]) -> None:
    assert refuted(claims_of(addition)) == broken


def test_the_deny_closes_what_an_allow_for_plaintext_would_open() -> None:
    policy = policy_of_texts(
        {
            "shop.mesh": SHOP
            + OPEN
            + BY_PLAINTEXT
            + ("test t { plaintext -> web:http GET / => deny by zero-trust-no-plaintext }")
        }
    )
    report = judge(policy, JudgeOptions(day=date(2026, 11, 23), parts=frozenset((Part.TESTS,))))

    assert [test.outcome.value for test in report.tests] == ["passed"]
