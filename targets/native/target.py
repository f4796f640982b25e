"""The target, as the compiler knows it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.features import Capabilities
from meshproof.compiler.backend.target import CompileOptions, Lifted, Pods
from meshproof.compiler.ir.bundle import dump
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.native.capabilities import CAPABILITIES
from meshproof.targets.native.lift import lift
from meshproof.targets.native.lower import NativeLowered, lower

BUNDLE = "policy.json"
"""The one file."""


@dataclass(frozen=True, slots=True)
class NativeTarget:
    """`--target native`."""

    name: str = "native"
    title: str = "the sidecar"
    capabilities: Capabilities = CAPABILITIES
    stated_in_files: frozenset[str] = frozenset()

    def lower(self, mesh: Mesh, options: CompileOptions) -> NativeLowered:
        """The policy as a bundle; see `meshproof.targets.native.lower`."""
        return lower(mesh, options)

    def emit(self, lowered: NativeLowered) -> tuple[Artifact, ...]:
        """The bundle as a file."""
        return (Artifact(BUNDLE, dump(lowered.bundle)),)

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        """What the bundle means. It declares all that it speaks of, so nothing that is known from elsewhere counts."""
        del options, known, also
        return lift(files)
