"""RequestAuthentication: whose tokens are looked for, and where. It refuses bad tokens; rules ask for good ones."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.entities import Issuer
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.workloads import observation

KIND = "RequestAuthentication"


def request_authentications(context: Context) -> Iterator[IstioObject]:
    """One object for each workload that accepts tokens; none where nothing is refused (`observe`)."""
    for node in context.workloads:
        issuers = [issuer for issuer in context.mesh.issuers if issuer.name in node.accepts]
        if not issuers:
            continue
        if observation(context.mesh, node, context.day) is not None:
            message = f"while `{node.name}` is observed Istio reads no tokens there, since it would refuse bad ones"
            context.findings.residual(str(node.name), node.origin, message)
            continue
        spec: Value = {
            "selector": {"matchLabels": dict(node.labels)},
            "jwtRules": [_rule(issuer) for issuer in issuers],
        }
        name = context.name(KIND, node.namespace, str(node.name), node.origin)
        pieces = tuple(Piece(str(issuer.name), index) for index, issuer in enumerate(issuers))
        yield IstioObject(KIND, node.namespace, name, spec, pieces)


def _rule(issuer: Issuer) -> Value:
    rule: dict[str, Value] = {"issuer": issuer.url}
    if issuer.jwks is not None:
        rule["jwksUri"] = issuer.jwks
    if issuer.audiences:
        rule["audiences"] = list(issuer.audiences)
    rule |= _place(issuer)
    rule["forwardOriginalToken"] = not issuer.is_stripped
    return rule


def _place(issuer: Issuer) -> dict[str, Value]:
    """Always written out: Istio's own default reads the query parameter `access_token` too."""
    if issuer.place is None:
        return {"fromHeaders": [{"name": "Authorization", "prefix": "Bearer "}]}
    match issuer.place.kind:
        case "header":
            return {"fromHeaders": [{"name": issuer.place.name}]}
        case "query":
            return {"fromParams": [issuer.place.name]}
        case _:
            return {"fromCookies": [issuer.place.name]}
