"""Importing: what is written, what is listed, and that the comparison tells when the policy is not what was read."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.istio_lifting import WORKLOAD, policy

from meshproof.compiler.driver import importing
from meshproof.compiler.driver.importing import import_policy
from meshproof.compiler.driver.policy import Policy, policy_of_manifests, policy_of_texts
from meshproof.compiler.express import Expressed, Part, express
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model_import import Imported
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.format import format_source
from meshproof.dsl.source import SourceFile

DAY = date(2026, 11, 23)
TIMEOUT = 10_000
CLOSED = policy("{}", "closed")
HTTP_ONLY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web}}}
---
"""
"""`shop/api`, called on 80, and `shop/web`, which calls."""

STRICT = (
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
    "metadata: {name: default, namespace: istio-system}\nspec: {mtls: {mode: STRICT}}\n---\n"
)


def imported(*texts: str) -> Imported:
    found = import_policy(policy_of_manifests({"mesh.yaml": "".join(texts)}), DAY, TIMEOUT)
    assert found.text is not None, found.diagnostics
    assert format_source(SourceFile("", found.text)).text == found.text
    resolved = policy_of_texts({"imported.mesh": found.text})
    assert [one for one in resolved.diagnostics if one.severity is Severity.ERROR] == []
    return found


def remaining(found: Imported) -> list[str]:
    """Where the policy is not what was read, but for ports that nothing declares: no rule can speak of them."""
    assert found.difference is not None
    assert found.difference.is_complete
    places = (place.text for region in found.difference.regions for place in region.places)
    return [place for place in places if not place.endswith(" (other ports)")]


def line_of(found: Imported, beginning: str) -> str:
    """The statement that begins so, its lines joined."""
    assert found.text is not None
    lines = found.text.split("\n")
    first = next((index for index, line in enumerate(lines) if line.startswith(beginning)), None)
    assert first is not None, found.text
    last = first if not lines[first].endswith("{") else lines.index("}", first)
    return " ".join(line.strip() for line in lines[first : last + 1])


def test_what_can_be_said_is_proved_equal() -> None:
    rule = policy(
        "selector: {matchLabels: {app: api}}\n"
        "rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}],"
        " to: [{operation: {methods: [GET], paths: [/items], ports: ['8080']}}]}]",
        "read",
    )
    found = imported(HTTP_ONLY, CLOSED, STRICT, rule)

    assert line_of(found, "allow read") == "allow read: web -> api { GET /items }"
    assert found.is_equal
    assert found.untaken == ()
    assert found.exit_code is ExitCode.CLEAN


@pytest.mark.parametrize("template", ["/a/{*}", "/a/{**}", "/a/{*}/b"])
def test_a_path_template_is_said_with_every_character_that_it_takes(template: str) -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy(f'rules: [{{to: [{{operation: {{paths: ["{template}"]}}}}]}}]'))

    assert found.text is not None
    assert "path matches re" in found.text
    assert remaining(found) == []


def test_the_default_of_istio_is_said_out_loud_and_ports_that_nothing_declares_remain() -> None:
    found = imported(HTTP_ONLY)

    assert line_of(found, "allow open-by-default").startswith("allow open-by-default: anyone -> api")
    assert found.difference is not None
    assert {name for region in found.difference.newly_denied for name in region.destinations} == {
        "api (other ports)",
        "web (other ports)",
    }
    assert found.difference.newly_allowed == ()
    assert found.exit_code is ExitCode.FOUND


def test_retries_that_nobody_asked_for_are_a_note_and_no_difference() -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT)

    assert any("of themselves" in note for note in found.notes)
    assert found.is_equal


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ("to: [{operation: {methods: [GET, PUT], paths: ['/a/*', '*/b']}}]", "GET|PUT /** when path startswith"),
        ("to: [{operation: {methods: [POST], paths: [/x.Y/Z]}}]", "call x.Y/Z"),
        ("from: [{source: {notPrincipals: [cluster.local/ns/shop/sa/web]}}]", "except web"),
        ("when: [{key: 'request.headers[x-a]', notValues: [b]}]", 'header["x-a"] != "b"'),
    ],
)
def test_rules_are_in_the_words_of_the_language(rule: str, written: str) -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy(f"rules: [{{{rule}}}]", "read"))

    assert written in line_of(found, "allow read")
    assert remaining(found) == []


def test_a_namespace_is_one_and_identities_of_another_form_are_told() -> None:
    rule = policy("rules: [{from: [{source: {namespaces: [ops]}}]}]", "read")
    found = imported(HTTP_ONLY, CLOSED, STRICT, rule)

    assert line_of(found, "allow read") == "allow read: namespace ops -> api"
    assert found.difference is not None
    assert found.difference.newly_allowed == ()
    odd = [one for one in found.difference.newly_denied if "api:http" in one.destinations]
    identities = [one.witness.request.source.identity or "" for one in odd if one.witness is not None]
    assert [one.startswith("spiffe://cluster.local/ns/ops/") for one in identities] == [False] * len(odd)


def test_a_host_with_all_its_ports_is_a_host_and_the_last_dot_is_told() -> None:
    rule = policy("rules: [{to: [{operation: {hosts: [a.example, 'a.example:*']}}]}]", "read")
    found = imported(HTTP_ONLY, CLOSED, STRICT, rule)

    assert 'when host == "a.example"' in line_of(found, "allow read")
    assert found.difference is not None
    (region,) = found.difference.newly_allowed
    assert region.witness is not None
    assert region.witness.request.host == "a.example."


def test_a_host_without_its_ports_is_listed_with_its_line() -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy("rules: [{to: [{operation: {hosts: [a.example]}}]}]", "read"))

    (one,) = found.untaken
    assert one.subject == "shop/read[0]"
    assert "with its port" in one.reason
    assert one.origin.span.file == "mesh.yaml"
    assert found.exit_code is ExitCode.FOUND


def test_what_is_tried_is_audited_until_some_day() -> None:
    dry = policy("action: DENY\nrules: [{}]", "try", annotations="{istio.io/dry-run: 'true'}")
    found = imported(HTTP_ONLY, CLOSED, STRICT, dry)

    assert line_of(found, "audit deny try").endswith("until 2027-02-21 }")
    assert 'because "imported from mesh.yaml:' in line_of(found, "audit deny try")


def test_what_only_logs_is_listed() -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy("action: AUDIT\nrules: [{}]", "watch"))

    (one,) = found.untaken
    assert (one.subject, one.reason) == ("shop/watch", "it logs what it matches, and decides nothing")


def test_who_asks_somebody_whom_no_file_has_refuses() -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy("action: CUSTOM\nprovider: {name: x}\nrules: [{}]", "ask"))

    assert line_of(found, "deny ask") == "deny ask: anyone -> api"
    assert found.is_equal


def test_the_two_forms_of_a_rule_are_two_rules() -> None:
    deny = policy("action: DENY\nrules: [{to: [{operation: {paths: [/admin]}}]}]", "guard")
    found = imported(WORKLOAD, STRICT, deny)

    assert line_of(found, "deny guard:").startswith("deny guard: anyone -> ")
    assert line_of(found, "deny guard-tcp:").startswith("deny guard-tcp: anyone -> api:")


def test_a_workload_without_a_proxy_is_listed_and_not_declared() -> None:
    outside = HTTP_ONLY.replace("labels: {app: web}", "labels: {app: web, sidecar.istio.io/inject: 'false'}")
    found = imported(outside, CLOSED, STRICT)

    assert [one.subject for one in found.untaken] == ["shop/web"]
    assert "service web" not in (found.text or "")


def test_a_rule_about_ports_that_no_file_tells_is_listed() -> None:
    found = imported(HTTP_ONLY, CLOSED, STRICT, policy("selector: {matchLabels: {app: web}}\nrules: [{}]", "lost"))

    (one,) = found.untaken
    assert one.reason == "no file says on which ports `web` listens"


def test_a_port_that_a_rule_names_is_declared() -> None:
    rule = policy("selector: {matchLabels: {app: web}}\nrules: [{to: [{operation: {ports: ['9000']}}]}]", "named")
    found = imported(HTTP_ONLY, CLOSED, STRICT, rule)

    assert "port port-9000 tcp 9000" in line_of(found, "service web")
    assert found.untaken == ()


def test_routes_come_with_their_settings() -> None:
    route = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: api, namespace: shop}\n"
        "spec:\n  hosts: [api]\n  http:\n"
        "  - timeout: 2s\n    retries: {attempts: 3, retryOn: 'reset,503', perTryTimeout: 500ms}\n"
        "    route: [{destination: {host: api}}]\n---\n"
    )
    found = imported(HTTP_ONLY, CLOSED, STRICT, route)

    assert line_of(found, "route api") == "route api:http { timeout 2s  retry 3 on reset, 503 within 500ms }"
    assert found.is_equal


def test_a_route_to_another_workload_is_listed() -> None:
    route = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: api, namespace: shop}\n"
        "spec: {hosts: [api], http: [{directResponse: {status: 418}}]}\n---\n"
    )
    found = imported(HTTP_ONLY, CLOSED, STRICT, route)

    (one,) = found.untaken
    assert one.reason == "proxies answer 418 themselves"
    assert found.difference is not None
    assert found.difference.rerouted


def test_callers_that_several_rules_share_are_a_zone() -> None:
    names = ", ".join(f"cluster.local/ns/far/sa/{name}" for name in "abc")
    rules = (
        policy(f"rules: [{{from: [{{source: {{principals: [{names}]}}}}], to: [{{operation: {what}}}]}}]", name)
        for what, name in (("{methods: [GET]}", "one"), ("{methods: [PUT]}", "two"))
    )
    found = imported(HTTP_ONLY, CLOSED, STRICT, *rules)

    assert line_of(found, "zone ").startswith("zone callers-of-one =")
    assert line_of(found, "allow two") == "allow two: callers-of-one -> api { PUT /** }"
    assert remaining(found) == []


def test_issuers_that_say_the_same_are_one() -> None:
    tokens = "".join(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        f"metadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{jwtRules: [{{issuer: https://idp, jwksUri: https://idp/{keys}}}]}}\n---\n"
        for name, keys in (("a", "k"), ("b", "k"), ("c", "other"))
    )
    found = imported(HTTP_ONLY, CLOSED, STRICT, tokens)

    assert (found.text or "").count("issuer idp") == 1
    assert [one.subject for one in found.untaken] == ["shop/c[0]"]


def test_comments_stay_with_what_they_explain() -> None:
    rule = "# Only the shop reads items.\n" + policy("rules: [{}]", "read")
    text = imported(HTTP_ONLY, STRICT, rule).text or ""

    lines = text.split("\n")
    assert lines[lines.index("# Only the shop reads items.") + 1].startswith("allow read")


def test_files_are_named_where_they_hold_several_rules() -> None:
    files = {
        "base.yaml": HTTP_ONLY + CLOSED + STRICT,
        **{f"{n}.yaml": policy("rules: [{}]", f"{n}1") + policy("rules: [{}]", f"{n}2") for n in "ab"},
    }
    text = import_policy(policy_of_manifests(files), DAY, TIMEOUT).text or ""

    assert text.index("# from a.yaml") < text.index("allow a1") < text.index("allow a2") < text.index("# from b.yaml")


def test_what_the_language_refuses_is_left_out_and_listed() -> None:
    rule = policy("rules: [{when: [{key: 'request.headers[x-forwarded-for]', values: [a]}]}]", "odd")
    found = imported(HTTP_ONLY, CLOSED, STRICT, rule, policy("rules: [{}]", "kept"))

    (one,) = found.untaken
    assert one.subject == "shop/odd[0]"
    assert one.reason.startswith("the language refuses it: ")
    assert "allow kept" in (found.text or "")


def test_a_policy_that_is_not_what_was_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is with the files, whatever the writing believes: here it loses every deny."""
    honest = express

    def forgetful(*arguments: object) -> Expressed:
        found = honest(*arguments)  # type: ignore[arg-type]
        kept = tuple(part for part in found.parts if not _is_deny(part))
        return Expressed(kept, found.names, found.untaken)

    monkeypatch.setattr(importing, "express", forgetful)
    text = HTTP_ONLY + policy("rules: [{}]", "all") + policy("action: DENY\nrules: [{}]", "none") + STRICT
    found = import_policy(policy_of_manifests({"mesh.yaml": text}), DAY, TIMEOUT)

    assert found.untaken == ()
    assert found.difference is not None
    assert [region.destinations for region in found.difference.newly_allowed] == [("api:http",)]
    assert found.exit_code is ExitCode.FOUND


def _is_deny(part: Part) -> bool:
    return isinstance(part.statement, Rule) and part.statement.effect.value == "deny"


def test_files_that_cannot_be_read_give_no_policy() -> None:
    broken: Policy = policy_of_manifests({"mesh.yaml": "a: [\n"})
    found = import_policy(broken, DAY, TIMEOUT)

    assert found.text is None
    assert found.exit_code is ExitCode.NOT_JUDGED
    assert found.diagnostics
