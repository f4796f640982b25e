"""What runs: pods, accounts, ports, who is in the mesh, and what no file makes."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import OTHER, WORKLOAD, allows, judged, lift, policy, read

from meshproof.compiler.ir.entities import Layer, Protocol
from meshproof.compiler.semantics import NotModelled
from meshproof.targets.istio.lift.kube_services import Spoken, spoken_at
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.workloads import Role, Workload


def workloads(text: str) -> dict[str, Workload]:
    return {str(one.name): one for one in read(text).context.workloads}


def pods(kind: str, group: str, inner: str = "template") -> str:
    path = {"template": "template", "cron": "jobTemplate: {spec: {template"}[inner]
    close = "}}" if inner == "cron" else ""
    return (
        f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: w, namespace: ns}}\n"
        f"spec: {{{path}: {{metadata: {{labels: {{app: w}}}}, spec: {{serviceAccountName: a}}}}{close}}}\n---\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        pods("Deployment", "apps/v1"),
        pods("StatefulSet", "apps/v1"),
        pods("DaemonSet", "apps/v1"),
        pods("ReplicaSet", "apps/v1"),
        pods("Deployment", "extensions/v1beta1"),
        pods("Job", "batch/v1"),
        pods("CronJob", "batch/v1", "cron"),
        pods("Rollout", "argoproj.io/v1alpha1"),
        pods("ReplicationController", "v1"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: w, namespace: ns, labels: {app: w}}\nspec: {serviceAccount: a}\n",
    ],
)
def test_whatever_makes_pods_is_a_workload(text: str) -> None:
    (one,) = workloads(text).values()
    assert (one.name, one.namespace, one.labels, one.account) == ("ns/w", "ns", (("app", "w"),), "a")
    assert one.identity("td").uri == "spiffe://td/ns/ns/sa/a"


def test_without_a_word_namespace_and_account_are_the_default_ones() -> None:
    (one,) = workloads("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {template: {}}").values()
    assert (one.name, one.account) == ("default/w", "default")


def test_what_another_object_made_is_not_counted_again() -> None:
    owned = (
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: w-abc, namespace: ns, labels: {pod-template-hash: abc}"
        ", ownerReferences: [{kind: Deployment, name: w}]}\nspec: {template: {}}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: w-abc-1, namespace: ns, labels: {pod-template-hash: abc, app: w},"
        " ownerReferences: [{kind: ReplicaSet, name: w-abc}]}\n---\n"
    )
    assert set(workloads(pods("Deployment", "apps/v1") + owned)) == {"ns/w"}
    pods_alone = owned.split("---\n")[1]
    (one,) = workloads(pods_alone + "---\n" + pods_alone.replace("w-abc-1", "w-abc-2")).values()
    assert (one.name, one.labels) == ("ns/w", (("app", "w"),))


def test_two_workloads_of_one_name_are_two() -> None:
    found = workloads(pods("Deployment", "apps/v1") + pods("CronJob", "batch/v1", "cron"))
    assert set(found) == {"ns/w", "ns/w.cronjob"}


def test_workloads_that_share_an_account_share_the_identity() -> None:
    second = WORKLOAD.replace("name: api, namespace", "name: web, namespace").replace("app: api", "app: web")
    mesh = lift(WORKLOAD + second)
    assert [(one.name, one.identity.uri) for one in mesh.services] == [
        ("shop/api", "spiffe://cluster.local/ns/shop/sa/api"),
        ("shop/web", "spiffe://cluster.local/ns/shop/sa/api"),
    ]
    rule = policy("rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/api]}}]}]")
    (found,) = lift(WORKLOAD + second + rule).rules
    assert found.sources.members == ("shop/api", "shop/web")


def test_ports_are_where_the_pods_listen() -> None:
    (service,) = lift(WORKLOAD).services
    assert [(port.name, port.number, port.workload, port.layer) for port in service.ports] == [
        ("tcp-db", 5432, 5432, Layer.TCP),
        ("http", 80, 8080, Layer.HTTP),
        ("any", 9000, 9000, Layer.SNIFFED),
    ]
    assert service.platform_name == "api"


@pytest.mark.parametrize(
    ("number", "name", "app_protocol", "expected"),
    [
        (80, "http", None, Spoken(Protocol.HTTP, Layer.HTTP)),
        (80, "http-web", None, Spoken(Protocol.HTTP, Layer.HTTP)),
        (80, "HTTP2-x", None, Spoken(Protocol.HTTP2, Layer.HTTP)),
        (80, "grpc-web-x", None, Spoken(Protocol.GRPC, Layer.HTTP)),
        (80, "grpc", None, Spoken(Protocol.GRPC, Layer.HTTP)),
        (80, "httpx", None, Spoken(Protocol.TCP, Layer.SNIFFED)),
        (443, "https", None, Spoken(Protocol.HTTPS, Layer.TCP)),
        (443, "tls-x", None, Spoken(Protocol.TLS, Layer.TCP)),
        (1, "redis", None, Spoken(Protocol.TCP, Layer.TCP)),
        (1, "mongo", None, Spoken(Protocol.TCP, Layer.TCP)),
        (80, "tcp", "http", Spoken(Protocol.HTTP, Layer.HTTP)),
        (80, "http", "tcp", Spoken(Protocol.TCP, Layer.TCP)),
        (80, "", "kubernetes.io/h2c", Spoken(Protocol.HTTP2, Layer.HTTP)),
        (80, "", "kubernetes.io/ws", Spoken(Protocol.HTTP, Layer.HTTP)),
        (80, "", "kubernetes.io/wss", Spoken(Protocol.HTTPS, Layer.TCP)),
        (80, "", None, Spoken(Protocol.TCP, Layer.SNIFFED)),
        (3306, "", None, Spoken(Protocol.TCP, Layer.TCP)),
        (27017, "db", None, Spoken(Protocol.TCP, Layer.TCP)),
        (3306, "http", None, Spoken(Protocol.HTTP, Layer.HTTP)),
    ],
)
def test_what_a_port_speaks(number: int, name: str, app_protocol: str | None, expected: Spoken) -> None:
    assert spoken_at(number, name, app_protocol) == expected


def test_ports_of_udp_and_names_that_no_container_has_are_none() -> None:
    more = WORKLOAD.replace(
        "  - {name: any, port: 9000}",
        "  - {name: dns, port: 53, protocol: UDP}\n  - {name: lost, port: 1, targetPort: lost}",
    )
    (service,) = lift(more).services
    assert [port.name for port in service.ports] == ["tcp-db", "http"]


INJECT = "sidecar.istio.io/inject"
ACCOUNT = "      serviceAccountName"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {%s}}\n---\n"


@pytest.mark.parametrize(
    ("namespace", "change", "expected"),
    [
        ("", ("", ""), Membership.ASSUMED),
        ("istio-injection: enabled", ("", ""), Membership.SIDECAR),
        ("istio.io/rev: x", ("", ""), Membership.SIDECAR),
        ("istio-injection: disabled", ("", ""), Membership.OUTSIDE),
        (
            "istio-injection: disabled",
            ("version: v1}", 'version: v1, sidecar.istio.io/inject: "true"}'),
            Membership.SIDECAR,
        ),
        (
            "istio-injection: enabled",
            ("version: v1}", 'version: v1, sidecar.istio.io/inject: "false"}'),
            Membership.OUTSIDE,
        ),
        ("", ("version: v1}}", 'version: v1}, annotations: {sidecar.istio.io/inject: "false"}}'), Membership.OUTSIDE),
        (
            "istio-injection: enabled",
            ("      serviceAccountName", "      hostNetwork: true\n      serviceAccountName"),
            Membership.OUTSIDE,
        ),
        ("istio.io/dataplane-mode: ambient", ("", ""), Membership.AMBIENT),
        ("", ("version: v1}", "version: v1, istio.io/dataplane-mode: ambient}"), Membership.AMBIENT),
        ("other: x", ("", ""), Membership.ASSUMED),
    ],
)
def test_who_is_in_the_mesh(namespace: str, change: tuple[str, str], expected: Membership) -> None:
    text = (NAMESPACE % namespace if namespace else "") + WORKLOAD.replace(*change)
    assert workloads(text)["shop/api"].membership is expected


def test_what_has_no_proxy_heeds_no_policy_and_has_no_identity() -> None:
    mesh = lift(NAMESPACE % "istio-injection: disabled" + WORKLOAD + policy("selector: {}"))
    assert allows(mesh, identity=None)
    assert not mesh.rules
    assert mesh.services[0].identity.trust_domain == "outside.invalid"


def test_ports_that_no_proxy_sees_are_not_modelled() -> None:
    note = 'version: v1}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "5432, 7"}}'
    found = read(WORKLOAD.replace("version: v1}}", note))
    assert [one.code for one in found.diagnostics] == ["MP713"]
    assert found.mesh is not None
    assert allows(found.mesh)
    with pytest.raises(NotModelled):
        judged(found.mesh, port=7)


# --- what no file makes ----------------------------------------------------------------------------


def test_policies_alone_are_about_the_pods_that_they_select() -> None:
    found = workloads(
        policy("selector: {matchLabels: {app: api, version: v2}}", name="a")
        + policy("selector: {matchLabels: {app: api}}", name="b")
        + policy("selector: {matchLabels: {app: root}}", name="c", namespace="istio-system")
    )
    assert set(found) == {"shop/api-v2"}
    assert found["shop/api-v2"].is_inferred
    assert not found["shop/api-v2"].is_account_known


def test_services_stand_for_pods_that_no_file_makes() -> None:
    service = WORKLOAD.split("---\n")[1]
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: api, namespace: shop}\n---\n"
    found = workloads(account + service)["shop/api"]
    assert (found.account, found.is_inferred) == ("api", True)
    assert [port.workload for port in found.ports] == [5432, 9000]  # a name of a port says nothing without pods


def test_a_policy_that_selects_nothing_where_pods_are_known_is_told() -> None:
    found = read(WORKLOAD + policy("selector: {matchLabels: {app: apj}}"))
    assert [(one.code, one.subject) for one in found.diagnostics] == [("MP715", "shop/p")]
    assert found.mesh is not None
    assert allows(found.mesh, identity=OTHER)


GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
"""


def test_a_gateway_that_is_installed_apart_is_a_node_all_the_same() -> None:
    found = workloads(GATEWAY)["istio-system/istio-ingressgateway"]
    assert (found.role, found.account) == (Role.GATEWAY, "istio-ingressgateway-service-account")
    mesh = lift(GATEWAY + policy("selector: {matchLabels: {istio: ingressgateway}}", namespace="istio-system"))
    assert [(one.name, one.default_allow) for one in mesh.gateways] == [("istio-system/istio-ingressgateway", ())]


def test_its_account_is_the_one_that_policies_name() -> None:
    rule = "rules: [{from: [{source: {principals: [cluster.local/ns/edge/sa/gw]}}]}]"
    own = policy("selector: {matchLabels: {istio: ingressgateway}}", namespace="edge")
    found = workloads(GATEWAY + own + policy(rule))
    assert found["edge/istio-ingressgateway"].account == "gw"


def test_a_workload_that_a_gateway_selects_is_one() -> None:
    gateway = WORKLOAD.replace("app: api, version: v1", "istio: ingressgateway").replace(
        "{app: api}", "{istio: ingressgateway}"
    )
    found = workloads(gateway + GATEWAY)
    assert {name: one.role for name, one in found.items()} == {"shop/api": Role.GATEWAY}


def test_gateways_of_the_gateway_api_have_pods_of_their_own() -> None:
    def gateway(class_name: str) -> str:
        return (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\n"
            f"spec: {{gatewayClassName: {class_name}, listeners: []}}\n---\n"
        )

    made = workloads(gateway("istio"))["shop/g-istio"]
    assert (made.role, made.account) == (Role.GATEWAY, "g-istio")
    assert workloads(gateway("istio-waypoint"))["shop/g"].role is Role.WAYPOINT
    target = policy("targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}")
    assert lift(gateway("istio") + target).gateways[0].default_allow == ()
    assert lift(gateway("istio") + policy("selector: {}")).gateways[0].default_allow == ()
    elsewhere = policy("targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}", namespace="other")
    assert lift(gateway("istio") + elsewhere).gateways[0].default_allow == (Layer.HTTP, Layer.TCP)
    assert lift(gateway("istio-waypoint")).nodes == ()


FILTER = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: shop}
spec:
  workloadSelector: {labels: {app: api}}
  configPatches: [{applyTo: HTTP_FILTER, match: {context: %s}, patch: {operation: REMOVE}}]
---
"""


@pytest.mark.parametrize(
    ("context", "is_unknown"),
    [("SIDECAR_INBOUND", True), ("ANY", True), ("SIDECAR_OUTBOUND", False), ("GATEWAY", False)],
)
def test_filters_make_unknown_what_they_may_change(context: str, is_unknown: bool) -> None:
    found = read(WORKLOAD + FILTER % context)
    assert [one.code for one in found.diagnostics] == ["MP713"]
    assert found.mesh is not None
    assert bool([rule for rule in found.mesh.rules if rule.destinations]) is is_unknown
    if is_unknown:
        with pytest.raises(NotModelled):
            judged(found.mesh)
    else:
        assert allows(found.mesh)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("namespace: shop}\nspec:\n  template", "namespace: n}\nspec:\n  template"), "metadata.namespace"),
        (("version: v1", "version: 1"), "spec.template.metadata.labels.version"),
        (("port: 9000", "port: '9000'"), "spec.ports[2].port"),
        (("targetPort: web", "targetPort: [1]"), "spec.ports[0].targetPort"),
    ],
)
def test_what_kubernetes_refuses_is_told(change: tuple[str, str], path: str) -> None:
    (one,) = read(WORKLOAD.replace(*change)).diagnostics
    assert one.code == "MP712"
    assert f"`{path}`" in one.message
