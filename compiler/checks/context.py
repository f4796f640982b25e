"""What a check may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.verify.analysis import Analysis
    from meshproof.compiler.verify.claim_result import JudgedClaim
    from meshproof.dsl.ast.document import Document
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import SourceFile


def _no_claims() -> tuple[JudgedClaim, ...]:
    return ()


def _nowhere_else() -> tuple[CheckContext, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class CheckContext:
    """One policy in one environment, as of `day`.

    `documents` are the parsed files (none for lifted policies) and `sources` their texts by path. `analysis()` is
    the solver's view, made on the first call and shared by all checks: call it only in a check with `Needs.SMT`.
    `claims()` are the claims that were asked for with what is known of them, decided on the first call: call that, too,
    only in a check with `Needs.SMT`. `findings` is empty but for a check with `Needs.FINDINGS`: then it is all that was
    found before waivers counted. `elsewhere()` is the same policy in the other environments that are judged.
    `is_app_mesh` says that the files were of App Mesh, whose people set other things than those of Istio.
    """

    mesh: Mesh
    day: date
    documents: tuple[Document, ...]
    sources: Mapping[str, SourceFile]
    analysis: Callable[[], Analysis]
    findings: tuple[Diagnostic, ...] = ()
    claims: Callable[[], tuple[JudgedClaim, ...]] = _no_claims
    elsewhere: Callable[[], tuple[CheckContext, ...]] = _nowhere_else
    is_app_mesh: bool = False

    def worded(self, language: str, manifests: str, app_mesh: str | None = None) -> str:
        """Advice in the words of whoever has to follow it: for a policy of the language, or for files of a mesh."""
        if self.is_app_mesh and app_mesh is not None:
            return app_mesh
        return manifests if self.mesh.is_lifted else language
