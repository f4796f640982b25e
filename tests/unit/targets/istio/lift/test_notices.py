"""What is taken as it stands, and is hardly what was meant."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import read

from meshproof.compiler.driver.policy import policy_of_manifests
from meshproof.dsl.diagnostic import Severity

PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec: {template: {metadata: {labels: {app: orders}}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
"""


def found(text: str, code: str) -> list[str]:
    return [one.message for one in read(PODS + text).diagnostics if one.code == code]


def policy(rule: str, extra: str = "") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: p, namespace: shop{extra}}}\nspec: {{rules: [{rule}]}}\n"
    )


def operation(field: str, value: str) -> str:
    return f'{{to: [{{operation: {{{field}: ["{value}"]}}}}]}}'


def source(field: str, value: str) -> str:
    return f'{{from: [{{source: {{{field}: ["{value}"]}}}}]}}'


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        (operation("paths", "*a*"), "write the values one by one, or use `{*}` and `{**}` in a path"),
        (operation("paths", "/loans/*/payments"), "write the values one by one, or use `{*}` and `{**}` in a path"),
        (operation("notPaths", "/v[0-9]+/x"), "use `{*}`, `{**}`, or a `*` at the end"),
        (operation("paths", "admin"), "write `/admin`"),
        (operation("paths", "/a?b=c"), "leave out what follows the `?`"),
        (operation("methods", "get"), "write `GET`"),
        (operation("hosts", "https://shop.example"), "write the name alone"),
        (source("principals", "spiffe://cluster.local/ns/a/sa/b"), "write `cluster.local/ns/a/sa/b`"),
        (source("principals", "ns/a/sa/b"), "write all of it, as in `cluster.local/ns/shop/sa/web`"),
        (source("principals", "x/O=Government/OU=Y"), "write all of it, as in `cluster.local/ns/shop/sa/web`"),
        (
            '{when: [{key: "request.headers[x]", values: ["a*b"]}]}',
            "write the values one by one, or use `{*}` and `{**}` in a path",
        ),
    ],
)
def test_values_that_do_not_mean_what_they_look_like(rule: str, advice: str) -> None:
    diagnostics = [one for one in read(PODS + policy(rule)).diagnostics if one.code == "MP716"]

    assert [(one.help, one.subject) for one in diagnostics] == [(advice, "shop/p")]


@pytest.mark.parametrize(
    "rule",
    [
        operation("methods", "*"),
        operation("methods", "LIST"),
        operation("methods", "P*"),
        operation("paths", "/items/*"),
        operation("paths", "*.png"),
        operation("paths", "/a/{*}/b/{**}"),
        operation("hosts", "*.shop.example"),
        operation("hosts", "not.in.any.registry.example:8443"),
        source("principals", "cluster.local/ns/a/sa/*"),
        source("principals", "*/sa/b"),
        source("principals", "spire.example/payments/api"),
        source("namespaces", "a*b"),
        source("requestPrincipals", "https://idp.example.com/*"),
        source("ipBlocks", "10.0.0.0/8"),
    ],
)
def test_values_that_mean_what_they_look_like_are_left_alone(rule: str) -> None:
    assert found(policy(rule), "MP716") == []


@pytest.mark.parametrize(("area", "number"), [("{istio.io/dataplane-mode: ambient}", 0), ("{}", 1)])
def test_the_proxy_of_a_node_takes_the_scheme_off_principals(area: str, number: int) -> None:
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {area}}}\n---\n"
    rule = "{from: [{source: {principals: ['spiffe://cluster.local/ns/shop/sa/web']}}]}"
    found_there = [one for one in read(namespace + PODS + policy(rule)).diagnostics if one.code == "MP716"]
    assert len(found_there) == number


def test_dry_runs_are_one_finding() -> None:
    dry = ', annotations: {istio.io/dry-run: "true"}'
    text = policy("{}", dry) + "---\n" + policy("{}", dry).replace("name: p,", "name: q,")

    assert found(text, "MP717") == ["AuthorizationPolicy `shop/p` and 1 more are dry runs, and decide nothing"]
    assert found(policy("{}"), "MP717") == []


def test_a_selector_in_the_root_namespace_is_ignored() -> None:
    text = (
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        "metadata: {name: strict, namespace: istio-system}\n"
        "spec: {selector: {matchLabels: {app: orders}}, mtls: {mode: STRICT}}\n"
    )

    (message,) = found(text, "MP714")
    assert message == "PeerAuthentication `istio-system/strict` does nothing: the root namespace's may have no selector"


def rule_with(tls: str, host: str = "orders", extra: str = "") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: shop}\n"
        f"spec: {{host: {host}, {extra}trafficPolicy: {{tls: {tls}}}}}\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rule_with("{mode: DISABLE}"), "sends plaintext to a workload of the mesh, which then does not know who calls"),
        (
            rule_with("{mode: SIMPLE, insecureSkipVerify: true}", "api.bank.example"),
            "looks at no certificate of the server",
        ),
        (
            rule_with("{mode: SIMPLE, sni: api.bank.example}", "api.bank.example"),
            "does not look whose certificate it gets, because it sets `sni` without `subjectAltNames`",
        ),
        (
            rule_with("{mode: MUTUAL, credentialName: c}", "api.bank.example"),
            "gives sidecars no TLS at all, because `credentialName` counts with a `workloadSelector` alone",
        ),
    ],
)
def test_rules_that_take_protection_away(text: str, said: str) -> None:
    assert found(text, "MP718") == [f"DestinationRule `shop/d` {said}"]


@pytest.mark.parametrize(
    "text",
    [
        rule_with("{mode: ISTIO_MUTUAL}"),
        rule_with("{mode: DISABLE}", "legacy.example"),
        rule_with("{mode: SIMPLE}", "api.bank.example"),
        rule_with("{mode: SIMPLE, sni: a.example, subjectAltNames: [a.example]}", "a.example"),
        rule_with("{mode: MUTUAL, credentialName: c}", "a.example", "workloadSelector: {matchLabels: {app: orders}}, "),
    ],
)
def test_rules_that_protect_are_left_alone(text: str) -> None:
    assert found(text, "MP718") == []


def test_labels_that_are_almost_right_are_a_finding_of_their_own() -> None:
    text = policy("{}").replace("spec: {", "spec: {selector: {matchLabels: {app: order}}, ")

    (one,) = [one for one in read(PODS + text).diagnostics if one.code == "MP715"]
    assert (one.severity, one.help) == (
        Severity.WARNING,
        "write `app: orders`, which a workload has; a policy that selects nothing does nothing",
    )


def test_policies_for_pods_of_other_files_are_one_finding() -> None:
    other = policy("{}").replace("spec: {", "spec: {selector: {matchLabels: {app: billing}}, ")
    another = other.replace("name: p,", "name: q,").replace("billing", "mailer")

    (one,) = [one for one in read(PODS + other + "---\n" + another).diagnostics if one.code == "MP715"]
    assert one.severity is Severity.INFO
    assert one.message == ("2 policies of namespace `shop` select pods that no file makes: `app=billing`, `app=mailer`")


def test_objects_that_stand_several_times_are_one_finding() -> None:
    text = policy("{}") + "---\n" + policy(operation("methods", "GET"))

    (one,) = [one for one in read(PODS + text).diagnostics if one.code == "MP714"]
    assert one.message.startswith("1 object stands several times in one file")
    assert list(one.notes) == ["AuthorizationPolicy `shop/p` stands 2 times; the last is taken"]
    assert len(one.labels) == 2


def test_objects_that_stand_in_several_files_name_the_one_that_is_taken() -> None:
    files = {"a.yaml": PODS + policy("{}"), "b.yaml": policy(operation("methods", "GET"))}
    found = policy_of_manifests(files)
    (one,) = [one for one in found.diagnostics if one.code == "MP714"]
    assert one.message.startswith("1 object stands in several files")
    assert list(one.notes) == ["AuthorizationPolicy `shop/p` stands 2 times; `b.yaml` is taken"]


def routes(name: str, namespace: str, extra: str = "", created: str = "") -> str:
    stamp = f", creationTimestamp: '{created}'" if created else ""
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: {namespace}{stamp}}}\n"
        f"spec: {{hosts: [orders.shop.svc.cluster.local]{extra}, "
        "http: [{route: [{destination: {host: orders}}]}]}\n"
    )


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (routes("a", "shop"), routes("b", "other"), "comes first by name, as both are of one age"),
        (routes("z", "shop", created="2026-01-01T00:00:00Z"), routes("b", "other"), "is older"),
        (
            routes("a", "shop", ", gateways: [mesh, edge]"),
            routes("b", "shop"),
            "comes first by name, as both are of one age",
        ),
    ],
)
def test_sidecars_take_one_virtual_service_for_a_host(one: str, other: str, why: str) -> None:
    (said,) = [message for message in found(one + other, "MP714") if "sidecars" in message]
    assert said.endswith(why)
    assert "`orders.shop.svc.cluster.local`" in said
    assert found(other + one, "MP714") == [said]


@pytest.mark.parametrize("extra", [", gateways: [edge]", ", exportTo: ['.']"])
def test_virtual_services_that_nobody_sees_together_are_no_rivals(extra: str) -> None:
    assert found(routes("a", "shop", ", exportTo: ['.']") + routes("b", "other", extra), "MP714") == []


def settings(name: str, namespace: str, host: str, extra: str = "") -> str:
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{host: '{host}'{extra}, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: 9}}}}}}}}\n"
    )


CLIENT = PODS.replace("namespace: shop", "namespace: area")


def test_a_rule_of_the_clients_namespace_hides_the_owners() -> None:
    owner = settings("orders", "shop", "orders")
    mine = settings("mine", "area", "*.shop.svc.cluster.local")
    assert found(CLIENT + owner + mine, "MP714") == [
        "DestinationRule `area/mine` hides `shop/orders` from clients in `area`"
    ]
    assert found(CLIENT + owner, "MP714") == []
    assert found(owner + mine, "MP714") == []  # nobody is there
    assert found(CLIENT + settings("orders", "shop", "orders", ", exportTo: ['.']") + mine, "MP714") == []
    assert found(CLIENT + owner + settings("mine", "istio-system", "*.local"), "MP714") == []


def test_what_routes_send_to_subsets_without_pods_is_told() -> None:
    versions = (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart, namespace: shop}\n"
        "spec: {host: cart, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n"
    )
    split = (
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: split, namespace: shop}\n"
        "spec: {hosts: [cart], http: [{route: [{destination: {host: cart, subset: v1}, weight: 90},"
        " {destination: {host: cart.shop.svc.cluster.local, subset: v2}, weight: 10}]}]}\n"
    )
    (one,) = [one for one in read(PODS + versions + split).diagnostics if one.code == "MP715"]
    assert one.notes == (
        "`shop/split` sends 90 % to `v1` of `cart`",
        "`shop/split` sends 10 % to `v2` of `cart`",
    )
