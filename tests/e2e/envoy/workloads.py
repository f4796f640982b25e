"""What a cluster knows of a workload, and which of the emitted objects are about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import yaml
from tests.e2e.envoy.rbac import Bundle, Doc

from meshproof.compiler.backend.artifact import Artifact

IS_DRY_RUN = {"istio.io/dry-run": "true"}


@dataclass(frozen=True, slots=True)
class Pod:
    """A workload as Kubernetes has it. `http_ports` and `tcp_ports` are the container's, by the Service's protocols."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    http_ports: tuple[int, ...] = ()
    tcp_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The objects of a mesh, and its configuration."""

    docs: tuple[Doc, ...]
    config: Doc

    @property
    def bundle(self) -> Bundle:
        """The trust domain and its aliases."""
        return Bundle((self.config["trustDomain"], *self.config.get("trustDomainAliases", ())))

    @property
    def mode(self) -> str:
        """How paths are normalized."""
        return str(self.config.get("pathNormalization", {}).get("normalization", "BASE"))

    def objects(self, kind: str) -> list[Doc]:
        """Every object of a kind."""
        return [doc for doc in self.docs if doc["kind"] == kind]

    def selecting(self, kind: str, pod: Pod) -> list[Doc]:
        """The objects of a kind, in the pod's namespace or the root one, whose selector takes the pod."""
        near = {pod.namespace, self.config["rootNamespace"]}
        return [
            doc
            for doc in self.objects(kind)
            if doc["metadata"]["namespace"] in near
            and doc["spec"].get("selector", {}).get("matchLabels", {}).items() <= dict(pod.labels).items()
        ]

    def policies(self, pod: Pod, action: str) -> list[Doc]:
        """The specs of the AuthorizationPolicies of an action that decide about the pod."""
        return [
            doc["spec"]
            for doc in self.selecting("AuthorizationPolicy", pod)
            if doc["spec"].get("action", "ALLOW") == action
            and doc["metadata"].get("annotations", {}).get("istio.io/dry-run") != "true"
        ]

    def mtls_mode(self, pod: Pod, port: int) -> str:
        """The mode of the closest PeerAuthentication. A selector in the root namespace is ignored."""
        found, root = "PERMISSIVE", self.config["rootNamespace"]
        docs = self.selecting("PeerAuthentication", pod)
        wide = [doc for doc in docs if not doc["spec"].get("selector")]
        meshwide = [doc for doc in wide if doc["metadata"]["namespace"] == root]
        own = [doc for doc in wide if doc["metadata"]["namespace"] == pod.namespace != root]
        close = [doc for doc in docs if doc["spec"].get("selector") and doc["metadata"]["namespace"] != root]
        for level in (meshwide, own, close):
            for doc in level[:1]:
                found = _set(doc["spec"].get("mtls", {}).get("mode"), found)
        for doc in close[:1]:
            found = _set(doc["spec"].get("portLevelMtls", {}).get(str(port), {}).get("mode"), found)
        return found


def _set(mode: str | None, otherwise: str) -> str:
    return otherwise if mode in {None, "UNSET"} else str(mode)


def read_cluster(artifacts: Iterable[Artifact]) -> Cluster:
    """The emitted files, as applied."""
    docs: list[Doc] = []
    config: Doc = {}
    for one in artifacts:
        if one.path.startswith("manifests/"):
            docs += [doc for doc in yaml.safe_load_all(one.content) if doc is not None]
        elif one.path == "meshconfig.yaml":
            config = yaml.safe_load(yaml.safe_load(one.content)["data"]["mesh"])
    return Cluster(tuple(docs), config)
