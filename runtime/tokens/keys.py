"""The keys of an issuer, out of the JWKS (RFC 7517) that it publishes: public ones, each for its algorithms alone."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse

MOST_BYTES = 1_048_576
_MOST_KEYS = 128
_MOST_TRIED = 8
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE = {("EC", "P-256"): "ES256", ("EC", "P-384"): "ES384", ("EC", "P-521"): "ES512", ("OKP", "Ed25519"): "EdDSA"}
ALGORITHMS = frozenset((*_RSA, *_BY_CURVE.values()))
"""All that are taken: none is symmetric, so a key that is public signs nothing."""

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LOADED = ("kty", "crv", "x", "y", "n", "e")
_LOOKED_AT = ("kid", "alg", *_LOADED)
_NUMBER = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_RSA_BITS = (2048, 8192)
_RSA_EXPONENTS = (3, 2**33)
_JWS = PyJWS(algorithms=sorted(ALGORITHMS))


class KeysError(Exception):
    """This is no set of keys that is taken. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key. `by_algorithm` holds those that it verifies, pinned by its type, its curve and its `alg`.

    Keys are the same where they were published the same, as `told`.
    """

    kid: str | None
    told: bytes
    by_algorithm: dict[str, PyJWK] = field(compare=False)

    def has_signed(self, text: bytes, algorithm: str) -> bool:
        """Whether a compact JWS that says `algorithm` is signed by this key."""
        try:
            _JWS.decode_complete(text, self.by_algorithm[algorithm], algorithms=[algorithm])
        except PyJWTError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of an issuer at one time. `skipped` counts those that cannot be used here."""

    keys: tuple[Key, ...]
    skipped: int = 0

    def knows(self, kid: str) -> bool:
        """Whether one of the keys is called so, whatever it verifies."""
        return any(key.kid == kid for key in self.keys)

    def fitting(self, kid: str | None, algorithm: str) -> tuple[Key, ...]:
        """The keys that may have signed a token: of its `kid`, or of none; all where it names none.

        None of them where there are more than a few, for each costs whoever verifies.
        """
        named = tuple(
            key
            for key in self.keys
            if algorithm in key.by_algorithm and (kid is None or key.kid is None or key.kid == kid)
        )
        return named if len(named) <= _MOST_TRIED else ()


def key_set(data: bytes) -> KeySet:
    """The keys of a JWKS. What is no key for signatures is skipped; a set without any is refused: `KeysError`."""
    if len(data) > MOST_BYTES:
        raise KeysError(f"it has more than {MOST_BYTES} bytes")
    try:
        value = parse(data)
    except JsonError as error:
        raise KeysError(error.message) from None
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise KeysError("it is no object with a list of `keys`")
    if len(listed) > _MOST_KEYS:
        raise KeysError(f"it has more than {_MOST_KEYS} keys")
    keys = tuple(_keys(listed))
    if not keys:
        raise KeysError("it has no public key of RSA (2048 to 8192 bits), of P-256, P-384, P-521 or of Ed25519")
    return KeySet(keys, len(listed) - len(keys))


def _keys(listed: list[Json]) -> Iterator[Key]:
    for one in listed:
        if isinstance(one, dict) and _is_for_signatures(one):
            kid = one.get("kid")
            by_algorithm = {name: key for name in _algorithms(one) if (key := _loaded(one, name)) is not None}
            if by_algorithm:
                told = canonical({name: one[name] for name in _LOOKED_AT if name in one})
                yield Key(kid if isinstance(kid, str) else None, told, by_algorithm)


def _is_for_signatures(jwk: dict[str, Json]) -> bool:
    """A key whose private half is published is nobody's any more."""
    operations = jwk.get("key_ops", ["verify"])
    is_named = "kid" not in jwk or isinstance(jwk["kid"], str)
    is_verifying = isinstance(operations, list) and "verify" in operations
    return is_named and is_verifying and jwk.get("use", "sig") == "sig" and _PRIVATE.isdisjoint(jwk)


def _algorithms(jwk: dict[str, Json]) -> tuple[str, ...]:
    kind, curve, pinned = jwk.get("kty"), jwk.get("crv"), jwk.get("alg")
    found = tuple(name for told, name in _BY_CURVE.items() if told == (kind, curve))
    if kind == "RSA" and _is_sound(jwk):
        found = _RSA
    return found if "alg" not in jwk else tuple(name for name in found if name == pinned)


def _is_sound(jwk: dict[str, Json]) -> bool:
    modulus, exponent = (_number(jwk.get(name)) for name in ("n", "e"))
    return (
        _RSA_BITS[0] <= modulus.bit_length() <= _RSA_BITS[1]
        and exponent % 2 == 1
        and _RSA_EXPONENTS[0] <= exponent < _RSA_EXPONENTS[1]
    )


def _number(value: Json) -> int:
    if not isinstance(value, str) or not _NUMBER(value):
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except ValueError:
        return 0


def _loaded(jwk: dict[str, Json], algorithm: str) -> PyJWK | None:
    told = {name: jwk[name] for name in _LOADED if name in jwk}
    try:
        return PyJWK(told, algorithm)
    except (PyJWTError, TypeError, ValueError):
        return None
