"""Tokens at a sidecar: what is no valid one is 401, claims are read, and `strip` keeps it from the workload."""

from __future__ import annotations

from tests.strategies.minting import jwk, jwks, signed
from tests.unit.runtime.net.inbound_scenes import caller, run, serving

from meshproof.compiler.ir.names import IssuerName

FAR = 4_000_000_000
MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
issuer idp { url "https://idp"  jwks "https://idp/keys"  audiences "shop"  STRIP }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080  port db tcp 5432  accepts idp }
allow browse: front -> catalog:http { GET /items/** when token from idp and claim["sub"] == "ann" }
"""
UNAUTHORIZED = (401, b'{"error":"no valid token","status":401}')


def _bearer(**more: object) -> str:
    claims = {"iss": "https://idp", "aud": "shop", "exp": FAR, "sub": "ann", **more}
    return f"authorization: Bearer {signed(claims, 'ES256').decode('ascii')}\r\n"


def _asked(mesh: str, *headers: str, has_keys: bool = True) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []

    async def body() -> None:
        async with serving(mesh) as scene:
            if has_keys:
                scene.sidecar.take_keys(IssuerName("idp"), jwks(jwk("ES256")), 3600.0)
            one = await scene.call(caller())
            found.extend([await one.ask("/items/1", header) for header in headers])

    run(body())
    return found


def test_a_token_is_verified_and_what_it_claims_is_read() -> None:
    good, other, none = _asked(MESH.replace("STRIP", ""), _bearer(), _bearer(sub="eve"), "")
    assert (good[0], b"bearer ey" in good[1].lower()) == (200, True)
    assert (other[0], none[0]) == (403, 403)


def test_what_is_no_valid_token_is_401_whatever_is_wrong_with_it() -> None:
    broken = _bearer().replace("Bearer e", "Bearer f")
    headers = (_bearer(exp=1), _bearer(aud="bank"), _bearer(iss="https://evil"), broken, _bearer() * 2)
    assert _asked(MESH.replace("STRIP", ""), *headers) == [UNAUTHORIZED] * len(headers)


def test_without_keys_no_token_is_valid() -> None:
    assert _asked(MESH.replace("STRIP", ""), _bearer(), has_keys=False) == [UNAUTHORIZED]


def test_a_token_of_an_issuer_that_says_so_does_not_reach_the_workload() -> None:
    ((status, asked),) = _asked(MESH.replace("STRIP", "strip"), _bearer())
    assert status == 200
    assert b"authorization" not in asked.lower()
    assert b"x-forwarded-client-cert" in asked.lower()
