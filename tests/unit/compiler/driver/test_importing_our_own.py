"""What we emit, read back by `import` with the workloads that it is for, is taken whole, and compiles to the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from meshproof.compiler.backend.registry import load
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.driver.importing import import_policy
from meshproof.compiler.driver.policy import Policy, Reading, policy_of_manifests, policy_of_texts, read_policy
from meshproof.compiler.driver.reading_back import emitted
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model_import import Imported
from meshproof.compiler.verify.correspondence import by_place
from meshproof.compiler.verify.semantic_diff import DiffOptions, semantic_diff

DAY = date(2026, 11, 23)
TIMEOUT = 10_000
BOUTIQUE = Path(__file__).parents[4] / "policies" / "examples" / "boutique"

_ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {account}, namespace: {namespace}}}
---"""
_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{{labels}}}}}
    spec: {{serviceAccountName: {account}, containers: [{{name: main, image: "registry.example/main:1"}}]}}
---"""
_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{{labels}}}, ports: [{ports}]}}
---"""


def _kubernetes(mesh: Mesh) -> str:
    """What runs in Kubernetes where the policy holds: its services with their versions, and its gateways."""
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return "".join(text for node in nodes for text in _objects(node))


def _objects(node: Service | Gateway) -> Iterator[str]:
    name = node.platform_name if isinstance(node, Service) else str(node.name)
    labels = [f"{key}: {value}" for key, value in node.labels]
    place = {"namespace": node.namespace, "account": node.account}
    yield _ACCOUNT.format(**place)
    versions = node.versions if isinstance(node, Service) else ()
    for version in versions or (None,):
        more = [] if version is None else [f"version: {version}"]
        deployment = name if version is None else f"{name}-{version}"
        yield _DEPLOYMENT.format(name=deployment, labels=", ".join((*labels, *more)), **place)
    ports = (
        f"{{name: {port.name}, port: {port.number}, targetPort: {port.workload}, appProtocol: {port.protocol.value}}}"
        for port in node.ports
    )
    if node.ports:
        yield _SERVICE.format(name=name, labels=", ".join(labels), ports=", ".join(ports), **place)


def _files(policy: Policy, kubernetes: str) -> dict[str, str]:
    """What a policy compiles to, beside the workloads."""
    (mesh,) = policy.meshes
    target, options = load("istio"), CompileOptions(DAY)
    judged = emitted(target, target.lower(mesh, options), mesh, options, TIMEOUT)
    assert judged.diagnostics == ()
    texts = {one.path: one.content.decode() for one in judged.artifacts if one.path.endswith(".yaml")}
    return {**texts, "kubernetes.yaml": kubernetes}


@lru_cache(maxsize=1)
def _imported() -> tuple[Policy, Imported, str]:
    policy = read_policy([BOUTIQUE], Reading(environment="prod"))
    kubernetes = _kubernetes(policy.meshes[0])
    files = policy_of_manifests(_files(policy, kubernetes))
    return files, import_policy(files, DAY, TIMEOUT), kubernetes


def test_it_is_taken_whole_and_proved_equal() -> None:
    _, found, _ = _imported()
    assert found.untaken == ()
    assert found.difference is not None
    assert found.difference.regions == ()
    assert found.difference.undecided == ()
    assert found.exit_code is ExitCode.CLEAN


def test_it_reads_as_it_was_written() -> None:
    _, found, _ = _imported()
    assert found.text is not None
    assert "allow meshproof-ingress-allow: internet -> ingress" in found.text
    assert 'host "shop.example.com" => frontend:http { timeout 30s }' in found.text
    assert r'path matches re"/product/[^/\[\]]+"' in found.text
    assert "service productcatalogservice  { port grpc 3550  versions v1, v2 }" in found.text


def test_it_compiles_to_what_it_was_read_from() -> None:
    files, found, kubernetes = _imported()
    assert found.text is not None
    policy = policy_of_texts({"imported.mesh": found.text})
    assert policy.is_judgeable, policy.diagnostics
    (old,), (new,) = files.meshes, policy_of_manifests(_files(policy, kubernetes)).meshes
    assert semantic_diff(old, new, DAY, DiffOptions(correspondence=by_place(old, new))).regions == ()


def test_without_the_workloads_it_says_what_no_file_shows() -> None:
    policy = read_policy([BOUTIQUE], Reading(environment="prod"))
    found = import_policy(policy_of_manifests(_files(policy, "")), DAY, TIMEOUT)
    assert found.exit_code is not ExitCode.CLEAN
    assert any("no file shows the Service that leads there" in one.reason for one in found.untaken)
