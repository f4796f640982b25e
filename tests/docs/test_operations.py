"""The commands at the head of the pages of operations, as a shell runs them beside settings that are there already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meshproof.runtime.identity import development

PAGES = Path(__file__).parents[2] / "docs/operations"
POLICY = """mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service catalog { port http 80 -> 8080 }
service front {}
allow browse: front -> catalog:http { GET /items/** }
"""
RUN = """service = "catalog"
[policy]
bundle = "policy.json"
[identity]
folder = "svid"
[[inbound]]
port = 8080
listen = "127.0.0.1:0"
application = "127.0.0.1:8081"
[limits]
connections = 100
"""
AUTHZ = """[policy]
bundle = "policy.json"
[[destination]]
path_prefix = "/catalog"
service = "catalog"
port = 8080
"""


def _commands(page: str) -> list[str]:
    text = (PAGES / page).read_text(encoding="utf-8")
    fence = re.search(r"^```\n(meshproof compile .*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert fence is not None
    return fence[1].splitlines()


@pytest.mark.parametrize(("page", "name", "settings"), [("sidecar.md", "run", RUN), ("authz.md", "authz", AUTHZ)])
def test_a_policy_is_compiled_and_checked_twice_by_what_the_page_says(
    tmp_path: Path, page: str, name: str, settings: str
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / f"{name}.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "shop.mesh").write_text(POLICY, encoding="utf-8")
    authorities = development.make_authority(tmp_path / "ca", "shop.example", (now := time.time()), 86_400)
    identity = development.identity_of("/ns/shop/sa/catalog", "shop.example")
    development.issue(authorities, etc / "svid", identity, (now, 3600), replaces=False)
    *commands, runs = _commands(page)
    assert commands[-1] == f"{runs} --check"
    for command in (*commands, *commands):
        line = command.replace("POLICY", "shop.mesh").replace("/etc/meshproof", "etc")
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (etc / "policy.json").read_bytes() == (tmp_path / "build/policy.json").read_bytes()
