"""Kubernetes Services: which pods they stand for, under which host names, and what their ports speak."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.ir.entities import Layer, Protocol
from meshproof.compiler.ir.names import Origin
from meshproof.targets.common.tree import Leaf, MapNode
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.values import mappings, number, origin_of, pairs, text

_HTTP = {
    "http": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "grpc": Protocol.GRPC,
    "grpc-web": Protocol.GRPC,
    "http_proxy": Protocol.HTTP,
}
_TCP = {
    "https": Protocol.HTTPS,
    "tls": Protocol.TLS,
    "tcp": Protocol.TCP,
    "mongo": Protocol.TCP,
    "mysql": Protocol.TCP,
    "redis": Protocol.TCP,
}
_KUBERNETES = {"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}
_ALWAYS_TCP = frozenset((25, 53, 3306, 27017))
_NO_MESH = frozenset(("UDP", "SCTP"))


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a port was declared to speak, and what a proxy therefore sees on it."""

    protocol: Protocol
    layer: Layer


def spoken_at(number_: int, name: str, app_protocol: str | None) -> Spoken:
    """Istio's protocol selection (kube.ConvertProtocol): `appProtocol`, else the name up to the first hyphen.

    What neither tells is sniffed, except on the ports of four protocols in which the server speaks first.
    """
    said = name if app_protocol is None else _KUBERNETES.get(app_protocol, app_protocol)
    said = said.lower()
    word = "grpc-web" if said.startswith("grpc-web") else said.partition("-")[0]
    if word in _HTTP:
        return Spoken(_HTTP[word], Layer.HTTP)
    if word in _TCP:
        return Spoken(_TCP[word], Layer.TCP)
    return Spoken(Protocol.TCP, Layer.TCP if number_ in _ALWAYS_TCP else Layer.SNIFFED)


@dataclass(frozen=True, slots=True)
class KubePort:
    """A port of a Service. `target` is a number, or the name of a container's port."""

    name: str
    number: int
    target: int | str
    spoken: Spoken
    origin: Origin


@dataclass(frozen=True, slots=True)
class KubeService:
    """A Service. One without a selector stands for no pods that could be known."""

    namespace: str
    name: str
    selector: tuple[tuple[str, str], ...]
    ports: tuple[KubePort, ...]
    source: KubeObject = field(repr=False)

    @property
    def full_name(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"

    @property
    def origin(self) -> Origin:
        """The place of its name."""
        return self.source.origin

    def host(self, cluster_domain: str) -> str:
        """The full host name."""
        return f"{self.name}.{self.namespace}.svc.{cluster_domain}"

    def selects(self, namespace: str, labels: tuple[tuple[str, str], ...]) -> bool:
        """Whether pods with these labels are its endpoints."""
        return self.namespace == namespace and bool(self.selector) and set(self.selector) <= set(labels)

    def port(self, number_: int) -> KubePort | None:
        """The port that callers dial as this number."""
        return next((port for port in self.ports if port.number == number_), None)


@dataclass(frozen=True, slots=True)
class KubeServices:
    """All Services, oldest first, found by name and by host."""

    services: tuple[KubeService, ...]
    cluster_domain: str
    _by_name: dict[tuple[str, str], KubeService] = field(repr=False, compare=False)
    _by_namespace: dict[str, list[KubeService]] = field(repr=False, compare=False)

    def get(self, namespace: str, name: str) -> KubeService | None:
        """The Service of that name."""
        return self._by_name.get((namespace, name))

    def selecting(self, namespace: str, labels: tuple[tuple[str, str], ...]) -> tuple[KubeService, ...]:
        """The Services of which pods with these labels are endpoints, oldest first."""
        return tuple(one for one in self._by_namespace.get(namespace, ()) if one.selects(namespace, labels))

    def find(self, host: str, namespace: str) -> KubeService | None:
        """The Service that a host stands for in objects of a namespace.

        A name without a dot is short for one in the namespace; `NAME.NAMESPACE` and `NAME.NAMESPACE.svc` are no hosts
        to Istio's objects, but to callers, and are taken too.
        """
        if "." not in host:
            return self.get(namespace, host)
        name, _, rest = host.partition(".")
        where, _, domain = rest.partition(".")
        if domain in {"", "svc", f"svc.{self.cluster_domain}"}:
            return self.get(where, name)
        return None


def read_services(objects: ObjectIndex, cluster_domain: str) -> KubeServices:
    """The Services among the objects, oldest first."""
    found = sorted(objects.of(Kind.SERVICE), key=lambda one: one.age_key)
    services = tuple(_service(one) for one in found)
    by_namespace: dict[str, list[KubeService]] = {}
    for one in services:
        by_namespace.setdefault(one.namespace, []).append(one)
    return KubeServices(services, cluster_domain, {(one.namespace, one.name): one for one in services}, by_namespace)


def _service(source: KubeObject) -> KubeService:
    ports = (_port(one) for one in mappings(source.spec.get("ports")))
    is_alias = text(source.spec.get("type")) == "ExternalName"
    return KubeService(
        namespace=source.namespace,
        name=source.name,
        selector=() if is_alias else pairs(source.spec.get("selector")),
        ports=tuple(port for port in ports if port is not None),
        source=source,
    )


def _port(one: MapNode) -> KubePort | None:
    """The port; None for one that no mesh carries."""
    own = number(one.get("port"))
    if own is None or text(one.get("protocol")) in _NO_MESH:
        return None
    name = text(one.get("name")) or ""
    written = one.get("targetPort")
    target: int | str = own
    if isinstance(written, Leaf):
        target = number(written) or text(written) or own
    if isinstance(target, str) and target.isdecimal():
        target = int(target)
    return KubePort(name, own, target, spoken_at(own, name, text(one.get("appProtocol"))), origin_of(one))
