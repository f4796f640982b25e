"""Clusters for random policies: one workload a namespace, and what all of them share."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.e2e.istio.clusters import ROOT, Cluster, Doc, Pod
from tests.e2e.istio.policies import ACTIONS, random_policies

SECURITY = "security.istio.io/v1"
HTTP, SNIFFED, TCP, UNNAMED = 8080, 9090, 5432, 7777
JWKS = '{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtZm9yLWhzMjU2"}]}'
_PORTS: list[Doc] = [
    {"name": "http", "port": 80, "targetPort": HTTP},
    {"name": "any", "port": 90, "targetPort": SNIFFED},
    {"name": "tcp-db", "port": TCP, "targetPort": TCP},
]


def settings(**fields: Any) -> Doc:  # noqa: ANN401  mesh configuration
    """The mesh configuration: a bundle of two trust domains, and two authorizers."""
    return {
        "trustDomain": "td1",
        "trustDomainAliases": ["old-td"],
        "extensionProviders": [
            {"name": "web", "envoyExtAuthzHttp": {"service": "web.authz.svc.cluster.local", "port": 8000}},
            {"name": "rpc", "envoyExtAuthzGrpc": {"service": "rpc.authz.svc.cluster.local", "port": 9000}},
        ],
        **fields,
    }


def shared(**fields: Any) -> Cluster:  # noqa: ANN401  mesh configuration
    """A cluster without workloads."""
    found = Cluster(settings(**fields))
    found.service("authz", "web", {"app": "web"}, [{"name": "http", "port": 8000}])
    found.service("authz", "rpc", {"app": "rpc"}, [{"name": "grpc", "port": 9000}])
    return found


def add_workload(cluster: Cluster, number: int) -> Pod:
    """A workload with a port for HTTP, one for TCP and one of which nobody says what is spoken."""
    namespace = f"w{number}"
    pod = Pod(
        namespace,
        "api",
        f"10.9.{number // 250}.{number % 250 + 1}",
        {"app": "api", "security.istio.io/tlsMode": "istio"},
    )
    cluster.pods.append(pod)
    cluster.service(namespace, "api", {"app": "api"}, _PORTS)
    return pod


def random_cluster(draw: Random, size: int, actions: tuple[str, ...] = ACTIONS) -> Cluster:
    """A cluster of workloads with policies of their own, and sometimes with some that are for all."""
    cluster = shared(**_normalization(draw))
    for number in range(size):
        pod = add_workload(cluster, number)
        for index, spec in enumerate(random_policies(draw, actions)):
            cluster.add(
                "AuthorizationPolicy",
                SECURITY,
                pod.namespace,
                f"p{index}",
                _selecting(draw, spec),
                **_dry_run(draw, spec),
            )
        add_tokens(draw, cluster, pod)
        if draw.random() < 0.3:
            _add_mtls(draw, cluster, pod)
    if draw.random() < 0.3:
        modes = ("STRICT", "PERMISSIVE")
        cluster.add("PeerAuthentication", SECURITY, ROOT, "all", {"mtls": {"mode": draw.choice(modes)}})
    if draw.random() < 0.3:
        for index, spec in enumerate(random_policies(draw)):
            cluster.add("AuthorizationPolicy", SECURITY, ROOT, f"p{index}", _selecting(draw, spec))
    return cluster


def _normalization(draw: Random) -> Doc:
    modes = ("NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES", "DEFAULT")
    return {"pathNormalization": {"normalization": draw.choice(modes)}} if draw.random() < 0.5 else {}


def _dry_run(draw: Random, spec: Doc) -> dict[str, str]:
    is_possible = spec.get("action", "ALLOW") in {"ALLOW", "DENY"}
    if not is_possible or draw.random() < 0.85:
        return {}
    return {"istio.io/dry-run": draw.choice(("true", "false", "T", "1", "0"))}


def add_tokens(draw: Random, cluster: Cluster, pod: Pod) -> None:
    """RequestAuthentications: none, one, or two that are pooled."""
    rules: list[Doc] = [
        {"issuer": "iss1", "jwks": JWKS},
        {"issuer": "https://iss2", "jwks": JWKS, "audiences": ["https://aud1/"]},
        {"issuer": "iss3", "jwks": JWKS, "spaceDelimitedClaims": ["group"]},
        {"issuer": "https://iss2", "jwks": JWKS, "audiences": ["other", "aud2"]},
    ]
    for number in range(draw.choice((0, 1, 1, 1, 2))):
        chosen = draw.sample(rules, draw.choice((1, 2)))
        cluster.add(
            "RequestAuthentication", SECURITY, pod.namespace, f"t{number}", _selecting(draw, {"jwtRules": chosen})
        )


def _selecting(draw: Random, spec: Doc) -> Doc:
    """The spec for all workloads or for some; one that is for a gateway is for none of ours."""
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}
    parts: tuple[Doc, ...] = (
        {},
        {"selector": {"matchLabels": {"app": "api"}}},
        {"selector": {}},
        {"selector": {"matchLabels": {"app": "other"}}},
        {"targetRefs": [gateway]},
    )
    return spec | draw.choices(parts, (8, 6, 1, 1, 1))[0]


def _add_mtls(draw: Random, cluster: Cluster, pod: Pod) -> None:
    modes = ("STRICT", "PERMISSIVE", "DISABLE", "UNSET")
    cluster.add("PeerAuthentication", SECURITY, pod.namespace, "all", {"mtls": {"mode": draw.choice(modes)}})
    if draw.random() < 0.5:
        ports = {str(port): {"mode": draw.choice(modes)} for port in draw.sample((HTTP, SNIFFED, TCP), 2)}
        spec: Doc = {"selector": {"matchLabels": {"app": "api"}}, "portLevelMtls": ports}
        if draw.random() < 0.5:
            spec["mtls"] = {"mode": draw.choice(modes)}
        cluster.add("PeerAuthentication", SECURITY, pod.namespace, "one", spec)
