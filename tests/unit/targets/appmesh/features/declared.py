"""Declarations: the mesh, namespaces, services, gateways, externals, issuers; mTLS and observation."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.targets.appmesh.features.case import HERE, KEPT, LOST, REFUSED, SERVICES, UNTIL, Case

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh


def _mesh(entries: str, rest: str, mark: str = "") -> str:
    return f'mesh m {{ language 1  trust-domain "td"  namespace app  {entries} }} {mark}\n{SERVICES}{rest}'


def _open_by_default(mesh: Mesh) -> Mesh:
    first, *others = mesh.services
    return replace(mesh, services=(replace(first, default_allow=(Layer.HTTP,)), *others))


_EXTERNAL = 'external ext { hosts "api.example.com"  port https 443 originate }\n'

MESHES = (
    Case("egress closed", KEPT, f"{SERVICES}allow x: a -> b\n", (Feature.EGRESS_CLOSED,), shows="DROP_ALL"),
    Case("egress open", KEPT, _mesh("egress open", "allow x: a -> b\n"), shows="ALLOW_ALL"),
    Case(
        "aliases", REFUSED, _mesh('aliases "old"  egress closed', "allow x: a -> b\n", HERE), (Feature.TRUST_ALIASES,)
    ),
    Case(
        "a foreign identity",
        REFUSED,
        _mesh('trusts "vm"  egress closed', f'allow x: identity "spiffe://vm/host/x" -> b {HERE}\n'),
        (Feature.FOREIGN_TRUST,),
    ),
    Case(
        "authenticated, of foreign domains too",
        REFUSED,
        _mesh('trusts "vm"  egress closed', f"allow x: authenticated -> b {HERE}\n"),
        (Feature.FOREIGN_TRUST,),
    ),
    Case("a foreign domain that may nothing", KEPT, _mesh('trusts "vm"  egress closed', "allow x: a -> b\n")),
    Case("environments", KEPT, _mesh("environments dev  egress closed", "allow x: a -> b { env dev }\n")),
    Case(
        "closed",
        REFUSED,
        f"{SERVICES}namespace app {{ closed }} {HERE}\n",
        (Feature.CLOSED_NAMESPACE,),
        settings={"app-mesh.network": "none"},
    ),
    Case(
        "closed by Kubernetes",
        KEPT,
        f"{SERVICES}namespace app {{ closed }}\nallow x: a -> b\n",
        (Feature.CLOSED_NAMESPACE,),
        shows="NetworkPolicy",
        settings={"app-mesh.network": "kubernetes"},
    ),
    Case(
        "what no rule decides",
        REFUSED,
        f"service a {{ port http 80 }} {HERE}\n",
        (Feature.FOREIGN_FILES,),
        change=_open_by_default,
    ),
)

OUTSIDE = (
    Case("an external that nobody may call", KEPT, SERVICES + _EXTERNAL),
    Case("an external", LOST, f"{SERVICES}{_EXTERNAL}allow x: a -> ext {HERE}\n", (Feature.EXTERNAL,)),
    Case(
        "some of an external",
        LOST,
        f"{SERVICES}{_EXTERNAL}allow x: a -> ext {{ GET /x }} {HERE}\n",
        (Feature.EXTERNAL_OPERATIONS,),
    ),
    Case("an external of open egress", REFUSED, _mesh("egress open", _EXTERNAL, HERE), (Feature.EXTERNAL,)),
    Case(
        "a route to an external",
        REFUSED,
        f"{SERVICES}{_EXTERNAL}route ext {{ {HERE}\n    timeout 2s\n}}\n",
        (Feature.EXTERNAL,),
    ),
    Case(
        "an external by a gateway",
        REFUSED,
        f"{SERVICES}gateway out {{ namespace out  port tls 443 -> 8443 }} {HERE}\n"
        'external ext { hosts "api.example.com"  port https 443  via out }\nallow x: a -> ext\n',
        (Feature.EXTERNAL,),
    ),
)

WORKLOADS = (
    Case(
        "names, labels, tags",
        KEPT,
        'service a { name "shop"  account "runs"  labels { app: "x" }  tags pci }\n'
        "service b { namespace pay  port http 80 }\nallow x: a -> b\n",
        (Feature.SELECTORS,),
        shows="runs",
    ),
    Case(
        "a whole identity",
        KEPT,
        'service a { identity "spiffe://td/host/x" }\nservice b { port http 80  port https 443 }\nallow x: a -> b\n',
        shows="spiffe://td/host/x",
    ),
    Case("needs", KEPT, f"{SERVICES}service n {{ calls b:http, c }}\nallow x: n -> b\n"),
    Case("observe", LOST, f"service lab {{ port http 80  observe {UNTIL} }} {HERE}\n", (Feature.OBSERVE,)),
    Case(
        "observe in a namespace",
        LOST,
        f"namespace app {{ observe {UNTIL} }}\nservice lab {{ port http 80 }} {HERE}\n",
        (Feature.OBSERVE,),
    ),
)

_IDP = 'issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/keys"  audiences "shop" }\n'
_ACCEPTS = f"{SERVICES}service j {{ port http 80  accepts idp }}\n"


def _token(condition: str) -> str:
    return f"{_IDP}{_ACCEPTS}allow x: a -> j {{ when {condition} }} {HERE}\n"


TOKENS = (
    Case("an issuer is accepted", REFUSED, f"{_IDP}{_ACCEPTS}allow x: a -> j {HERE}\n", (Feature.TOKEN,)),
    Case("an issuer is accepted where nobody may call", KEPT, _IDP + _ACCEPTS),
    Case("a token", REFUSED, _token("has token"), (Feature.TOKEN,)),
    Case("a token of one", REFUSED, _token("token from idp"), (Feature.TOKEN,)),
    Case("the subject of a token", REFUSED, _token('token.subject == "u"'), (Feature.TOKEN,)),
    Case("the audience of a token", REFUSED, _token('token.audience == "shop"'), (Feature.TOKEN,)),
    Case("the presenter of a token", REFUSED, _token('token.presenter == "p"'), (Feature.TOKEN,)),
    Case("a claim", REFUSED, _token('claim["role"] == "admin"'), (Feature.CLAIM,)),
    Case(
        "a claim of a deny",
        REFUSED,
        f'{_IDP}{_ACCEPTS}allow x: a -> j {HERE}\ndeny y: a -> j {{ when claim["r"] == "g" }} {HERE}\n',
        (Feature.CLAIM,),
    ),
    Case(
        "a claim that nobody reads", KEPT, f'{SERVICES}allow x: a -> b\ndeny y: a -> b {{ when claim["r"] == "g" }}\n'
    ),
    Case(
        "a token in another place",
        REFUSED,
        f'issuer idp {{ url "https://idp.example.com"  from cookie "t" }}\n{_ACCEPTS}allow x: a -> j {HERE}\n',
        (Feature.TOKEN_PLACES,),
    ),
    Case(
        "strip",
        REFUSED,
        'issuer idp { url "https://idp.example.com"  strip }\n'
        f"service j {{ port http 80  accepts idp  observe {UNTIL} }} {HERE}\n",
        (Feature.TOKEN_STRIP,),
    ),
)

_B_HERE = SERVICES.replace("v2 }", f"v2 }} {HERE}")

TLS = (
    Case("strict", KEPT, f"{SERVICES}mtls strict for b\nallow x: a -> b\n", (Feature.MTLS_MODES,)),
    Case("permissive", LOST, f"{_B_HERE}mtls permissive for b {UNTIL}\nallow x: a -> b\n", (Feature.MTLS_MODES,)),
    Case(
        "permissive, for a port",
        KEPT,
        f'{SERVICES}mtls permissive for b:http {UNTIL}\nallow x: anyone -> b {{ because "x" }}\n',
        (Feature.MTLS_PORTS,),
    ),
    Case(
        "disabled, for a port",
        KEPT,
        f'{SERVICES}mtls disabled for b:http {UNTIL}\nallow x: anyone -> b {{ because "x" }}\n',
        (Feature.MTLS_PORTS,),
    ),
    Case(
        "disabled, for some",
        REFUSED,
        f'{SERVICES}mtls disabled for b:http {UNTIL}\nallow x: anyone -> b {{ GET /x because "x" }} {HERE}\n',
        (Feature.MTLS_MODES,),
    ),
    Case(
        "disabled",
        REFUSED,
        f'{SERVICES}mtls disabled for b {UNTIL} {HERE}\nallow x: anyone -> b {{ because "x" }}\n',
        (Feature.MTLS_MODES,),
    ),
    Case(
        "a mode for a namespace",
        KEPT,
        f"{SERVICES}mtls strict for namespace app\nallow x: a -> b\n",
        (Feature.MTLS_MODES,),
    ),
)

CASES = (*MESHES, *OUTSIDE, *WORKLOADS, *TOKENS, *TLS)
