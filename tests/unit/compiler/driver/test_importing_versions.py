"""Importing workloads that stand behind one name: one service with versions, or a list of those that are not taken."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.istio_lifting import policy

from meshproof.compiler.backend.registry import load
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.driver.importing import import_policy
from meshproof.compiler.driver.policy import policy_of_manifests, policy_of_texts
from meshproof.compiler.driver.reading_back import EQUAL, emitted
from meshproof.compiler.report.model_import import Imported

DAY = date(2026, 11, 23)
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {selector}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {labels}}}, spec: {{serviceAccountName: {account}}}}}}}
---
"""
SPLIT = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: shop}
spec:
  hosts: [api]
  http:
  - match: [{uri: {prefix: /new}}]
    route: [{destination: {host: api, subset: second}}]
  - route:
    - {destination: {host: api, subset: first}, weight: 90}
    - {destination: {host: api, subset: second}, weight: 10}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api, namespace: shop}
spec:
  host: api
  subsets:
  - {name: first, labels: {version: v1}}
  - {name: second, labels: {version: v2}}
---
"""
API = SERVICE.format(name="api", selector="{app: api}")
CLOSED = policy("{}", "closed")
OPEN_TO_PLAINTEXT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: p, namespace: shop}
spec: {selector: {matchLabels: {version: v2}}, mtls: {mode: DISABLE}}
---
"""


def deployment(name: str, labels: str, account: str = "api") -> str:
    return DEPLOYMENT.format(name=name, labels=f"{{{labels}}}", account=account)


V1 = deployment("api-v1", "app: api, version: v1")
V2 = deployment("api-v2", "app: api, version: v2")


def imported(*texts: str) -> tuple[Imported, str]:
    """What came of it, and the policy in one line; it compiles, and what is emitted means the same."""
    found = import_policy(policy_of_manifests({"mesh.yaml": "".join(texts)}), DAY, 10_000)
    assert found.text is not None, found.diagnostics
    (mesh,) = policy_of_texts({"imported.mesh": found.text}).meshes
    target, options = load("istio"), CompileOptions(DAY)
    judged = emitted(target, target.lower(mesh, options), mesh, options, 10_000)
    assert (judged.known, judged.diagnostics) == (EQUAL, ())
    return found, " ".join(found.text.split())


def reasons(found: Imported) -> dict[str, str]:
    return {one.subject: one.reason for one in found.untaken}


def changed(found: Imported) -> list[str]:
    """The declared ports where the policy is not what was read."""
    assert found.difference is not None
    assert found.difference.is_complete
    places = (place.text for region in found.difference.regions for place in region.places)
    return [place for place in places if not place.endswith(" (other ports)")]


def test_deployments_behind_one_service_are_its_versions() -> None:
    found, written = imported(API, V1, V2, SPLIT, CLOSED)

    assert "versions v1, v2" in written
    assert "service api {" in written
    assert 'when path startswith "/new" => v2' in written
    assert "otherwise => v1 90%, v2 10%" in written
    assert reasons(found) == {}
    assert changed(found) == []


def test_one_deployment_with_a_version_is_a_service_of_that_version() -> None:
    found, written = imported(API, V1, CLOSED)

    assert "service api { port http 80 -> 8080 versions v1 }" in written
    assert found.is_equal


def test_a_name_that_leads_to_all_leads_to_the_service() -> None:
    every = SPLIT.replace(", subset: first", "").partition("    - {destination: {host: api, subset: second}, weight")
    whole = f"{every[0].replace(', weight: 90', '')}---{every[2].partition('---')[2]}"
    found, written = imported(API, V1, V2, whole, CLOSED)

    assert "otherwise => api" in written
    assert changed(found) == []


def test_what_no_version_tells_apart_is_no_target() -> None:
    split = SPLIT.replace("- {name: first, labels: {version: v1}}", "- {name: first, labels: {tier: old}}")
    old = deployment("api-v1", "app: api, tier: old")
    found, written = imported(API, old, V2, split, CLOSED)

    assert " route " not in written
    assert reasons(found) == {"shop/api:8080/http": "no workload is of the version `shop/api-v1`"}


def test_a_part_of_a_version_is_no_target() -> None:
    split = SPLIT.replace("{name: first, labels: {version: v1}}", "{name: first, labels: {tier: two}}")
    part = deployment("api-w1", "app: api, version: v1, tier: two")
    found, written = imported(API, V1, part, V2, split, CLOSED)

    assert "versions v1, v2" in written
    assert reasons(found) == {"shop/api:8080/http": "no workload is of the version `shop/api-w1`"}


def test_a_version_with_an_account_of_its_own_is_named_by_its_identity() -> None:
    other = deployment("api-v2", "app: api, version: v2", account="other")
    callee = SERVICE.format(name="db", selector="{app: db}") + deployment("db", "app: db", account="db")
    rule = policy(
        "selector: {matchLabels: {app: db}}\n"
        "rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/other]}}]}]",
        "read",
    )
    found, written = imported(API, V1, other, callee, CLOSED, rule)

    assert 'allow read: identity "spiffe://cluster.local/ns/shop/sa/other" -> db' in written
    assert reasons(found) == {
        "shop/api-v2": "a version of `api` with another account: its identity names it as a caller"
    }
    assert changed(found) == []


@pytest.mark.parametrize(
    "told",
    [
        policy("selector: {matchLabels: {app: api, version: v2}}\nrules: [{}]", "open"),
        OPEN_TO_PLAINTEXT,
    ],
)
def test_workloads_of_which_files_say_different_things_are_not_one(told: str) -> None:
    """Else one version would have the rules of another."""
    found, written = imported(API, V1, V2, CLOSED, told)

    assert "versions v1" in written
    assert "v2" not in written
    assert "more than a version" in reasons(found)["shop/api-v2"]


@pytest.mark.parametrize("name", ["api-v2", "a-second-name"])
def test_calls_by_the_name_of_a_version_are_listed(name: str) -> None:
    other = SERVICE.format(name=name, selector="{app: api, version: v2}")
    moved = SPLIT.partition("---")[0].replace("name: api,", "name: moved,").replace("hosts: [api]", f"hosts: [{name}]")
    found, written = imported(API, other, V1, V2, SPLIT, moved.replace("/new", "/other"), "---\n", CLOSED)

    assert 'route api:http { when path startswith "/new" => v2 otherwise => v1 90%, v2 10% }' in written
    assert set(reasons(found)) == {"shop/api:8080/http"}
    assert "a service has one name" in reasons(found)["shop/api:8080/http"]
    assert changed(found) == []


def test_pods_with_all_labels_of_others_are_taken_with_them() -> None:
    """A rule about the one is a rule about the other, in Istio as in the policy that would be compiled."""
    found, written = imported(API, deployment("a", "app: api, tier: two"), deployment("b", "app: api"), CLOSED)

    assert "service api { port http 80 -> 8080 }" in written
    assert written.count(" service ") == 1
    assert found.is_equal


EDGE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: ghost, port: {number: 80}}}]}]}
---
"""


def test_a_name_of_a_declared_service_is_nothing_outside() -> None:
    ghost = policy("selector: {matchLabels: {app: ghost}}\nrules: [{}]", "ghost")
    found, written = imported(EDGE, ghost)

    assert "service ghost { account default }" in written
    assert " external " not in written
    assert "no file shows the Service" in reasons(found)["ghost.shop.svc.cluster.local"]


def test_a_name_inside_of_which_no_file_knows_more_is_short() -> None:
    found, written = imported(EDGE)

    assert 'external ghost { hosts "ghost.shop.svc.cluster.local" port port-80 http 80 }' in written
    assert "route edge:http { otherwise => ghost:port-80 }" in written
    assert found.difference is not None
    assert found.difference.rerouted == ()


def test_gateways_that_no_label_tells_apart_are_one() -> None:
    """A `Gateway` is for pods of every namespace, so what it says it says of both."""
    labels = "{istio: edge}, annotations: {inject.istio.io/templates: gateway}"
    here = DEPLOYMENT.format(name="edge", labels=labels, account="edge")
    found, written = imported(here, here.replace("namespace: shop", "namespace: other"), EDGE)

    assert written.count(" gateway ") == 1
    assert "know no namespaces" in " ".join(reasons(found).values())


def test_the_policy_says_that_something_was_not_taken() -> None:
    _, whole = imported(API, V1, CLOSED)
    found, part = imported(EDGE)

    assert "not all of it" not in whole
    assert f"lists {len(found.untaken)} more with places and reasons" in part
    assert 'because "imported from the default of Istio: no file says otherwise"' in part


def test_a_prefix_that_every_path_has_is_no_condition() -> None:
    every = SPLIT.replace("prefix: /new", "prefix: /")
    found, written = imported(API, V1, V2, every, CLOSED)

    assert "route api:http { /** => v2 otherwise => v1 90%, v2 10% }" in written
    assert changed(found) == []
