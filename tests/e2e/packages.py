"""The packages that make certificates and tokens for the tests against Envoy."""

from __future__ import annotations

from importlib import import_module

NEEDED = ("cryptography", "jwt")


def missing_packages() -> tuple[str, ...]:
    """Those that are not installed."""
    return tuple(name for name in NEEDED if not _is_there(name))


def _is_there(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True
