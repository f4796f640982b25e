"""Random services, gateways, externals and what they rely on."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from tests.strategies import vocabulary as words
from tests.strategies.predicates import ISSUER_URLS, origin

from meshproof.compiler.ir.entities import (
    Authorizer,
    Exemption,
    External,
    Gateway,
    Issuer,
    Layer,
    Namespace,
    Protocol,
    Service,
    ServicePort,
    TokenPlace,
)
from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsPolicy,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
)
from meshproof.compiler.ir.names import AuthorizerName, IssuerName, NodeName, SpiffeId

_T = TypeVar("_T")

_PORTS = (
    (Protocol.HTTP, Layer.HTTP, 80, 8080),
    (Protocol.GRPC, Layer.HTTP, 9090, 9090),
    (Protocol.HTTPS, Layer.HTTP, 443, 8443),
    (Protocol.TCP, Layer.TCP, 6379, 6379),
    (Protocol.TLS, Layer.TCP, 9443, 9443),
)


def some(rng: Random, values: tuple[_T, ...], most: int | None = None) -> tuple[_T, ...]:
    """Some of the values, in their order."""
    count = rng.randint(0, len(values) if most is None else min(most, len(values)))
    chosen = set(rng.sample(range(len(values)), count))
    return tuple(value for index, value in enumerate(values) if index in chosen)


def random_services(rng: Random, count: int, issuers: tuple[Issuer, ...], *, is_lifted: bool) -> tuple[Service, ...]:
    """Services in name order; some share an account, the last may have no port."""
    names = sorted(rng.sample(words.NODE_NAMES, count)) if count <= len(words.NODE_NAMES) else _many_names(count)
    return tuple(
        _service(rng, NodeName(name), issuers, is_lifted=is_lifted, has_ports=index == 0 or rng.random() < 0.9)
        for index, name in enumerate(names)
    )


def _many_names(count: int) -> list[str]:
    return sorted(f"{words.NODE_NAMES[index % len(words.NODE_NAMES)]}-{index}" for index in range(count))


def _service(rng: Random, name: NodeName, issuers: tuple[Issuer, ...], *, is_lifted: bool, has_ports: bool) -> Service:
    namespace = rng.choice(words.NAMESPACES)
    account = rng.choice((name, name, name, "shared"))
    identity = SpiffeId.of_account(words.TRUST_DOMAIN, namespace, account)
    if rng.random() < 0.05:
        identity = SpiffeId(words.PARTNER, f"/vm/{name}")
    return Service(
        name=name,
        namespace=namespace,
        platform_name=str(name),
        account=account,
        identity=identity,
        labels=(("app", str(name)),),
        ports=_ports(rng, is_lifted=is_lifted) if has_ports else (),
        origin=origin(),
        versions=rng.choice(((), ("v1", "v2"))),
        tags=some(rng, words.TAGS),
        accepts=some(rng, tuple(issuer.name for issuer in issuers)),
        observe=_exemption(rng) if rng.random() < 0.08 else None,
        default_allow=some(rng, (Layer.HTTP, Layer.TCP)) if is_lifted else (),
    )


def _ports(rng: Random, *, is_lifted: bool) -> tuple[ServicePort, ...]:
    chosen = some(rng, _PORTS, most=3) or (_PORTS[0],)
    return tuple(
        ServicePort(
            name=str(protocol),
            protocol=protocol,
            layer=Layer.SNIFFED if is_lifted and rng.random() < 0.15 else layer,
            number=number,
            workload=workload,
            origin=origin(),
        )
        for protocol, layer, number, workload in sorted(chosen, key=lambda port: port[0])
    )


def _exemption(rng: Random) -> Exemption:
    return Exemption("moving in", None, rng.choice((None, *words.UNTILS)), origin())


def random_gateways(rng: Random, count: int, issuers: tuple[Issuer, ...], *, is_lifted: bool) -> tuple[Gateway, ...]:
    """Gateways `edge` and `side`; one may share its account with a service."""
    return tuple(
        Gateway(
            name=NodeName(name),
            namespace="sre",
            account=name,
            identity=SpiffeId.of_account(words.TRUST_DOMAIN, "sre", rng.choice((name, name, "shared"))),
            labels=(("istio", name),),
            hosts=some(rng, words.HOSTS) or words.HOSTS[:1],
            ports=(
                ServicePort("http", Protocol.HTTP, Layer.HTTP, 80, 8080, origin()),
                ServicePort("https", Protocol.HTTPS, Layer.HTTP, 443, 8443, origin()),
            ),
            origin=origin(),
            certificate="cert",
            trusted_proxies=rng.choice((0, 0, 1, 2)),
            accepts=some(rng, tuple(issuer.name for issuer in issuers)),
            default_allow=some(rng, (Layer.HTTP, Layer.TCP)) if is_lifted else (),
        )
        for name in ("edge", "side")[:count]
    )


def random_externals(rng: Random, count: int, gateways: tuple[Gateway, ...]) -> tuple[External, ...]:
    """Externals `maps` and `stripe`, spoken to in the clear (originated) or opaquely."""
    return tuple(
        External(
            name=NodeName(name),
            hosts=(f"api.{name}.com",),
            ports=(rng.choice((_ORIGINATED, _OPAQUE)),),
            origin=origin(),
            via=rng.choice(gateways).name if gateways and rng.random() < 0.4 else None,
        )
        for name in ("maps", "stripe")[:count]
    )


_ORIGINATED = ServicePort("https", Protocol.HTTPS, Layer.HTTP, 443, 443, origin(), is_originated=True)
_OPAQUE = ServicePort("https", Protocol.HTTPS, Layer.TCP, 443, 443, origin())


def random_issuers(rng: Random, *, is_lifted: bool = False) -> tuple[Issuer, ...]:
    """None to two issuers, with and without audiences."""
    found = tuple(
        Issuer(
            name=IssuerName(name),
            url=url,
            jwks=f"{url}/jwks.json",
            audiences=some(rng, words.AUDIENCES),
            origin=origin(),
            place=TokenPlace("header", "x-token") if rng.random() < 0.1 else None,
            is_stripped=rng.random() < 0.3,
            words=("groups",) if is_lifted and rng.random() < 0.3 else (),
        )
        for name, url in zip(("idp", "partner-idp"), ISSUER_URLS, strict=True)
    )
    return some(rng, found)


def random_authorizers(rng: Random) -> tuple[Authorizer, ...]:
    """One or two external authorization services."""
    names = ("opa", "risk")[: rng.randint(1, 2)]
    return tuple(Authorizer(AuthorizerName(name), f"{name}.sre:9000", "grpc", 200, origin()) for name in names)


def random_namespaces(rng: Random) -> tuple[Namespace, ...]:
    """Declared namespaces, some closed, some observed."""
    return tuple(
        Namespace(
            name=name,
            origin=origin(),
            owner="team",
            is_closed=rng.random() < 0.3,
            observe=_exemption(rng) if rng.random() < 0.08 else None,
        )
        for name in some(rng, words.NAMESPACES)
    )


def random_mtls(rng: Random, services: tuple[Service, ...]) -> tuple[MtlsPolicy, ...]:
    """Statements of every scope, no two of one scope, sorted by scope."""
    scopes: list[MtlsScope] = [MeshScope(), *(NamespaceScope(name) for name in words.NAMESPACES)]
    for service in services:
        scopes.append(ServiceScope(service.name))
        scopes += [PortScope(service.name, port.workload) for port in service.ports]
    chosen = [scope for scope in scopes if rng.random() < 0.25]
    found = tuple(_mtls(rng, scope) for scope in chosen)
    return tuple(sorted(found, key=lambda policy: repr(policy.scope)))


def _mtls(rng: Random, scope: MtlsScope) -> MtlsPolicy:
    mode = rng.choice((MtlsMode.STRICT, MtlsMode.PERMISSIVE, MtlsMode.PERMISSIVE, MtlsMode.DISABLED))
    until = None if mode is MtlsMode.STRICT else rng.choice((None, *words.UNTILS))
    return MtlsPolicy(scope, mode, origin(), because="moving in", until=until)
