"""A gate that only asks for help, or only needs the IR, does not wait for the solver to load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from meshproof.compiler.cli.root import COMMANDS

HEAVY = ("z3", "lark", "rich", "yaml", "grpc", "jsonschema", "cryptography")


def _loaded(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("loaded:")
    return set(last.split()[1:])


def _cli(*arguments: str) -> str:
    return (
        "from meshproof.compiler.cli import main\n"
        "import sys\n"
        f"sys.argv = ['meshproof', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as left:\n    assert left.code in (0, None), left.code"
    )


@pytest.mark.parametrize(
    "module",
    [
        "meshproof",
        "meshproof.compiler.ir",
        "meshproof.compiler.ir.mesh",
        "meshproof.compiler.ir.serde",
        "meshproof.compiler.backend.target",
        "meshproof.compiler.semantics",
        "meshproof.compiler.patterns",
        "meshproof.dsl.diagnostic",
        "meshproof.dsl.problems",
        "meshproof.runtime",
    ],
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    assert _loaded(f"import {module}") == set()


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_asking_for_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert _loaded(_cli(*arguments)) == set()


def test_what_is_looked_for_can_be_found() -> None:
    assert _loaded("import lark, yaml") == {"lark", "yaml"}


def test_the_public_functions_load_when_they_are_asked_for_and_not_before() -> None:
    lazily = "import meshproof, sys; assert not any(m.startswith('meshproof.compiler') for m in sys.modules)"

    assert _loaded(lazily) == set()
