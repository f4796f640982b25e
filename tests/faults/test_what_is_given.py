"""Policies and identities that are broken, foreign or over. docs/operations/sidecar.md promises the same."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.faults.ground import OPENED, PROXY, Ground, Line, Sidecar, bundle, put, run
from tests.unit.runtime.identity.certificates import LEAF, authority
from tests.unit.runtime.identity.handshakes import stranger

from meshproof.runtime.signature import sign

pytestmark = pytest.mark.slow
QUICK = "[process]\nwatch_seconds = 1\ndrain_seconds = 1\n"
CLOCK = Path(__file__).parent / "clock"
FORTY_YEARS = 40 * 365 * 86_400


async def _decides_as_before(line: Line) -> None:
    assert [await line.ask(), await line.ask(method="POST")] == [200, 403]


async def _refuses(sidecar: Sidecar, context: ssl.SSLContext | None) -> bool:
    """Whether nobody gets an answer so: the handshake fails, or the connection ends after it (as in TLS 1.3)."""
    try:
        line = await sidecar.connect(context)
    except (OSError, ssl.SSLError):
        return True
    status = await line.ask()
    await line.close()
    return status == 0


def test_bundles_that_are_not_good(tmp_path: Path) -> None:
    """Broken, cut off, of an older format, not signed, signed by somebody else: the last good one decides, told once a
    reason and counted; the next good one is taken by connections that are open."""
    secret, public = _signer()
    other, _ = _signer()
    ground = Ground(tmp_path)
    put(ground.folder / "signer.pub", public)
    put(ground.policy, sign(bundle(), secret))
    opened = bundle(OPENED, "second")
    wrong = (
        b"",
        sign(opened, secret)[:-300],
        sign(opened, secret).replace(b"payload", b"paYload", 1),
        sign(opened.replace(b"bundle/v1", b"bundle/v0"), secret),
        opened,
        sign(opened, other),
    )

    async def body() -> None:
        async with ground.sidecar(QUICK, 'trusted_keys = ["signer.pub"]\n') as sidecar:
            line = await ground.call(sidecar)
            for number, content in enumerate(wrong, 1):
                put(ground.policy, content)
                assert (await sidecar.event("reload-refused", number))["what"] == "policy"
                await _decides_as_before(line)
            assert await sidecar.metric('meshproof_config_reload_total{result="refused"}') == len(wrong)
            put(ground.policy, sign(opened, secret))
            while await line.ask(method="POST") != 200:
                pass
            await line.close()

    run(body())


def test_policies_that_are_older(tmp_path: Path) -> None:
    """Where the settings ask for revisions, an older one, well signed as it is, decides nothing: not while the sidecar
    runs, and not at its next start, which ends with 2. Compiled with a greater number it is taken."""
    secret, public = _signer()
    ground = Ground(tmp_path)
    put(ground.folder / "signer.pub", public)
    put(ground.policy, sign(bundle(OPENED, "opened", 3), secret))
    guard = 'trusted_keys = ["signer.pub"]\nrevision_file = "revision"\n'

    async def body() -> None:
        async with ground.sidecar(QUICK, guard) as sidecar:
            line = await ground.call(sidecar)
            assert await line.ask(method="POST") == 200
            put(ground.policy, sign(bundle(revision=7), secret))
            assert (await sidecar.event("reloaded"))["revision"] == 7
            while await line.ask(method="POST") != 403:
                pass
            put(ground.policy, sign(bundle(OPENED, "opened", 3), secret))
            assert "is older than 7" in str((await sidecar.event("reload-refused"))["why"])
            await _decides_as_before(line)
            assert await sidecar.metric('meshproof_config_reload_total{result="refused"}') == 1
            told = json.loads((await sidecar.page("/policy"))[1])["policy"]
            assert (told["revision"], "is older than 7" in told["refused"]["why"]) == (7, True)
            await line.close()
        again = await asyncio.create_subprocess_exec(
            PROXY, "run", "--config", ground.folder / "run.toml", stderr=asyncio.subprocess.PIPE
        )
        assert b"is older than 7" in (await again.communicate())[1]
        assert again.returncode == 2
        put(ground.policy, sign(bundle(OPENED, "opened", 8), secret))
        await ground.application.start()
        async with ground.sidecar(QUICK, guard) as sidecar:
            line = await ground.call(sidecar)
            assert await line.ask(method="POST") == 200
            await line.close()

    run(body())


def test_policies_that_were_before(tmp_path: Path) -> None:
    """Where the settings ask for no revision, the policy of before is taken: that is how one is undone."""
    ground = Ground(tmp_path)
    put(ground.policy, bundle(OPENED, "opened", 3))

    async def body() -> None:
        async with ground.sidecar(QUICK) as sidecar:
            line = await ground.call(sidecar)
            put(ground.policy, bundle(revision=7))
            while await line.ask(method="POST") != 403:
                pass
            put(ground.policy, bundle(OPENED, "opened", 3))
            while await line.ask(method="POST") != 200:
                pass
            assert [one["name"] for one in sidecar.events if one["event"] == "reloaded"] == ["first", "opened"]
            await line.close()

    run(body())


def test_identities_that_are_swapped(tmp_path: Path) -> None:
    """A new one is shown in new handshakes, and connections stay. None of another service or domain is
    taken, and none that is over."""
    other = authority("other.example")

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(QUICK) as sidecar:
            line = await ground.call(sidecar)
            first = _serial(line)
            await _decides_as_before(line)
            ground.give_identity(ground.leaf("front"))
            assert "is that of" in str((await sidecar.event("reload-refused"))["why"])
            ground.give_identity(other.account("/ns/shop/sa/catalog", "other.example"), other)
            assert "other.example" in str((await sidecar.event("reload-refused", 2))["why"])
            ground.give_identity(ground.leaf("catalog", ends=datetime(2020, 1, 1, tzinfo=UTC)))
            assert "is not valid after 2020" in str((await sidecar.event("reload-refused", 3))["why"])
            assert await _shown(ground, sidecar) == first
            await _decides_as_before(line)
            second = ground.leaf("catalog")
            ground.give_identity(second)
            await sidecar.event("reloaded")
            while (found := await _shown(ground, sidecar)) == first:
                pass
            assert found == f"{second.certificate.serial_number:X}".zfill(len(found))
            await _decides_as_before(line)
            await line.close()

    run(body())


def test_callers_who_are_nobody(tmp_path: Path) -> None:
    """A certificate that is over, or of another trust domain, or none at all: no request is answered, others go on."""
    other = authority("other.example")

    async def body() -> None:
        ground = Ground(tmp_path)
        async with ground.sidecar(QUICK) as sidecar:
            line = await ground.call(sidecar)
            nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            nobody.check_hostname = False
            nobody.verify_mode = ssl.CERT_NONE
            contexts = [
                stranger(ground.leaf("front", ends=datetime(2020, 1, 1, tzinfo=UTC))),
                stranger(ground.leaf("front", begins=datetime(2099, 1, 1, tzinfo=UTC))),
                stranger(other.account("/ns/shop/sa/front", "other.example")),
                stranger(other.sign(replace(LEAF, uris=("spiffe://shop.example/ns/shop/sa/front",)))),
                nobody,
                None,
            ]
            assert [await _refuses(sidecar, context) for context in contexts] == [True] * len(contexts)
            await _decides_as_before(line)
            assert await sidecar.metric("meshproof_faults_total") >= 4
            await line.close()
        assert ground.application.requests == 1

    run(body())


@pytest.mark.parametrize("seconds", [FORTY_YEARS, -FORTY_YEARS], ids=["forward", "back"])
def test_a_clock_that_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Out of the dates of the own certificate nobody is let in and `/readyz` says 503; and then all are.

    Connections that are there go on, but for those of callers whose certificate is over.
    """
    clock = tmp_path / "clock"
    clock.write_text("0", encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(CLOCK))
    monkeypatch.setenv("MESHPROOF_CLOCK_FILE", str(clock))
    end = datetime(2060, 1, 1, tzinfo=UTC)

    async def body() -> None:
        ground = Ground(tmp_path)
        ground.give_identity(ground.leaf("catalog", ends=end))
        async with ground.sidecar(QUICK) as sidecar:
            assert (await sidecar.page("/readyz"))[0] == 200
            stays, ends = await ground.call(sidecar), await ground.call(sidecar, ground.leaf("front", ends=end))
            assert [await stays.ask(), await ends.ask()] == [200, 200]
            put(clock, str(seconds).encode("ascii"))
            await sidecar.event("identity-over")
            assert (await sidecar.page("/readyz"))[0] == 503
            assert await _refuses(sidecar, stranger(ground.leaf("front")))
            await _decides_as_before(stays)
            if seconds > 0:
                assert await ends.reader.read() == b""
            else:
                await _decides_as_before(ends)
            put(clock, b"0")
            assert (await sidecar.page("/readyz"))[0] == 200
            line = await ground.call(sidecar)
            await _decides_as_before(line)
            for one in (line, stays, ends):
                await one.close()

    run(body())


def _serial(line: Line) -> str:
    return str(line.writer.get_extra_info("peercert")["serialNumber"])


async def _shown(ground: Ground, sidecar: Sidecar) -> str:
    line = await ground.call(sidecar)
    found = _serial(line)
    await line.close()
    return found


def _signer() -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
