"""Nothing in the tree says of itself that it is not done, and no test passes without having looked at anything."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# Written with brackets, so that this file does not find itself.
MARKS = re.compile(
    r"TO[D]O|FIX[M]E|X[X]X|NotImplemented[E]rror|not[ ]implemented|place[h]older|\bfor[ ]now\b|pragma:[ ]no cover"
)
LOOKS = re.compile(r"assert|raises|warns|fail")


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := PROJECT / name).is_file()]


def _tests(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [function for function in functions if function.name.startswith("test")]


def _calls_and_asserts(function: ast.AST, helpers: dict[str, ast.AST]) -> bool:
    """Whether something is asserted in the function, or in a function of the same file that it calls."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if LOOKS.search(name.rsplit(".", 1)[-1]):
                return True
            if name in helpers and _calls_and_asserts(helpers[name], {k: v for k, v in helpers.items() if k != name}):
                return True
    return False


def test_no_line_reads_as_unfinished_work() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in _tracked("*.py", "*.md", "*.toml", "*.lark", "*.mesh", "*.sh", "Makefile", ":!CHANGELOG.md")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MARKS.search(line)
    ]

    assert found == []


def test_every_test_asserts_something() -> None:
    empty = []
    for path in _tracked("tests/**/test_*.py", "tests/test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        helpers: dict[str, ast.AST] = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        empty += [
            f"{path.relative_to(PROJECT)}:{function.lineno} {function.name}"
            for function in _tests(path)
            if not _calls_and_asserts(function, {k: v for k, v in helpers.items() if k != function.name})
        ]

    assert empty == []


def test_no_test_sleeps_or_asks_what_day_it_is() -> None:
    asks = re.compile(r"\btime\.sleep\(|\bdate\.today\(|\bdatetime\.now\(|\butcnow\(")
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in _tracked("tests/**/*.py")
        if not path.is_relative_to(PROJECT / "tests/meta")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if asks.search(line)
    ]

    assert found == []
