"""Envoy's JWT filter (envoy/extensions/filters/http/jwt_authn/v3), over tokens whose signature is told."""

from __future__ import annotations

from typing import Any

from tests.e2e.istio.rbac import Stream
from tests.e2e.istio.strings import Config

from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Token

_FILTER = "envoy.filters.http.jwt_authn"
_MISSING, _BAD, _GOOD = "missing", "bad", "good"


def verified(config: Config, stream: Stream) -> bool:
    """Whether the filter lets the request on; the payload of a token that it verified is metadata from then."""
    if config.get("bypassCorsPreflight") and _is_preflight(stream):
        return True
    place = _place_of_token(config, stream.arrival.token)
    requirement = config["rules"][0]["requires"]
    return _meets(requirement, config["providers"], place, stream) == _GOOD


def _is_preflight(stream: Stream) -> bool:
    lines = stream.arrival.lines
    return lines(":method") == ("OPTIONS",) and bool(lines("origin")) and bool(lines("access-control-request-method"))


def _place_of_token(config: Config, token: Token | None) -> object:
    """The token is where the provider of its issuer looks, else where the first one looks."""
    providers = [provider for _, provider in sorted(config["providers"].items())]
    own = [one for one in providers if token is not None and one.get("issuer") == payload_of(token).get("iss")]
    return _places((own or providers)[0])


def _places(provider: Config) -> object:
    return [provider.get(name) for name in ("fromHeaders", "fromParams", "fromCookies")]


def _meets(requirement: Config, providers: Config, place: object, stream: Stream) -> str:
    kind, value = next(iter(requirement.items()))
    if kind == "providerName":
        return _status(providers[value], place, stream)
    if kind == "allowMissing":
        return _MISSING
    found = [_meets(one, providers, place, stream) for one in value["requirements"]]
    if kind == "requiresAll":
        return next((one for one in found if one != _GOOD), _GOOD)
    if _GOOD in found:
        return _GOOD
    is_missing_allowed = any("allowMissing" in one for one in value["requirements"])
    if set(found) == {_MISSING}:
        return _GOOD if is_missing_allowed else _MISSING
    return _BAD


def _status(provider: Config, place: object, stream: Stream) -> str:
    token = stream.arrival.token
    if token is None or _places(provider) != place:
        return _MISSING
    payload = payload_of(token)
    audiences = payload.get("aud", [])
    named = {audiences} if isinstance(audiences, str) else set(audiences)
    wanted = set(map(_sanitized, provider.get("audiences", ())))
    is_for_us = not wanted or bool(wanted & set(map(_sanitized, named)))
    if not token.is_valid or payload.get("iss") != provider["issuer"] or not is_for_us:
        return _BAD
    words = provider.get("normalizePayloadInMetadata", {}).get("spaceDelimitedClaims", [])
    split = {name: value.split() for name, value in payload.items() if name in words and isinstance(value, str)}
    stream.metadata[_FILTER] = {provider["payloadInMetadata"]: payload | split}
    return _GOOD


def _sanitized(audience: str) -> str:
    """What jwt_verify_lib compares: `http://` or `https://` and a `/` at the end do not count."""
    for scheme in ("http://", "https://"):
        if audience.startswith(scheme):
            audience = audience[len(scheme) :]
            break
    return audience.removesuffix("/")


def payload_of(token: Token) -> dict[str, Any]:
    """The claims as JSON."""
    found = _plain(token.claims)
    assert isinstance(found, dict)
    return found


def _plain(value: ClaimValue) -> object:
    if isinstance(value, ClaimObject):
        return {name: _plain(one) for name, one in value.members}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
