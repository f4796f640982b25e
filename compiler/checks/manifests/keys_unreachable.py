"""The keys of an issuer stand where they cannot be read, or be changed

## What it does

Looks at the `jwksUri` of every issuer: whether it is plain HTTP, and whether it is a workload of the mesh whose
policies refuse the one who reads it. That is istiod, which comes without an identity of the mesh.

## Why it matters

Who can change the keys on the way can sign tokens. And where the keys cannot be read no token is valid: every request
that carries one is refused.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: auth, namespace: shop}
spec: {selector: {app: auth}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: auth, namespace: shop}
spec:
  selector: {matchLabels: {app: auth}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  jwtRules: [{issuer: shop, jwksUri: "http://auth.shop.svc.cluster.local/jwks"}]
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  jwtRules: [{issuer: shop, jwksUri: "https://idp.example.com/jwks"}]
```

## Precision

Misses some: it knows the workloads of the files, and tries one request. Without PILOT_JWT_ENABLE_REMOTE_JWKS it is
istiod that reads keys.

## References

Istio, RequestAuthentication, `jwksUri`. RFC 8414, section 6.1 (TLS for what is discovered). CVE-2026-31837.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import listed, request_row
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Issuer
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

_DOMAIN = ".svc.cluster.local"


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Issuers by the place of their keys, those with one place once."""
    places: dict[str, list[Issuer]] = {}
    for issuer in ctx.mesh.issuers:
        if issuer.jwks is not None and issuer.jwks.startswith("http://"):
            places.setdefault(issuer.jwks, []).append(issuer)
    for url, issuers in places.items():
        refused = _refused(ctx, urlsplit(url))
        names = listed([issuer.url for issuer in issuers])
        if refused is not None:
            message = f"the keys of {names} are read at `{refused[0].name}`, which refuses whoever reads them"
            advice = "allow `GET` of that path without an identity, or put the keys into `jwks`"
        else:
            message = f"the keys of {names} are read over plain HTTP: who changes them on the way can sign tokens"
            advice = "serve them over HTTPS, or put them into `jwks`"
        yield CHECK.finding(
            message,
            issuers[0].origin.span,
            f"reads `{url}`",
            subject=str(issuers[0].name),
            labels=tuple(Label(issuer.origin.span, "and so does this") for issuer in issuers[1:]),
            help=advice,
            evidence=() if refused is None else (request_row(refused[1]),),
        )


def _refused(ctx: CheckContext, url: SplitResult) -> tuple[Service, Request] | None:
    """The workload that has the keys and the request for them, if it is refused for certain."""
    service = _service(ctx.mesh, url.hostname or "")
    if service is None:
        return None
    dialled = url.port or 80
    port = next((one.workload for one in service.ports if one.number == dialled), dialled)
    request = Request(
        source=Peer(None),
        destination=service.name,
        port=port,
        protocol=RequestProtocol.HTTP,
        method="GET",
        host=url.netloc,
        path=url.path or "/",
    )
    try:
        decision = decide(ctx.mesh, request, ctx.day)
    except (MalformedRequest, MissingAnswer, NotModelled):
        return None
    return None if decision.is_allowed else (service, request)


def _service(mesh: Mesh, host: str) -> Service | None:
    """The workload behind a host name of the cluster."""
    name, _, namespace = host.removesuffix(_DOMAIN).removesuffix(".svc").partition(".")
    found = (one for one in mesh.services if one.platform_name == name and namespace in {"", one.namespace})
    return next(found, None)


CHECK = Check("MP507", Needs.MODEL, Precision.MISSES_SOME, find, AppliesTo.MANIFESTS)
