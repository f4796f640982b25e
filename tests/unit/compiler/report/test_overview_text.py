"""The first screen about manifests: who is let in, then each finding in a line."""

from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions, Part
from meshproof.compiler.driver.policy import policy_of_manifests, policy_of_texts
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model_overview import OpenGroup, OpenTo, Overview
from meshproof.compiler.report.overview_text import overview_lines
from meshproof.compiler.report.text import render
from meshproof.compiler.report.themes import Theme, theme_of
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.problems import LEDGER

OPTIONS = JudgeOptions(day=date(2026, 11, 23))


def workload(name: str) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}\n---\n"
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n---\n"
    )


def policy(name: str, rule: str) -> str:
    return (
        f"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{selector: {{matchLabels: {{app: {name}}}}}, rules: [{rule}]}}\n---\n"
    )


NAMED = "{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}"
QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\nspec: {}\n"
MANIFESTS = workload("api") + workload("cart") + workload("web") + policy("api", NAMED) + policy("cart", "{}") + QUOTA


def shown(text: str, look: Look | None = None) -> str:
    return render(judge(policy_of_manifests({"a.yaml": text}), OPTIONS), look or Look(), Severity.ERROR)


def test_the_first_screen_says_who_is_let_in_and_what_was_found() -> None:
    lines = shown(MANIFESTS).splitlines()

    assert lines[:6] == [
        "Who is let in",
        "  ✗ anyone, without an identity too: 2 workloads, shop/cart, shop/web",
        '      → plaintext -> shop/cart:8080 GET / with host == "cart"',
        "  ✓ those alone whom rules name: 1 workload, shop/api",
        "  · 1 object is of a kind that is not judged: 1 ResourceQuota",
        "",
    ]


def test_many_findings_are_listed_by_what_they_are_about_the_worst_first() -> None:
    wrong = policy("api", "{to: [{operation: {paths: [admin], methods: [get], verbs: [x]}}]}")
    lines = shown(MANIFESTS.replace(policy("api", NAMED), wrong)).splitlines()
    start = lines.index("Open, or easy to step round")
    themes = [theme.title for theme in Theme]
    listed = lines[start : lines.index("", start)]

    assert [line for line in listed if not line.startswith("  ")] == [one for one in themes if one in listed]
    assert any(line.startswith("  MP716 `admin` in `paths`") and line.endswith("a.yaml:34") for line in listed)
    assert any(line.startswith("  MP711 ") for line in listed)


def test_few_findings_are_not_listed() -> None:
    assert Theme.OPEN.title not in shown(workload("api") + policy("api", NAMED))


def test_a_line_is_cut_and_its_place_stays() -> None:
    wrong = policy("api", "{to: [{operation: {paths: [admin], methods: [get], verbs: [x]}}]}")
    lines = shown(MANIFESTS.replace(policy("api", NAMED), wrong), Look(width=80)).splitlines()
    cut = [line for line in lines if line.startswith("  MP") and "…" in line]

    assert cut
    assert all(len(line) <= 80 and ".yaml:" in line for line in cut)


@pytest.mark.parametrize(
    ("options", "has_overview"),
    [
        (OPTIONS, True),
        (JudgeOptions(day=OPTIONS.day, is_fast=True), False),
        (JudgeOptions(day=OPTIONS.day, parts=frozenset({Part.CLAIMS})), False),
    ],
)
def test_it_is_made_where_everything_is_judged(options: JudgeOptions, *, has_overview: bool) -> None:
    report = judge(policy_of_manifests({"a.yaml": MANIFESTS}), options)

    assert (report.overview is not None) is has_overview


def test_a_policy_of_the_language_has_none() -> None:
    mesh = 'mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'

    assert judge(policy_of_texts({"a.mesh": mesh}), OPTIONS).overview is None


def test_quiet_output_has_none_of_it() -> None:
    assert "Who is let in" not in shown(MANIFESTS, Look(verbosity=-1))


def test_names_are_counted_or_with_v_all_written() -> None:
    overview = Overview((OpenGroup(OpenTo.NOBODY, tuple("abcdef")),))

    assert list(overview_lines(overview, {}, Look())) == [
        "Who is let in",
        "  ✓ nobody: 6 workloads, a, b, c, d and 2 more",
    ]
    assert list(overview_lines(overview, {}, Look(verbosity=1)))[1] == "  ✓ nobody: 6 workloads, a, b, c, d, e, f"


def test_without_workloads_it_says_so() -> None:
    assert list(overview_lines(Overview((), (("Job.batch", 1), ("Y", 2))), {}, Look())) == [
        "Who is let in",
        "  · no file makes a workload, or names one",
        "  · 3 objects are of kinds that are not judged: 1 Job.batch, 2 Y",
    ]


def test_every_code_that_manifests_can_have_has_a_theme() -> None:
    codes = {check.code for check in all_checks() if check.concern in {"manifests", "mtls", "routing"}}
    codes |= {entry.code for entry in LEDGER if "MP711" <= entry.code <= "MP722" or entry.code == "MP724"}
    of_the_language = {"MP404", "MP406"}

    assert {code for code in codes if theme_of(code) is Theme.OTHER} == of_the_language
