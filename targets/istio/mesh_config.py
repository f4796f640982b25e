"""What only the mesh configuration can say, as a ConfigMap to merge into that of the running mesh.

It is not among the manifests: applied as it is, it would replace what else is configured there.
"""

from __future__ import annotations

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import Authorizer
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.durations import duration
from meshproof.targets.istio.workloads import is_emitted

Fields = dict[str, Value]

STATED_IN_FILES = frozenset(
    (
        "istio.trust-domain",
        "istio.aliases",
        "istio.root-namespace",
        "istio.path-normalization",
        "istio.trusted-proxies",
    )
)
"""The options that are in the mesh configuration as it is emitted."""


def mesh_config(context: Context) -> Fields:
    """The settings, as `meshConfig` of Istio's own reference."""
    mesh, options = context.mesh, context.options
    found: Fields = {"rootNamespace": options.root_namespace, "trustDomain": mesh.trust_domain}
    if mesh.aliases:
        found["trustDomainAliases"] = list(mesh.aliases)
    found["pathNormalization"] = {"normalization": str(options.path_normalization)}
    asked = [rule for rule in mesh.rules if rule.effect is Effect.ASK and is_emitted(rule, context.day)]
    providers = [one for one in mesh.authorizers if any(rule.authorizer == one.name for rule in asked)]
    if providers:
        found["extensionProviders"] = [_provider(one) for one in providers]
    if (proxies := _trusted_proxies(context)) is not None:
        found["defaultConfig"] = {"gatewayTopology": {"numTrustedProxies": proxies}}
    for domain in mesh.trusts:
        message = f"callers of `{domain}` are refused until its authority is in the mesh's `caCertificates`"
        context.findings.residual(mesh.name, mesh.origin, message)
    return found


def _provider(authorizer: Authorizer) -> Value:
    host, _, port = authorizer.address.rpartition(":")
    settings: Fields = {"service": host, "port": int(port)}
    if authorizer.timeout_ms is not None:
        settings["timeout"] = duration(authorizer.timeout_ms)
    settings["failOpen"] = False
    kind = "envoyExtAuthzHttp" if authorizer.protocol == "http" else "envoyExtAuthzGrpc"
    return {"name": str(authorizer.name), kind: settings}


def _trusted_proxies(context: Context) -> int | None:
    """One number for all gateways; MP709 where the option contradicts a gateway, MP708 where gateways differ."""
    given = context.options.trusted_proxies
    for gateway in context.mesh.gateways:
        if given is not None and gateway.trusted_proxies != given:
            message = f"`istio.trusted-proxies={given}` contradicts `{gateway.name}`: it says {gateway.trusted_proxies}"
            context.findings.add(
                "MP709", Severity.ERROR, message, str(gateway.name), gateway.origin, "change one of the two"
            )
    numbers = {gateway.trusted_proxies for gateway in context.mesh.gateways}
    if len(numbers) > 1:
        message = "the mesh configuration has one number of trusted proxies: set it by annotation at each gateway"
        context.findings.residual(context.mesh.name, context.mesh.origin, message)
        return None
    number = numbers.pop() if numbers else 0
    return number or None
