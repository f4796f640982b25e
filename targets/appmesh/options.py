"""What neither a policy nor files of App Mesh say: by `--option app-mesh.KEY=VALUE`, for compiling and for reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from string import Formatter

from meshproof.compiler.ir.judgement import Judgement

PREFIX = "app-mesh."
PARAMETER = f"{PREFIX}parameter."
MESH = f"{PREFIX}mesh"
JUDGEMENT = f"{PREFIX}judgement"
RESIDUE = f"{PREFIX}residue"
OFFSET = f"{PREFIX}native.application-offset"
NETWORK = f"{PREFIX}network"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,200}")
_PLACE = re.compile(r"[a-z0-9-]{1,60}")
_HOST = re.compile(r"[a-z0-9{}.-]{1,253}")
_PLACEHOLDERS = frozenset(("name", "namespace", "version"))
_MOST_PORT = 65535
_FILES = 3


class BadOptionError(ValueError):
    """An option is not known, or has none of its values; `advice` says which there are."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class Residue(StrEnum):
    """What becomes of a port that no proxy of App Mesh can judge: the compile stops, or the sidecar judges it."""

    STOP = "stop"
    NATIVE = "native"


class Rendering(StrEnum):
    """As what resources are written."""

    CLOUDFORMATION = "cloudformation"
    KUBERNETES = "kubernetes"
    API = "api"


class Network(StrEnum):
    """What closes the ports that no proxy guards, and the pods that have none."""

    KUBERNETES = "kubernetes"
    SECURITY_GROUPS = "security-groups"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Files:
    """Where every proxy finds its certificate, its key, and the authorities that it trusts, in its own file system."""

    chain: str
    key: str
    trust: str


@dataclass(frozen=True, slots=True)
class Options:
    """The options with their defaults.

    `mesh` is the mesh that is meant (None: the only one; the policy's name); `parameters` are those of templates that
    are read. `discovery` is the DNS name of a workload, of `{name}` and `{namespace}`, and `version_discovery` that of
    one of its versions, with `{version}` too. Without `files` certificates come by SDS. `network` is None where nobody
    said; ask `closing`. `judgement` says by whom what is read must be kept to count.

    With `residue` `native` the application of a port that is handed over listens `offset` above it, and the sidecar
    has its certificates from the agent at the socket `agent`, or the same `files`.
    """

    mesh: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    judgement: Judgement = Judgement.ENFORCED
    rendering: Rendering = Rendering.CLOUDFORMATION
    discovery: str = "{name}.{namespace}.svc.cluster.local"
    version_discovery: str = "{name}-{version}.{namespace}.svc.cluster.local"
    files: Files | None = None
    network: Network | None = None
    region: str | None = None
    account: str | None = None
    partition: str | None = None
    gate_account: str = "meshproof-gate"
    gate_namespace: str | None = None
    first_door_port: int = 20000
    gateways: int = 3
    gateway_routes: int = 10
    residue: Residue = Residue.STOP
    offset: int = 10000
    agent: str = "unix:///run/spire/sockets/agent.sock"

    @property
    def closing(self) -> Network:
        """What closes the network: what was said, else NetworkPolicies, but only where workloads run in Kubernetes.

        They do if its objects are written, or if workloads are found by the DNS names that it gives to Services
        (Kubernetes, "DNS for Services and Pods"). What is not applied would close nothing.
        """
        if self.network is not None:
            return self.network
        is_kubernetes = self.rendering is Rendering.KUBERNETES or "svc" in self.discovery.split(".")
        return Network.KUBERNETES if is_kubernetes else Network.NONE


def read_options(settings: Iterable[tuple[str, str]]) -> Options:
    """The options among all. Raises `BadOptionError` for the first that is not taken."""
    own = {key: value for key, value in settings if key.startswith(PREFIX)}
    parameters = {key.removeprefix(PARAMETER): value for key, value in own.items() if key.startswith(PARAMETER)}
    found: dict[str, object] = {}
    for key, value in own.items():
        if key.startswith(PARAMETER):
            continue
        if key not in _READERS:
            raise BadOptionError(f"App Mesh has no option `{key}`", _advice(key))
        name, read = _READERS[key]
        found[name] = read(key, value)
    return Options(parameters=parameters, **found)  # type: ignore[arg-type]  # each reader gives what its field holds


def _advice(key: str) -> str:
    every = [one.removeprefix(PREFIX) for one in (*_READERS, f"{PARAMETER}NAME")]
    near = get_close_matches(key.removeprefix(PREFIX), every, 1)
    return (
        f"did you mean `{PREFIX}{near[0]}`?" if near else f"there are {', '.join(f'`{PREFIX}{one}`' for one in every)}"
    )


def _like(form: re.Pattern[str], what: str) -> Callable[[str, str], str]:
    def read(key: str, value: str) -> str:
        if not form.fullmatch(value):
            raise BadOptionError(f"`{key}` is {what}, and `{value}` is none", "write another")
        return value

    return read


def _any(_: str, value: str) -> str:
    return value


def _one_of(kind: type[StrEnum]) -> Callable[[str, str], StrEnum]:
    def read(key: str, value: str) -> StrEnum:
        values = [str(one) for one in kind]
        if value not in values:
            raise BadOptionError(f"`{key}` is none of its values: `{value}`", f"it is one of {', '.join(values)}")
        return kind(value)

    return read


def _number(most: int) -> Callable[[str, str], int]:
    def read(key: str, value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) <= len(str(most)) and 1 <= int(value) <= most):
            raise BadOptionError(f"`{key}` is no number that can be: `{value}`", f"it is one from 1 to {most}")
        return int(value)

    return read


def _discovery(*needed: str) -> Callable[[str, str], str]:
    def read(key: str, value: str) -> str:
        kind, _, host = value.partition(":")
        form = f"write `dns:HOST` with {', '.join(f'`{{{one}}}`' for one in needed)} in it"
        if kind != "dns" or not _HOST.fullmatch(host):
            raise BadOptionError(f"`{key}` is no DNS name: `{value}`", form)
        try:
            named = {
                name for _, name, spec, how in Formatter().parse(host) if name is not None and not spec and not how
            }
        except ValueError:
            raise BadOptionError(f"the braces in `{key}` do not fit: `{value}`", form) from None
        # Two workloads at one address would be one to every caller.
        if not set(needed) <= named or not named <= _PLACEHOLDERS & {*needed}:
            raise BadOptionError(f"`{key}` does not tell workloads apart: `{value}`", form)
        return host

    return read


def _certificates(key: str, value: str) -> Files | None:
    if value == "sds":
        return None
    kind, _, rest = value.partition(":")
    paths = rest.split(",")
    if kind != "file" or len(paths) != _FILES or not all(one.startswith("/") and len(one) <= 255 for one in paths):  # noqa: PLR2004
        raise BadOptionError(f"`{key}` is none of its forms: `{value}`", "write `sds` or `file:/CHAIN,/KEY,/TRUST`")
    return Files(*paths)


_READERS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    MESH: ("mesh", _any),
    JUDGEMENT: ("judgement", _one_of(Judgement)),
    f"{PREFIX}rendering": ("rendering", _one_of(Rendering)),
    f"{PREFIX}discovery": ("discovery", _discovery("name", "namespace")),
    f"{PREFIX}version-discovery": ("version_discovery", _discovery("name", "namespace", "version")),
    f"{PREFIX}certificates": ("files", _certificates),
    NETWORK: ("network", _one_of(Network)),
    f"{PREFIX}region": ("region", _like(_PLACE, "a region of AWS")),
    f"{PREFIX}account": ("account", _like(re.compile(r"[0-9]{12}"), "an account of AWS")),
    f"{PREFIX}partition": ("partition", _like(_PLACE, "a partition of AWS")),
    f"{PREFIX}gate-account": ("gate_account", _like(_ACCOUNT, "the name of an account")),
    f"{PREFIX}gate-namespace": ("gate_namespace", _like(_ACCOUNT, "the name of a namespace")),
    f"{PREFIX}first-door-port": ("first_door_port", _number(_MOST_PORT)),
    RESIDUE: ("residue", _one_of(Residue)),
    OFFSET: ("offset", _number(_MOST_PORT)),
    f"{PREFIX}native.agent": ("agent", _like(re.compile(r"unix:///[!-~]{1,90}"), "the socket of an agent")),
    f"{PREFIX}quota.gateways": ("gateways", _number(1000)),
    f"{PREFIX}quota.gateway-routes": ("gateway_routes", _number(1000)),
}

KNOWN = tuple(_READERS)
"""Every option by its whole name, but for parameters of templates."""
