"""Meshproof: a policy-as-code compiler and verifier for service meshes.

The public functions are those of `meshproof.compiler.api`, loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.api import Part, Policy, Report, check, decide, policy_of_texts, read_policy

__version__ = "0.1.0"

__all__ = ["Part", "Policy", "Report", "__version__", "check", "decide", "policy_of_texts", "read_policy"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from meshproof.compiler import api  # noqa: PLC0415  importing the package alone stays light

    return getattr(api, name)
