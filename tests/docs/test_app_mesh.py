"""The examples of docs/targets/app-mesh.md do what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.console import fences, run_shown

FENCES = fences((Path(__file__).parents[2] / "docs/targets/app-mesh.md").read_text(encoding="utf-8"))
SHOWN = [text for kind, text in FENCES if kind == "console" and text.startswith("$ meshproof ")]
LINTED = [text for kind, text in FENCES if kind == "console" and text.startswith("$ cfn-lint ")]
_TLS = ", Protocol: http}\n            TLS"
BROKEN = ((f"Port: 9000{_TLS}", f"Port: 90000{_TLS}"), ("VirtualNode: pay,", "VirtualNode: paid,"))
"""What the page says is changed for cfn-lint."""


@pytest.mark.parametrize("shown", SHOWN, ids=[text.splitlines()[0] for text in SHOWN])
def test_the_example_prints_what_the_page_says(shown: str, tmp_path: Path) -> None:
    for kind, name in (("yaml", "shop.yaml"), ("mesh", "shop.mesh")):
        (text,) = [text for found, text in FENCES if found == kind]
        (tmp_path / name).write_text(text, encoding="utf-8")
    done, said = run_shown(shown, tmp_path)
    assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.mark.oracle
def test_cfn_lint_prints_what_the_page_says(tmp_path: Path) -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint, of the extra `oracles`, is not installed")
    (template,) = [text for kind, text in FENCES if kind == "yaml"]
    for old, new in BROKEN:
        assert template.count(old) == 1
        template = template.replace(old, new)
    (tmp_path / "broken.yaml").write_text(template, encoding="utf-8")
    (shown,) = LINTED
    done, said = run_shown(shown, tmp_path)
    assert done.stdout.strip() == said.strip(), done.stderr
