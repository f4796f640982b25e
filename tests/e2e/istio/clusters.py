"""Clusters of workloads with policies: as istiod takes them, and as files for the lift."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Doc = dict[str, Any]

ROOT = "istio-system"


@dataclass(frozen=True, slots=True)
class Pod:
    """A workload of one pod. `kind` is what its proxy is: a sidecar or a router."""

    namespace: str
    name: str
    address: str
    labels: dict[str, str]
    account: str = "default"
    kind: str = "sidecar"

    @property
    def node(self) -> str:
        """Its name in the lifted mesh."""
        return f"{self.namespace}/{self.name}"

    def manifest(self) -> Doc:
        """The pod, running."""
        metadata: Doc = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        if self.kind == "router":
            metadata["annotations"] = {"inject.istio.io/templates": "gateway"}
        container = {"name": "main", "image": "i", "args": ["router"] if self.kind == "router" else []}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"serviceAccountName": self.account, "containers": [container], "nodeName": "node"},
            "status": {
                "phase": "Running",
                "podIP": self.address,
                "podIPs": [{"ip": self.address}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }

    def proxy(self) -> Doc:
        """The proxy, as the program asks for it."""
        return {
            "type": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "ip": self.address,
            "labels": self.labels,
            "account": self.account,
        }


@dataclass(slots=True)
class Cluster:
    """Everything in a cluster. `settings` is the mesh configuration."""

    settings: Doc = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)
    kubernetes: list[Doc] = field(default_factory=list)
    istio: list[Doc] = field(default_factory=list)

    def add(self, kind: str, version: str, namespace: str, name: str, spec: Doc, **annotations: str) -> None:
        """An object of Istio's or of Kubernetes."""
        metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
        found = {
            "apiVersion": version,
            "kind": kind,
            "metadata": metadata | ({"annotations": annotations} if annotations else {}),
            "spec": spec,
        }
        (self.istio if ".istio.io/" in version else self.kubernetes).append(found)

    def service(self, namespace: str, name: str, selector: dict[str, str], ports: list[Doc]) -> None:
        """A Service."""
        spec = {
            "selector": selector,
            "ports": ports,
            "clusterIP": f"10.96.{len(self.kubernetes) // 250}.{len(self.kubernetes) % 250 + 1}",
        }
        self.add("Service", "v1", namespace, name, spec)

    def case(self) -> Doc:
        """The cluster as the program takes it."""
        kubernetes = [*self.kubernetes, *(pod.manifest() for pod in self.pods)]
        return {
            "istio": "\n---\n".join(map(json.dumps, self.istio)),
            "kubernetes": "\n---\n".join(map(json.dumps, kubernetes)),
            "mesh": json.dumps(self.settings),
            "proxies": [pod.proxy() for pod in self.pods],
        }

    def manifests(self) -> str:
        """The cluster as one file, the mesh configuration in its ConfigMap."""
        settings: Doc = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "istio", "namespace": ROOT},
            "data": {"mesh": json.dumps(self.settings)},
        }
        return "\n---\n".join(
            map(json.dumps, [settings, *self.kubernetes, *(p.manifest() for p in self.pods), *self.istio])
        )
