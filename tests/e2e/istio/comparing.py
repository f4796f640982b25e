"""The decision of istiod's configuration beside ours, request by request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from tests.e2e.istio.arrivals import Arrival, Listening
from tests.e2e.istio.clusters import ROOT, Cluster, Pod
from tests.e2e.istio.filters import OtherWayError, lets_in
from tests.e2e.istio.istiod import Listener, Pushed

from meshproof.compiler.driver.policy import Reading, policy_of_manifests
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide

DAY = date(2026, 11, 23)
INBOUND = "virtualInbound"
DECISIONS = ("allow", "deny")


@dataclass(slots=True)
class Comparison:
    """What was compared, and every difference as text."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def compare(
        self, cluster: Cluster, pushed: Pushed, requests: Iterable[tuple[Pod, Request]], **options: str
    ) -> None:
        """All requests to the pods of a cluster, whose objects istiod takes."""
        assert not pushed.refusals
        mesh = mesh_of(cluster, **options)
        listeners = {pod.node: found for pod, found in zip(cluster.pods, pushed.listeners, strict=True)}
        for pod, request in requests:
            ours, theirs = answer(mesh, request), their_answer(pod, listeners[pod.node], request)
            self.note(ours, theirs, f"{request}\n{_policies(cluster, pod)}")

    def note(self, ours: str, theirs: str, about: str) -> None:
        """One request. Where nobody can tell, nobody is wrong; where we say that it cannot be, it must be refused. What
        arrives as something else than it is (TLS that nobody ends goes on as a connection) does not arrive.
        """
        self.counts[f"istio {theirs}, ours {ours}"] += 1
        is_impossible = ours == "impossible" and theirs == "allow"
        is_lost = theirs == "other way" and ours == "deny"
        if is_impossible or (ours in DECISIONS and ours != theirs and not is_lost):
            self.wrong.append(f"istio {theirs}, ours {ours}: {about}")

    def fault(self, *, at_least: int, rarely: float = 0.1) -> str | None:
        """What differs, or that too little was said; None if all is well. `rarely` is the smaller share."""
        if self.wrong:
            return f"{len(self.wrong)} differ: " + "\n\n".join(self.wrong[:3])
        same = [self.counts[f"istio {one}, ours {one}"] for one in DECISIONS]
        is_enough = sum(same) >= at_least and min(same) >= rarely * sum(same)
        return None if is_enough else f"too little was said: {self.counts}"


def _policies(cluster: Cluster, pod: Pod) -> str:
    near = {pod.namespace, ROOT}
    return "\n".join(json.dumps(one) for one in cluster.istio if one["metadata"]["namespace"] in near)


def mesh_of(cluster: Cluster, **options: str) -> Mesh:
    """The lifted mesh."""
    settings = tuple((f"istio.{name.replace('_', '-')}", value) for name, value in options.items())
    policy = policy_of_manifests({"cluster.yaml": cluster.manifests()}, Reading(settings=settings))
    assert policy.meshes, policy.diagnostics
    return policy.meshes[0]


def answer(mesh: Mesh, request: Request) -> str:
    """Our decision, or why there is none."""
    try:
        return "allow" if decide(mesh, request, DAY).is_allowed else "deny"
    except MalformedRequest:
        return "impossible"
    except (MissingAnswer, NotModelled):
        return "open"


def their_answer(pod: Pod, listeners: Iterable[Listener], request: Request) -> str:
    """The decision of what istiod pushes to the proxy of the pod."""
    found = [one for one in listeners if one["name"] == INBOUND or _port(one) == request.port]
    if not found:
        return "no listener"
    local = Listening(found[0]["name"], request.port, pod.address)
    try:
        return "allow" if lets_in(found[0], Arrival(request, local)) else "deny"
    except OtherWayError:
        return "other way"


def _port(listener: Listener) -> int:
    return int(listener["address"]["socketAddress"]["portValue"])
