"""The keys of issuers, in the parent."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.framing import keys_of_frame
from meshproof.runtime.net.material.keys import IssuerKeys, check_files
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.settings_run import TokenKeys

IDP = IssuerName("idp")
KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "one"}
GOOD = json.dumps({"keys": [KEY]}).encode()
NEXT = json.dumps({"keys": [{**KEY, "kid": "two"}]}).encode()
WRONG = IssuerName("wrong")


def test_keys_are_handed_on_as_they_come_and_what_is_broken_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(GOOD)
    frames: list[Frame] = []
    told: list[tuple[str, str]] = []
    now = [100.0]

    async def body() -> None:
        keys = IssuerKeys((TokenKeys(IDP, path),), frames.append, lambda *one: told.append(one), lambda: now[0])
        await keys.start()
        assert keys_of_frame(frames[0]) == (IDP, GOOD, 3600.0)
        now[0] += 600
        assert keys_of_frame(keys.frames[0]) == (IDP, GOOD, 3000.0)
        path.write_bytes(b"{}")
        await keys.look()
        assert not await keys.refresh()
        assert told == [("idp", "it is no object with a list of `keys`")]
        assert keys.troubles == {"idp": told[0][1]}
        assert keys.known == (IDP,)
        path.write_bytes(NEXT)
        await keys.look()
        assert keys_of_frame(frames[-1]) == (IDP, NEXT, 3600.0)
        assert keys.troubles == {}
        now[0] += 3601
        assert [len(keys.known), len(keys.frames)] == [0, 0]
        keys.want(IDP)
        keys.want(WRONG)
        await keys.stop()

    asyncio.run(asyncio.wait_for(body(), 20))


def test_an_issuer_without_keys_keeps_nobody_from_starting(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    async def body() -> None:
        keys = IssuerKeys((TokenKeys(IDP, tmp_path / "none"),), lambda _: None, lambda *one: told.append(one))
        await keys.start()
        await keys.stop()
        assert keys.frames == ()

    asyncio.run(asyncio.wait_for(body(), 20))
    assert "cannot be read" in told[0][1]


def test_files_are_checked_before_a_start(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(GOOD)
    check_files((TokenKeys(IDP, path), TokenKeys(WRONG, url="http://127.0.0.1:1/keys")))
    path.write_bytes(b"{")
    with pytest.raises(RefusedError, match="the keys of `idp`"):
        check_files((TokenKeys(IDP, path),))
    with pytest.raises(RefusedError, match="the keys of `wrong`: `http://elsewhere/keys` is neither"):
        check_files((TokenKeys(WRONG, url="http://elsewhere/keys"),))
