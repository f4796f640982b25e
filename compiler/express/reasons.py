"""Reasons for what is less strict than it should be: those that are given, else those that the language wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.dsl.ast.reasons import NO_REASONS, Observe, Reasons
from meshproof.dsl.ast.reasons import MtlsMode as WrittenMode
from meshproof.dsl.ast.values import Date, Text

if TYPE_CHECKING:
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Exemption
    from meshproof.compiler.ir.mtls import MtlsPolicy
    from meshproof.compiler.ir.names import Origin

MODES = {
    MtlsMode.STRICT: WrittenMode.STRICT,
    MtlsMode.PERMISSIVE: WrittenMode.PERMISSIVE,
    MtlsMode.DISABLED: WrittenMode.DISABLED,
}


def reasons(
    origin: Origin, wording: Wording, *, has_end: bool, given: AuthzRule | MtlsPolicy | Exemption | None = None
) -> Reasons:
    """Why, and until when if that is wanted; what is given stands."""
    because = None if given is None else given.because
    owner = None if given is None else given.owner
    until = None if given is None else given.until
    if until is None and has_end:
        until = wording.until
    return Reasons(
        Text(wording.because(origin) if because is None else because),
        None if owner is None else Text(owner),
        None if until is None else Date(until),
    )


def mtls_reasons(policy: MtlsPolicy, wording: Wording) -> Reasons:
    """The reasons of an mTLS mode: `strict` needs none."""
    if policy.mode is MtlsMode.STRICT:
        return NO_REASONS
    return reasons(policy.origin, wording, has_end=True, given=policy)


def observed(exemption: Exemption | None, wording: Wording) -> Observe | None:
    """`observe` with its reasons."""
    if exemption is None:
        return None
    return Observe(reasons(exemption.origin, wording, has_end=True, given=exemption))
