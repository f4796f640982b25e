"""Where a policy and the settings of a sidecar do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.runtime.net.material.fit import gaps
from meshproof.runtime.settings_run_file import parse_run_settings

MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
issuer idp { url "https://idp.example"  jwks "https://idp.example/keys"  audiences "shop" }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080  accepts idp }
service ledger { port http 80 -> 8081  port tcp 90 -> 9090  versions v1, v2 }
route ledger:http {
    /new/** => v2
    otherwise => v1
}
allow browse: front -> catalog:http { GET /items/** when has token }
allow book: catalog -> ledger:http { POST /** }
allow raw: catalog -> ledger:tcp
"""
TOP = (
    'service = "catalog"\n[policy]\nbundle = "p"\n[identity]\nfolder = "f"\n'
    '[[inbound]]\nport = 8080\nlisten = "127.0.0.1:1"\napplication = "127.0.0.1:2"\n'
)
TOKENS = '[[tokens]]\nissuer = "idp"\njwks_file = "k"\n'
OUT = '[[outbound]]\ndestination = "ledger"\nport = {port}\nlisten = "127.0.0.1:0"\n'
AT = '[[endpoints]]\ndestination = "ledger"\nport = {port}\naddresses = ["127.0.0.1:9"]\n'


def _gaps(text: str, policy: str = MESH) -> tuple[str, ...]:
    mesh = policy_of_texts({"m.mesh": policy}).meshes[0]
    return gaps(mesh, parse_run_settings((TOP + text).encode(), Path("/etc/run.toml")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TOKENS, []),
        ("", ["the keys of `idp`, whose tokens `catalog` accepts, are not said"]),
        (TOKENS + OUT.format(port=7), ["the policy declares no port `7` of `ledger`, which is called"]),
        (
            TOKENS + OUT.format(port=8081) + AT.format(port=8081) + 'version = "v1"\n',
            ["there are no endpoints of `ledger:8081` version `v2`, to which requests for `ledger` may go"],
        ),
        (TOKENS + OUT.format(port=9090), ["there are no endpoints of `ledger:9090`"]),
        (TOKENS + OUT.format(port=9090) + AT.format(port=9090), []),
    ],
)
def test_what_is_refused_when_it_comes_up_is_told_before(text: str, found: list[str]) -> None:
    said = _gaps(text)
    assert len(said) == len(found)
    assert all(one.startswith(begin) for one, begin in zip(said, found, strict=True))


def test_a_port_of_bytes_whose_rules_read_sni_is_told_where_it_is_called() -> None:
    out = TOKENS + OUT.format(port=9090) + AT.format(port=9090)
    named = MESH + 'deny named: catalog -> ledger:tcp { when sni == "x.example" }\n'
    (told,) = _gaps(out, named)
    assert told.startswith("rule `named` reads `sni`")
    assert "each connection to `ledger:9090` is refused" in told
    http = OUT.format(port=8081) + "".join(AT.format(port=8081) + f'version = "{one}"\n' for one in ("v1", "v2"))
    assert _gaps(TOKENS + http, named) == ()
