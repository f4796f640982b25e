"""DestinationRules that take away what protects a connection."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import CLIENT_TLS
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import flag, items, mapping, mappings, text

_ONE_SIDED = frozenset(("SIMPLE", "MUTUAL"))


def notice_client_tls(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each setting of TLS with which a connection is less safe than without the rule."""
    for rule in context.objects.of(Kind.DESTINATION_RULE):
        if rule in refused:
            continue
        has_selector = rule.spec.entry("workloadSelector") is not None
        inside = _is_inside(context, rule)
        for tls in _settings(rule.spec):
            for what, advice in _weak(tls, is_inside=inside, has_selector=has_selector):
                message = f"DestinationRule `{rule.full_name}` {what}"
                context.findings.add(CLIENT_TLS, message, rule.full_name, tls.span, advice=advice)


def _settings(spec: MapNode) -> Iterator[MapNode]:
    """Every `tls` of the rule: of the destination, of its ports, and of its subsets."""
    policies = [mapping(spec.get("trafficPolicy"))]
    policies += [mapping(one.get("trafficPolicy")) for one in mappings(spec.get("subsets"))]
    for policy in policies:
        for one in (policy, *mappings(policy.get("portLevelSettings"))):
            tls = one.get("tls")
            if isinstance(tls, MapNode):
                yield tls


def _is_inside(context: LiftContext, rule: KubeObject) -> bool:
    """Whether the host is a Service of the files whose pods, as far as is known, take mTLS."""
    host = text(rule.spec.get("host")) or ""
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0] or rule.namespace
    return bool(context.behind(namespace, name))


def _weak(tls: MapNode, *, is_inside: bool, has_selector: bool) -> Iterator[tuple[str, str]]:
    mode = text(tls.get("mode")) or "DISABLE"
    if mode == "DISABLE" and is_inside:
        yield (
            "sends plaintext to a workload of the mesh, which then does not know who calls",
            ("take `tls` out, or write `mode: ISTIO_MUTUAL`"),
        )
    if mode not in _ONE_SIDED:
        return
    if flag(tls.get("insecureSkipVerify")):
        yield "looks at no certificate of the server", "take `insecureSkipVerify` out, and name `caCertificates`"
    elif tls.entry("sni") is not None and not items(tls.get("subjectAltNames")):
        yield (
            "does not look whose certificate it gets, because it sets `sni` without `subjectAltNames`",
            ("say in `subjectAltNames` whose it must be"),
        )
    if tls.entry("credentialName") is not None and not has_selector:
        yield (
            "gives sidecars no TLS at all, because `credentialName` counts with a `workloadSelector` alone",
            ("add the selector of the workloads that have the secret"),
        )
