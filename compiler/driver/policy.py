"""One policy as it was read: files, trees, what they mean in each environment, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.resolve import resolve
from meshproof.dsl.loader import Limits, load, load_texts
from meshproof.policies.catalog import read_pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.ast.document import Document
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.loader import Loaded
    from meshproof.dsl.source import SourceFile

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in the environments that were asked for.

    `meshes` is empty if anything in the text is an error: half a policy is never judged. `sources` are the texts that
    diagnostics point into, by the path that is shown.
    """

    meshes: tuple[Mesh, ...]
    documents: tuple[Document, ...]
    sources: Mapping[str, SourceFile]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_judgeable(self) -> bool:
        """Whether there is something to judge."""
        return bool(self.meshes)

    @property
    def name(self) -> str:
        """The name that the `mesh` block gives; empty where nothing could be resolved."""
        return self.meshes[0].name if self.meshes else ""

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments of the meshes; none where the policy declares none."""
        return tuple(mesh.environment for mesh in self.meshes if mesh.environment is not None)


def read_policy(
    paths: Sequence[Path],
    *,
    stdin: str | None = None,
    environment: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Policy:
    """The policy of files and folders, and of a text from stdin. What cannot be read becomes a finding."""
    return _resolved(load(paths, stdin=stdin, packs=read_pack, limits=limits), environment)


def policy_of_texts(texts: Mapping[str, str], *, environment: str | None = None) -> Policy:
    """The policy of texts by their paths."""
    return _resolved(load_texts(texts, packs=read_pack), environment)


def _resolved(loaded: Loaded, environment: str | None) -> Policy:
    sources = {source.path: source for source in loaded.sources}
    if not loaded.is_sound:
        return Policy((), loaded.trees, sources, loaded.diagnostics)
    environments = None if environment is None else (environment,)
    resolution = resolve(loaded.trees, environments=environments, packs=dict(loaded.packs))
    return Policy(resolution.meshes, loaded.trees, sources, (*loaded.diagnostics, *resolution.diagnostics))
