from __future__ import annotations

import json

import pytest

from meshproof.compiler.backend.target import Pods
from meshproof.compiler.driver.pods import MeshOfPods, named_pods
from meshproof.compiler.driver.policy import Policy, policy_of_manifests, policy_of_texts
from meshproof.compiler.ir.mesh import Mesh

MANIFEST = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec: {selector: {matchLabels: {app: api}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web, version: v1}}}}
"""


def _request(**destination: object) -> str:
    return json.dumps({"source": {}, "destination": destination, "port": 80})


def _meshes(policy: Policy) -> MeshOfPods:
    return MeshOfPods(policy, policy.meshes[0], lambda mesh: mesh)


def _names(mesh: Mesh) -> list[str]:
    return [str(node.name) for node in mesh.nodes]


def test_pods_that_no_file_makes_are_workloads_for_the_request() -> None:
    meshes = _meshes(policy_of_manifests({"a.yaml": MANIFEST}))
    request = _request(namespace="shop", labels={"app": "api", "version": "v2"})
    mesh = meshes.mesh_for(request)
    assert _names(mesh) == ["shop/api", "shop/api-v2", "shop/web"]
    closed = {node.name for node in mesh.services if not node.default_allow}
    assert closed == {"shop/api", "shop/api-v2"}
    assert meshes.mesh_for(request) is mesh


@pytest.mark.parametrize(
    ("namespace", "labels", "expected"),
    [
        ("shop", {"app": "api"}, ["shop/api", "shop/web"]),
        ("shop", {"app": "web", "version": "v1"}, ["shop/api", "shop/web"]),
        ("shop", {"app": "web"}, ["shop/api", "shop/web"]),
        ("shop", {"app": "web", "version": "v2"}, ["shop/api", "shop/web", "shop/web-v2"]),
        ("other", {}, ["other/unlabelled", "shop/api", "shop/web"]),
        ("other", {"a.b/c": "d"}, ["other/d", "shop/api", "shop/web"]),
    ],
)
def test_pods_that_are_there_are_not_made_again(namespace: str, labels: dict[str, str], expected: list[str]) -> None:
    meshes = _meshes(policy_of_manifests({"a.yaml": MANIFEST}))
    assert _names(meshes.mesh_for(_request(namespace=namespace, labels=labels))) == expected


def test_what_is_prepared_is_prepared_again() -> None:
    policy = policy_of_manifests({"a.yaml": MANIFEST})
    asked: list[Mesh] = []

    def prepared(mesh: Mesh) -> Mesh:
        asked.append(mesh)
        return policy.meshes[0]

    meshes = MeshOfPods(policy, policy.meshes[0], prepared)
    assert meshes.mesh_for(_request(namespace="x", labels={"a": "b"})) is policy.meshes[0]
    assert [_names(mesh) for mesh in asked] == [["shop/api", "shop/web", "x/b"]]


def test_a_policy_of_the_language_has_its_services() -> None:
    text = 'mesh m { language 1 trust-domain "td" namespace n egress closed }\nservice a { port http 80 }\n'
    policy = policy_of_texts({"a.mesh": text})
    assert policy.meshes, policy.diagnostics
    assert _meshes(policy).mesh_for(_request(namespace="n", labels={"x": "y"})) is policy.meshes[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "[" * 100_000,
        "a -> b",
        _request(service="a"),
        _request(namespace="a", labels={"b": 1}),
        _request(namespace=1, labels={}),
        _request(service="s", namespace="n", labels={}),
        json.dumps({"destination": "x"}),
    ],
)
def test_other_texts_name_no_pods(text: str) -> None:
    assert named_pods(text) is None


def test_labels_are_in_order() -> None:
    found = named_pods(_request(namespace="n", labels={"b": "2", "a": "1"}))
    assert found == Pods("n", (("a", "1"), ("b", "2")))
