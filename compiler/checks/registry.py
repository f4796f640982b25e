"""All checks, found by walking the folders beside this file.

A module in one of these folders holds one check, bound to `CHECK`; a module whose name begins with an underscore is
shared by its neighbours and holds none.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules

from meshproof.compiler.checks.check import Check

CONCERNS = ("authz", "routing", "mtls", "identity", "assertions", "manifests")


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by code. Importing them loads no solver.

    Raises:
        RuntimeError: a module has no `CHECK`, or two checks have the same code or name (a mistake in the product).
    """
    checks = [_check_in(module) for concern in CONCERNS for module in _modules(concern)]
    checks.sort(key=lambda check: check.code)
    for one, other in pairwise(checks):
        if one.code == other.code:
            raise RuntimeError(f"{one.code} is given out twice, in {one.module} and {other.module}")
    return tuple(checks)


def find_check(code: str) -> Check | None:
    """The check of that code."""
    return next((check for check in all_checks() if check.code == code), None)


def _modules(concern: str) -> list[str]:
    folder = Path(__file__).parent / concern
    names = sorted(module.name for module in iter_modules([str(folder)]) if not module.name.startswith("_"))
    return [f"{__package__}.{concern}.{name}" for name in names]


def _check_in(module: str) -> Check:
    check = getattr(import_module(module), "CHECK", None)
    if not isinstance(check, Check):
        raise RuntimeError(f"{module} does not bind its check to `CHECK`")  # noqa: TRY004  no caller passed a type
    return check
