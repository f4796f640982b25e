"""Step 3 of "What happens to a request": the token, and the strings that its claims hold."""

from __future__ import annotations

from meshproof.compiler.ir.entities import External, Issuer, Node
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Request, RequestProtocol, Token

_WORDS = frozenset({"scope", "permission"})


def accepted_issuers(mesh: Mesh, node: Node) -> tuple[Issuer, ...]:
    """The issuers whose tokens the node looks for."""
    names = () if isinstance(node, External) else node.accepts
    return tuple(issuer for issuer in mesh.issuers if issuer.name in names)


def is_preflight(request: Request) -> bool:
    """Whether it is a CORS preflight (Fetch Standard, 4.8): OPTIONS with `Origin` and the method asked for."""
    names = {name for name, _ in request.headers}
    return request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= names


def seen_token(mesh: Mesh, node: Node, request: Request) -> Token | None:
    """The token that the destination reads, valid or not.

    "A destination that `accepts` no issuer sees no token", and "A CORS preflight has none".
    """
    if not accepted_issuers(mesh, node) or request.protocol is RequestProtocol.TCP or is_preflight(request):
        return None
    return request.token


def verifying_issuer(mesh: Mesh, node: Node, token: Token) -> Issuer | None:
    """The issuer that makes the token good at the node, or None: "not verifiable, expired, of an issuer or audience
    not accepted". A valid token that leaves out `aud` is one for its issuer's audiences (ADR 0052), but in lifted
    meshes for none (ADR 0136).
    """  # noqa: D205
    if not token.is_valid:
        return None
    url = dict(token.claims.members).get("iss")
    audiences = strings_in(token.claims, ("aud",))
    for issuer in accepted_issuers(mesh, node):
        accepted = issuer.accepted_audiences
        is_for_us = not set(audiences).isdisjoint(accepted) if audiences else not issuer.needs_audience
        if url == issuer.url and (not accepted or is_for_us):
            return issuer
    return None


def audiences_of(issuer: Issuer, claims: ClaimObject) -> tuple[str, ...]:
    """The audiences of a valid token; one that leaves out `aud` has the first that its issuer demands."""
    implied = () if issuer.is_strict_about_audience else issuer.audiences[:1]
    return strings_in(claims, ("aud",)) or implied


def strings_in(claims: ClaimObject, path: tuple[str, ...], words: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of a claim: "the strings in it: a string is one, a list its strings, `scope` and `permission` their
    words; numbers, booleans, objects are absent". Words are parted by blanks, in claims at the top alone; `words` are
    further claims that the issuer has as words.
    """  # noqa: D205
    value: ClaimValue = claims
    for name in path:
        if not isinstance(value, ClaimObject):
            return ()
        value = dict(value.members).get(name)
    if isinstance(value, str):
        is_words = len(path) == 1 and (path[0] in _WORDS or path[0] in words)
        return tuple(word for word in value.split(" ") if word) if is_words else (value,)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, str))
    return ()
