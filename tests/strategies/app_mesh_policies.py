"""Random policies of what App Mesh can say: as text, and what is left of random meshes without what it cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.strategies.app_mesh_doors import CONDITIONS
from tests.strategies.meshes import DAY, random_mesh
from tests.strategies.policy_text import resolve_text

from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
_QUOTAS = (("app-mesh.quota.gateways", "40"), ("app-mesh.quota.gateway-routes", "400"))
OPTIONS = CompileOptions(DAY, _QUOTAS, require=Judgement.COOPERATIVE)
"""Quotas are raised: how much there is room for is another test."""

_CALLERS = """
service web {{ port http 80 -> 8080{versions} }}
service job {{ namespace jobs  tags pci }}
service old {{ account "{account}"  tags pci }}
"""
_SOURCES = (
    "web",
    "web",
    "job",
    "old",
    "{ web, job }",
    "all",
    "all except web",
    "tagged pci",
    "namespace app",
    "namespace jobs",
    "authenticated",
    "authenticated except job",
    "namespace app except old",
    "anyone",
    "anyone except web",
    'identity "spiffe://cluster.local/vm/x"',
    'identity "spiffe://cluster.local/vm/*"',
)
_PATHS = ("/", "/**", "/a", "/a/**", "/a/*", "/*/b", "/a/b", "/c/{id}/d", "/a/", "/api/v1/**", "/admin/**")
_METHODS = ("GET", "POST", "DELETE", "GET|POST", "HEAD", "*")
_WHO = ("source in { web }", "not source in { job }", "port == 8080", "source in namespace jobs")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A policy that App Mesh can say, with its lowering."""

    text: str
    mesh: Mesh
    lowered: AppMeshLowered


def drawn(rng: Random) -> Drawn:
    """A policy with a rule at least."""
    while True:
        found = _of_text(rng) if rng.random() < 0.6 else _of_mesh(rng)
        if found is not None and found.mesh.rules:
            return found


def _of_text(rng: Random) -> Drawn | None:
    base = _declared(rng)
    mesh = _resolved(base)
    if mesh is None or _lowered(mesh) is None:
        return None
    kept: list[str] = []
    for number in range(rng.randint(2, 7)):
        rule = _rule(rng, f"r{number}", has_edge="gateway edge" in base)
        mesh = _resolved("\n".join((base, *kept, rule)))
        if mesh is not None and _lowered(mesh) is not None:
            kept.append(rule)
    text = "\n".join((base, *kept))
    return _of(text, _resolved(text))


def _of_mesh(rng: Random) -> Drawn | None:
    """A random mesh without what App Mesh has no word for, and with those of its rules that it can say together."""
    mesh = random_mesh(rng)
    services = tuple(replace(one, observe=None, accepts=()) for one in mesh.services)
    spaces = tuple(replace(one, is_closed=False, observe=None) for one in mesh.namespaces)
    mesh = replace(mesh, externals=(), routes=(), authorizers=(), aliases=(), namespaces=spaces, services=services)
    bare = replace(mesh, rules=(), gateways=())
    if _lowered(bare) is None:
        bare = replace(bare, mtls=())
    if _lowered(bare) is None:
        return None
    kept = bare
    for rule in mesh.rules:
        more = replace(kept, rules=(*kept.rules, rule))
        if _lowered(more) is not None:
            kept = more
    return _of(f"{kept.services}\n{kept.rules}", kept)


def _of(text: str, mesh: Mesh | None) -> Drawn | None:
    lowered = None if mesh is None else _lowered(mesh)
    return None if mesh is None or lowered is None else Drawn(text, mesh, lowered)


def _lowered(mesh: Mesh) -> AppMeshLowered | None:
    found = TARGET.lower(mesh, OPTIONS)
    return None if has_errors(found.diagnostics) else found


def _resolved(text: str) -> Mesh | None:
    found = resolve_text(text, has_mesh=True)
    if any(one.severity is Severity.ERROR for one in found.diagnostics):
        return None
    (mesh,) = found.meshes
    return mesh


def _declared(rng: Random) -> str:
    trusts = rng.choice(("", "", '  trusts "partner.example"'))
    egress = rng.choice(("closed", "open"))
    lines = [f'mesh m {{ language 1  trust-domain "cluster.local"{trusts}  namespace app  egress {egress} }}']
    lines.append(_CALLERS.format(versions=rng.choice(("", "  versions v1, v2")), account=rng.choice(("old", "web"))))
    lines.append(_called(rng, "api", "port http 80 -> 8080"))
    lines.append(_called(rng, "pay", rng.choice(("port http 8000", "port grpc 9000", "port tcp 5432"))))
    mode = rng.choice(("strict", "strict", "strict", "permissive", "disabled"))
    if mode != "strict":
        lines.append(f'mtls {mode} for {rng.choice(("api", "api:http", "pay"))} {{ because "moving in" owner "t" }}')
        lines.append(rng.choice(("", "allow all-in: anyone -> api", "allow all-in: anyone -> pay")))
    if rng.random() < 0.4:
        lines.append(_edge(rng))
    return "\n".join(lines)


def _called(rng: Random, name: str, first: str) -> str:
    more = {"port rpc grpc 9090": "port rpc grpc", "port db tcp 5433": "port db"}
    ports = [first, *(line for line in more if rng.random() < 0.3)]
    versions = rng.choice(("", "", "versions v1, v2"))
    return f"service {name} {{ {'  '.join(ports)}  {versions} }}"


def _edge(rng: Random) -> str:
    hosts = {"shop.example": "api:http", "www.example": "web:http"}
    chosen = rng.sample(sorted(hosts), rng.randint(1, 2))
    names = ", ".join(f'"{host}"' for host in chosen)
    branches = "\n".join(f'host "{host}" /** => {hosts[host]}' for host in chosen)
    return (
        f"gateway edge {{ namespace ingress  hosts {names}  port http 80 -> 8088 }}\n"
        f"allow public: internet -> edge\nroute edge {{\n{branches}\n}}"
    )


def _rule(rng: Random, name: str, *, has_edge: bool) -> str:
    effect = "allow" if rng.random() < 0.7 else "deny"
    sources = rng.choice((*_SOURCES, *(("edge", "edge", "{ web, edge }") if has_edge else ())))
    place = rng.choice(("api", "api", "api:http", "pay", "web", "all", "{ api, pay }"))
    if rng.random() < 0.2:
        return f"{effect} {name}: {sources} -> {place}"
    lines = []
    if rng.random() < 0.7:
        lines += [_operation(rng) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.5 or not lines:
        word, joint = rng.choice(("when", "when", "unless")), rng.choice((" and ", " or "))
        lines.append(f"{word} {joint.join(rng.sample((*CONDITIONS, *_WHO), rng.randint(1, 2)))}")
    return f"{effect} {name}: {sources} -> {place} {{\n" + "\n".join(lines) + "\n}"


def _operation(rng: Random) -> str:
    if rng.random() < 0.15:
        return rng.choice(("call shop.Cart/Get", "call shop.Cart/*", "call shop.Pay/Charge"))
    return f"{rng.choice(_METHODS)} {rng.choice(_PATHS)}"
