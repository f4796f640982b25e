"""Tokens that issuers of a policy have signed, and tokens that nobody should believe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from meshproof.compiler.ir.request import ClaimObject, ClaimValue

NEVER = 4102444800
"""2100-01-01: when the tokens of these tests end."""

LONG_AGO = 946684800
"""2000-01-01: when those ended that should not be believed any more."""

FORGERIES = ("wrong key", "expired", "unsigned", "cut", "no token")
"""The ways in which a token is not valid."""

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def _key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Mint:
    """A signing key for each issuer, by URL."""

    keys: dict[str, RSAPrivateKey] = field(default_factory=dict)
    stranger: RSAPrivateKey = field(default_factory=_key)

    def key(self, url: str) -> RSAPrivateKey:
        """The issuer's key."""
        if url not in self.keys:
            self.keys[url] = _key()
        return self.keys[url]

    def jwks(self, url: str) -> str:
        """What the issuer publishes."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key(url).public_key()))
        return json.dumps({"keys": [{**public, "kid": url, "use": "sig", "alg": "RS256"}]})

    def valid(self, claims: Mapping[str, Json]) -> str:
        """A token that the issuer in its claims signed."""
        url = str(claims.get("iss", ""))
        token: str = jwt.encode({**claims, "exp": NEVER}, self.key(url), algorithm="RS256", headers={"kid": url})
        return token

    def forged(self, claims: Mapping[str, Json], how: str) -> str:
        """A token with these claims that is not valid."""
        url = str(claims.get("iss", ""))
        whole = {**claims, "exp": LONG_AGO if how == "expired" else NEVER}
        key = self.stranger if how == "wrong key" else self.key(url)
        token: str = jwt.encode(whole, key, algorithm="RS256", headers={"kid": url})
        if how == "unsigned":
            token = jwt.encode(whole, "", algorithm="none")
        return token[:-8] if how == "cut" else "x.y.z" if how == "no token" else token


def plain(value: ClaimValue) -> Json:
    """Claims as JSON."""
    if isinstance(value, ClaimObject):
        return {name: plain(one) for name, one in value.members}
    return [plain(one) for one in value] if isinstance(value, tuple) else value
