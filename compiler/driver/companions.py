"""What is handed over to companions of a target: lowered, emitted, read back, and compared with the whole policy.

At a port that is handed over a request is judged by the companion alone, and sent as the files of the target say. So
the target is compared with the policy at all other ports, and there the companion is, with the routes of the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.registry import load
from meshproof.compiler.backend.target import LiftingTarget, has_errors
from meshproof.compiler.driver.excerpt import excerpt
from meshproof.compiler.verify.semantic_diff_values import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.backend.companion import Companion
    from meshproof.compiler.backend.loss import Loss
    from meshproof.compiler.backend.target import CompileOptions, Lifted
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Beside:
    """What a companion makes of its ports. `files` are below its folder, `own` are those as it made them."""

    companion: Companion
    target: LiftingTarget
    own: tuple[Artifact, ...]
    losses: tuple[Loss, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def files(self) -> tuple[Artifact, ...]:
        """Its files as they are written."""
        return tuple(replace(one, path=f"{self.companion.folder}/{one.path}") for one in self.own)


def beside(companion: Companion, mesh: Mesh, options: CompileOptions) -> Beside:
    """The files for the ports of the companion; none if they cannot be made, and then there are errors.

    Raises `UnknownTargetError` and `BrokenTargetError`.
    """
    target = load(companion.target)
    assert isinstance(target, LiftingTarget), "what nobody reads back proves nothing"
    lowered = target.lower(excerpt(mesh, companion.ports), options)
    files = () if has_errors(lowered.diagnostics) else target.emit(lowered)
    return Beside(companion, target, files, lowered.losses, lowered.diagnostics)


def composed(made: Beside, read: Lifted, around: Lifted) -> Lifted:
    """What becomes of requests to the companion's ports: judged as `read` says of its files, sent as `around` does."""
    assert read.mesh is not None
    assert around.mesh is not None
    names = {name for name, _ in made.companion.ports}
    routes = tuple(one for one in around.mesh.routes if one.node in names)
    unsent = None if around.transport is None else around.transport.unsent
    transport = None if read.transport is None else replace(read.transport, unsent=unsent)
    return replace(read, mesh=replace(read.mesh, routes=routes), transport=transport)


def unwired(made: Beside, mesh: Mesh, around: Lifted) -> Iterator[Undecided]:
    """Ports of the companion to which nothing leads as it has to, by the files of the target itself."""
    passed = frozenset() if around.transport is None else around.transport.handed_over
    declared = {(one.name, port.workload) for one in mesh.services for port in one.ports}
    for name, port in sorted(made.companion.ports):
        if (name, port) not in declared:
            yield Undecided(f"{name}:{port}", "it is handed over, and the policy declares no such port")
        if (name, port) not in passed:
            reason = f"nothing shows that its connections come to the target `{made.companion.target}` as they are"
            yield Undecided(f"{name}:{port}", reason)
    if made.companion.file not in {one.path for one in made.own}:
        reason = f"it makes no file `{made.companion.file}`, which is what is asked for"
        yield Undecided(made.companion.target, reason)
