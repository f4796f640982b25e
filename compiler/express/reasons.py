"""Reasons for what is less strict than it should be, where the language wants some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.dsl.ast.reasons import MtlsMode as WrittenMode
from meshproof.dsl.ast.reasons import Reasons
from meshproof.dsl.ast.values import Date, Text

if TYPE_CHECKING:
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.names import Origin

MODES = {
    MtlsMode.STRICT: WrittenMode.STRICT,
    MtlsMode.PERMISSIVE: WrittenMode.PERMISSIVE,
    MtlsMode.DISABLED: WrittenMode.DISABLED,
}


def reasons(origin: Origin, wording: Wording, *, has_end: bool) -> Reasons:
    """Why, and until when if that is wanted."""
    return Reasons(Text(wording.because(origin)), None, Date(wording.until) if has_end else None)


def mtls_reasons(mode: MtlsMode, origin: Origin, wording: Wording) -> Reasons:
    """The reasons of an mTLS mode: `strict` needs none."""
    return Reasons() if mode is MtlsMode.STRICT else reasons(origin, wording, has_end=True)
