"""The mesh-wide settings: from the ConfigMap `istio` if it is among the files, else Istio's defaults; options win."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.patterns.istio_paths import IstioMode
from meshproof.targets.common import yaml
from meshproof.targets.common.tree import Leaf, MapNode, TreeError
from meshproof.targets.istio.lift import options
from meshproof.targets.istio.lift.durations import milliseconds
from meshproof.targets.istio.lift.findings import BAD_FIELD, LiftFindings
from meshproof.targets.istio.lift.installations import installed_config, report_contested
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.values import EMPTY, flag, mapping, mappings, number, origin_of, text, texts

CONFIG_MAP = "istio"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LAST_PORT = 65535
_HEADER_LISTS = (
    "includeRequestHeadersInCheck",
    "includeHeadersInCheck",
    "headersToUpstreamOnAllow",
    "headersToDownstreamOnAllow",
    "headersToDownstreamOnDeny",
)
DEFAULT_ROOT = "istio-system"
DEFAULT_DOMAIN = "cluster.local"


@dataclass(frozen=True, slots=True)
class Provider:
    """An extension provider that external authorization can use. `timeout_ms` None is Istio's default, ten minutes.

    `fault` is why istiod does not take it: what a policy would have asked it is then refused.
    """

    name: str
    protocol: str
    address: str
    timeout_ms: int | None
    fails_open: bool
    origin: Origin
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """What holds for the whole mesh. `trusts` are foreign trust domains whose authorities are configured.

    `config` is the mesh configuration as it was read, empty without one. `has_joined_headers`: repeated headers are
    compared as one string (before Istio 1.27.8, 1.28.5, 1.29.1). `has_many_providers`: a workload may ask several.
    `is_contested`: several installations say different things, and nobody can tell which is in force.
    """

    trust_domain: str
    aliases: tuple[str, ...]
    trusts: tuple[str, ...]
    root_namespace: str
    path_mode: IstioMode
    trusted_proxies: int
    has_joined_headers: bool
    has_many_providers: bool
    cluster_domain: str
    providers: tuple[Provider, ...]
    config: MapNode
    origin: Origin
    is_contested: bool = False

    @property
    def bundle(self) -> tuple[str, ...]:
        """Our trust domain and its aliases, each once."""
        return tuple(dict.fromkeys((self.trust_domain, *self.aliases)))

    def provider(self, name: str) -> Provider | None:
        """The extension provider of that name."""
        return next((one for one in self.providers if one.name == name), None)


def read_mesh_settings(
    objects: ObjectIndex, given: Mapping[str, str], findings: LiftFindings, nowhere: Origin
) -> MeshSettings:
    """The settings of the files, overridden by the options. `nowhere` is the place of what no file says."""
    source = _config_map(objects, given.get(options.ROOT_NAMESPACE))
    installed = installed_config(objects)
    config = installed.config if source is None else _config(source, findings)
    if source is None and installed.is_contested:
        report_contested(installed, findings)
    aliases = given.get(options.ALIASES)
    domain = given.get(options.TRUST_DOMAIN) or text(config.get("trustDomain")) or DEFAULT_DOMAIN
    configured = tuple(found.value for found in texts(config.get("trustDomainAliases")))
    mode = given.get(options.PATH_NORMALIZATION) or text(config.at("pathNormalization", "normalization"))
    proxies = given.get(options.TRUSTED_PROXIES)
    topology = config.at("defaultConfig", "gatewayTopology", "numTrustedProxies")
    return MeshSettings(
        trust_domain=domain,
        aliases=configured if aliases is None else tuple(one for one in aliases.split(",") if one),
        trusts=_trusts(config),
        root_namespace=given.get(options.ROOT_NAMESPACE) or text(config.get("rootNamespace")) or DEFAULT_ROOT,
        path_mode=_path_mode(mode),
        trusted_proxies=int(proxies) if proxies is not None else number(topology) or 0,
        has_joined_headers=given.get(options.HEADER_VALUES) == "joined",
        has_many_providers=given.get(options.CUSTOM_PROVIDERS) == "many"
        or (installed.has_many_providers and options.CUSTOM_PROVIDERS not in given),
        cluster_domain=given.get(options.CLUSTER_DOMAIN) or DEFAULT_DOMAIN,
        providers=_providers(config),
        config=config,
        origin=(installed.origin or nowhere) if source is None else source.origin,
        is_contested=source is None and installed.is_contested,
    )


def _path_mode(name: str | None) -> IstioMode:
    """`DEFAULT` is BASE, and so is what is not said."""
    return IstioMode(name) if name in set(IstioMode) else IstioMode.BASE


def _config_map(objects: ObjectIndex, root: str | None) -> KubeObject | None:
    """The ConfigMap `istio`: that of the root namespace if there are several."""
    found = [one for one in objects.of(Kind.CONFIG_MAP) if one.name == CONFIG_MAP and one.body.at("data", "mesh")]
    namespace = root or DEFAULT_ROOT
    return next((one for one in found if one.namespace == namespace), found[0] if found else None)


def _config(source: KubeObject, findings: LiftFindings) -> MapNode:
    """The mesh configuration inside of the ConfigMap; its places are those of the whole text of it."""
    leaf = source.body.at("data", "mesh")
    if not isinstance(leaf, Leaf) or not isinstance(leaf.value, str):
        return EMPTY
    try:
        trees = yaml.parse(leaf.value, leaf.span.file, at=leaf.span)
    except TreeError as error:
        message = f"the mesh configuration in `{source.full_name}` is refused: {error.message}"
        findings.add(BAD_FIELD, message, source.full_name, origin_of(leaf))
        return EMPTY
    return mapping(trees[0]) if trees else EMPTY


def _trusts(config: MapNode) -> tuple[str, ...]:
    """The trust domains that the certificates of other authorities are good for."""
    found = (
        one.value
        for certificate in mappings(config.get("caCertificates"))
        for one in texts(certificate.get("trustDomains"))
    )
    return tuple(dict.fromkeys(found))


def _providers(config: MapNode) -> tuple[Provider, ...]:
    """Those for external authorization; a name that stands twice among them is nobody's."""
    found = [one for one in map(_provider, mappings(config.get("extensionProviders"))) if one is not None]
    counted = Counter(one.name for one in found)
    last = {one.name: one for one in found}.values()
    return tuple(replace(one, fault="its name stands twice") if counted[one.name] > 1 else one for one in last)


def _provider(one: MapNode) -> Provider | None:
    name = text(one.get("name"))
    for key, protocol in (("envoyExtAuthzHttp", "http"), ("envoyExtAuthzGrpc", "grpc")):
        settings = one.get(key)
        if name is None or not isinstance(settings, MapNode):
            continue
        timeout = text(settings.get("timeout"))
        return Provider(
            name=name,
            protocol=protocol,
            address=f"{text(settings.get('service')) or ''}:{number(settings.get('port')) or 0}",
            timeout_ms=None if timeout is None else milliseconds(timeout),
            fails_open=flag(settings.get("failOpen")) or False,
            origin=origin_of(one),
            fault=_fault(name, settings),
        )
    return None


def _fault(name: str, settings: MapNode) -> str | None:
    """Why istiod does not take the provider (`processExtensionProvider`), but for Services that may be elsewhere."""
    prefix, port = text(settings.get("pathPrefix")), number(settings.get("port")) or 0
    if not _LABEL.fullmatch(name):
        return "its name is no label: lower-case letters, digits and hyphens inside, 63 at most"
    if not 0 < port <= _LAST_PORT:
        return f"{port} is no port"
    if prefix is not None and not prefix.startswith("/"):
        return "its `pathPrefix` begins without a slash"
    if any(one.value == "*" for field in _HEADER_LISTS for one in texts(settings.get(field))):
        return "`*` alone is no name of a header"
    return None
