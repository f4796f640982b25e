from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.policy import PolicyMaterial, load_policy
from meshproof.runtime.settings_run_file import parse_run_settings

BEHIND = """
mesh shop {{ language 1  trust-domain "shop.example"  namespace shop  mtls strict }}
gateway edge {{ hosts "a.example"  port http 80  trusted-proxies {proxies} }}
service catalog {{ port http 80 -> 8080 }}
service other {{ port http 80 -> 8080 }}
allow office: edge -> {reads}:http {{ GET /** when client.ip in "10.0.0.0/8" }}
allow pages: edge -> catalog:http {{ GET /open }}
"""
SETTINGS = b"""service = "catalog"
[policy]
bundle = "policy.json"
[identity]
folder = "svid"
[[inbound]]
port = 8080
listen = "127.0.0.1:0"
application = "127.0.0.1:1"
"""


def _load(proxies: int, reads: str) -> str:
    text = BEHIND.format(proxies=proxies, reads=reads)
    return load_policy(PolicyMaterial(bundle(text)), parse_run_settings(SETTINGS, Path("run.toml"))).bundle.policy


def test_a_client_that_proxies_before_a_gateway_hide_is_judged_by_nobody() -> None:
    """The last address that such a gateway writes is that of a proxy, which would open what is for the office alone."""
    with pytest.raises(RefusedError, match=r"`office` reads `client\.ip` behind `edge`, which trusts 2 proxies"):
        _load(2, "catalog")


@pytest.mark.parametrize(("proxies", "reads"), [(0, "catalog"), (2, "other")])
def test_other_policies_are_taken(proxies: int, reads: str) -> None:
    assert _load(proxies, reads) == "first"
