"""Tokens at a sidecar that runs: valid ones, those that are over, forged ones, and keys that are published later."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.envoy.tokens import LONG_AGO, NEVER
from tests.faults.ground import MESH, Ground, Line, bundle, put, run
from tests.strategies.minting import jwk, jwks, signed

pytestmark = pytest.mark.slow
POLICY = MESH.replace("service catalog {", "service catalog { accepts login").replace(
    "allow browse",
    'issuer login { url "https://login.example"  jwks "https://login.example/keys"  audiences "shop" }\nallow browse',
)
MINE = POLICY.replace("{ GET /items/** }", '{ GET /items/** when token.subject == "ann" }')
CLAIMS = {"iss": "https://login.example", "aud": "shop", "sub": "ann", "exp": NEVER}
TOKENS = '[[tokens]]\nissuer = "login"\njwks_file = "keys.json"\n[process]\nworkers = 2\ndrain_seconds = 1\n'


async def _asked(line: Line, token: bytes | None) -> int:
    said = b"" if token is None else b"authorization: Bearer " + token + b"\r\n"
    line.writer.write(b"GET /items/1 HTTP/1.1\r\nhost: catalog\r\n" + said + b"\r\n")
    return await line.answer()


def test_valid_ones_pass_and_no_others(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    put(ground.policy, bundle(MINE))
    put(tmp_path / "keys.json", jwks(jwk("RS256"), jwk("ES256")))

    async def body() -> None:
        async with ground.sidecar(TOKENS) as sidecar:
            line = await ground.call(sidecar)
            for token, status in (
                (signed(CLAIMS), 200),
                (signed(CLAIMS, "ES256"), 200),
                (None, 403),
                (signed({**CLAIMS, "sub": "bob"}), 403),
                (signed({**CLAIMS, "exp": LONG_AGO}), 401),
                (signed(CLAIMS, "RS256", 1, kid="RS256-0"), 401),
                (signed({**CLAIMS, "aud": "mail"}), 401),
                (signed(CLAIMS, "RS256", 0, alg="none"), 401),
                (b"x", 401),
                (signed(CLAIMS), 200),
            ):
                assert await _asked(line, token) == status, token
            assert ground.application.requests == 3

    run(body())


def test_a_key_that_is_published_later_reaches_all_workers(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    put(ground.policy, bundle(MINE))
    put(tmp_path / "keys.json", jwks(jwk("RS256")))

    async def body() -> None:
        async with ground.sidecar(TOKENS.replace("[process]", "[process]\nwatch_seconds = 1")) as sidecar:
            lines = [await ground.call(sidecar) for _ in range(8)]
            new = signed(CLAIMS, "ES256")
            assert {await _asked(line, new) for line in lines} == {401}
            put(tmp_path / "keys.json", jwks(jwk("ES256")))
            while {await _asked(line, new) for line in lines} != {200}:
                assert not sidecar.process.returncode
            assert {await _asked(line, signed(CLAIMS)) for line in lines} == {401}

    run(body())


def test_without_keys_no_token_is_believed_and_requests_without_pass(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    put(ground.policy, bundle(POLICY))
    url = 'jwks_url = "http://127.0.0.1:1/keys"'  # nobody is there

    async def body() -> None:
        async with ground.sidecar(TOKENS.replace('jwks_file = "keys.json"', url)) as sidecar:
            line = await ground.call(sidecar)
            assert [await _asked(line, token) for token in (None, signed(CLAIMS))] == [200, 401]

    run(body())
