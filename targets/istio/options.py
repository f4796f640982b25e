"""The options of the target: what the running mesh is like, where the policy does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.common.findings import Findings


class PathNormalization(StrEnum):
    """`meshConfig.pathNormalization.normalization`, weakest first. Istio's default is `BASE`."""

    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"

    @property
    def merges_slashes(self) -> bool:
        """Whether `//` becomes `/`, unless the path is slashes alone."""
        return self in {PathNormalization.MERGE_SLASHES, PathNormalization.DECODE_AND_MERGE_SLASHES}


class HeaderValues(StrEnum):
    """How the proxies compare a repeated header: `each` line, or (before Istio 1.27.8, 1.28.5, 1.29.1) all joined."""

    EACH = "each"
    JOINED = "joined"


class CustomProviders(StrEnum):
    """How many providers a workload may ask: `many` needs `PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS`."""

    ONE = "one"
    MANY = "many"


KEYS = (
    "istio.trust-domain",
    "istio.aliases",
    "istio.root-namespace",
    "istio.path-normalization",
    "istio.trusted-proxies",
    "istio.header-values",
    "istio.custom-providers",
    "istio.cluster-domain",
)
"""Every key that `--option` takes for this target."""


@dataclass(frozen=True, slots=True)
class IstioOptions:
    """The options with their defaults filled in. `cluster_domain` is the DNS domain of the cluster."""

    trust_domain: str
    aliases: tuple[str, ...]
    root_namespace: str = "istio-system"
    path_normalization: PathNormalization = PathNormalization.BASE
    trusted_proxies: int | None = None
    header_values: HeaderValues = HeaderValues.EACH
    custom_providers: CustomProviders = CustomProviders.ONE
    cluster_domain: str = "cluster.local"


def read_options(mesh: Mesh, options: CompileOptions, findings: Findings) -> IstioOptions:
    """The options of this compile; what cannot be read, or contradicts the policy, is MP709."""
    given = {key: value for key, value in options.settings if key.startswith("istio.")}
    reader = _Reader(mesh, given, findings)
    for key in sorted(set(given) - set(KEYS)):
        reader.refuse(f"Istio has no option `{key}`", f"the options are {', '.join(KEYS)}")
    reader.agrees("istio.trust-domain", mesh.trust_domain)
    reader.agrees("istio.aliases", ",".join(mesh.aliases))
    return IstioOptions(
        trust_domain=mesh.trust_domain,
        aliases=mesh.aliases,
        root_namespace=given.get("istio.root-namespace", "istio-system"),
        path_normalization=PathNormalization(reader.choice("istio.path-normalization", PathNormalization, "BASE")),
        trusted_proxies=reader.number("istio.trusted-proxies"),
        header_values=HeaderValues(reader.choice("istio.header-values", HeaderValues, "each")),
        custom_providers=CustomProviders(reader.choice("istio.custom-providers", CustomProviders, "one")),
        cluster_domain=given.get("istio.cluster-domain", "cluster.local"),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    mesh: Mesh
    given: dict[str, str]
    findings: Findings

    def refuse(self, message: str, advice: str) -> None:
        self.findings.add("MP709", Severity.ERROR, message, self.mesh.name, self.mesh.origin, advice)

    def agrees(self, key: str, declared: str) -> None:
        """The policy names its trust domains; an option that says otherwise would compile another policy."""
        value = self.given.get(key, declared)
        if set(value.split(",")) != set(declared.split(",")):
            self.refuse(f"`{key}={value}` contradicts the policy, which says `{declared}`", "change one of the two")

    def choice(self, key: str, kind: type[StrEnum], default: str) -> str:
        value = self.given.get(key, default)
        allowed = [str(item) for item in kind]
        if value in allowed:
            return value
        self.refuse(f"`{key}` is none of its values: `{value}`", f"it is one of {', '.join(allowed)}")
        return default

    def number(self, key: str) -> int | None:
        value = self.given.get(key)
        if value is None:
            return None
        if value.isascii() and value.isdecimal():
            return int(value)
        self.refuse(f"`{key}` is no number: `{value}`", "it is the number of proxies before the gateways")
        return None
