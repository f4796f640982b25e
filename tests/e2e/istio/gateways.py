"""Clusters with gateways: of Istio's own kind, and of the Gateway API."""

from __future__ import annotations

from random import Random

from tests.e2e.istio.clusters import ROOT, Cluster, Doc, Pod
from tests.e2e.istio.policies import random_policies
from tests.e2e.istio.scenes import SECURITY, add_tokens, shared

HTTP, MUTUAL = 8080, 8443
NETWORKING = "networking.istio.io/v1"
GATEWAY_API = "gateway.networking.k8s.io/v1"
LABELS = {"istio": "front", "app": "front-gateway"}


def classic(draw: Random, number: int) -> Cluster:
    """A gateway that takes plain HTTP, and requests of the mesh whose callers it knows."""
    cluster = shared(defaultConfig={"gatewayTopology": {"numTrustedProxies": draw.choice((0, 0, 1, 2))}})
    pod = Pod("edge", "front", f"10.8.0.{number % 250 + 1}", LABELS, kind="router")
    cluster.pods.append(pod)
    ports = [{"name": "http", "port": 80, "targetPort": HTTP}, {"name": "https", "port": 443, "targetPort": MUTUAL}]
    cluster.service("edge", "front", LABELS, ports)
    servers = [
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
        {
            "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
            "hosts": ["*"],
            "tls": {"mode": "ISTIO_MUTUAL"},
        },
    ]
    cluster.add("Gateway", NETWORKING, "shop", "front", {"selector": {"istio": "front"}, "servers": servers})
    cluster.service("shop", "api", {"app": "api"}, [{"name": "http", "port": 80}])
    route = {"route": [{"destination": {"host": "api.shop.svc.cluster.local", "port": {"number": 80}}}]}
    cluster.add("VirtualService", NETWORKING, "shop", "all", {"hosts": ["*"], "gateways": ["front"], "http": [route]})
    _add_policies(draw, cluster, pod, ({}, {"selector": {"matchLabels": {"istio": "front"}}}))
    return cluster


def kubernetes(draw: Random, number: int) -> Cluster:
    """A gateway of the Gateway API, with the pod that Istio makes for it."""
    cluster = shared()
    name = "gateway.networking.k8s.io/gateway-name"
    labels = {name: "front", "gateway.istio.io/managed": "istio.io-gateway-controller"}
    pod = Pod("edge", "front-istio", f"10.8.1.{number % 250 + 1}", labels, "front-istio", kind="router")
    cluster.pods.append(pod)
    cluster.service("edge", "front-istio", {name: "front"}, [{"name": "http", "port": 80, "targetPort": 80}])
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}]
    cluster.add("Gateway", GATEWAY_API, "edge", "front", {"gatewayClassName": "istio", "listeners": listeners})
    cluster.service("edge", "api", {"app": "api"}, [{"name": "http", "port": 80}])
    rules = [{"backendRefs": [{"name": "api", "port": 80}]}]
    cluster.add("HTTPRoute", GATEWAY_API, "edge", "all", {"parentRefs": [{"name": "front"}], "rules": rules})
    reference = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}
    attached: tuple[Doc, ...] = (
        {},
        {"selector": {"matchLabels": {name: "front"}}},
        {"targetRefs": [reference]},
        {"targetRef": reference},
        {"targetRefs": [reference | {"name": "other"}]},
    )
    _add_policies(draw, cluster, pod, attached)
    return cluster


def _add_policies(draw: Random, cluster: Cluster, pod: Pod, attached: tuple[Doc, ...]) -> None:
    for index, spec in enumerate(random_policies(draw)):
        namespace = draw.choice((pod.namespace, pod.namespace, ROOT))
        cluster.add("AuthorizationPolicy", SECURITY, namespace, f"p{index}", spec | draw.choice(attached))
    add_tokens(draw, cluster, pod)
    if draw.random() < 0.3:
        cluster.add("PeerAuthentication", SECURITY, ROOT, "all", {"mtls": {"mode": "STRICT"}})
