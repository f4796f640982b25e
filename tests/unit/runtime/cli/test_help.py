"""Who only asks for help waits for nothing, and needs nothing of the extra `runtime`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from meshproof.runtime.cli import COMMANDS, main

HEAVY = ("z3", "lark", "rich", "click", "yaml", "jsonschema", "asyncio", "ssl")
RUNTIME = ("cryptography", "google", "grpc", "h2", "httptools", "jwt", "prometheus_client", "re2", "uvloop")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((one.name, "--help") for one in COMMANDS)])
def test_asking_for_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        "from meshproof.runtime.cli import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as left:\n    assert left.code == 0, left.code\n"
        f"print('loaded:', *sorted(set({HEAVY + RUNTIME!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: object) -> int:
        raise ModuleNotFoundError("No module named 'h2.inner'", name="h2.inner")

    monkeypatch.setattr("meshproof.runtime.cli.COMMANDS", tuple(replace(one, run=run) for one in COMMANDS))
    with pytest.raises(SystemExit) as left:
        main(["authz", "--config", "x"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "meshproof-proxy: it needs `h2`, of the extra `runtime`\n"
