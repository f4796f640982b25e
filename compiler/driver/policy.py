"""One policy as it was read: files, trees, what they mean in each environment, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from meshproof.compiler.backend import registry
from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.collecting import uncollected
from meshproof.compiler.driver.inputs import Inputs, gather, has_objects, mixed, no_manifest, no_object, origin_of
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.resolve import is_overlay, resolve, resolve_overlay
from meshproof.compiler.resolve.packs import chains, used_files
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.loader import Limits, load, load_texts
from meshproof.policies.catalog import read_pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from meshproof.compiler.backend.target import Lifted, Pods
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.ast.document import Document
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.loader import Loaded
    from meshproof.dsl.source import SourceFile, Span

DEFAULT_LIMITS = Limits()
_UNREADABLE = ("MP0", "MP1", "MP2")
_NO_DAY = date.min
"""Nothing that a mesh runs depends on the day: only the language has dates."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in the environments that were asked for.

    `meshes` is empty if anything in the text is an error: half a policy is never judged. `sources` are the texts that
    diagnostics point into, by the path that is shown. `origin` tells a policy of the language from manifests; of these
    `skipped` are the kinds of objects that say nothing of who may call whom, with their number, and `manifests` are
    what was read, under `settings`. `brought` tells by used file where it is used, innermost first.
    """

    meshes: tuple[Mesh, ...]
    documents: tuple[Document, ...]
    sources: Mapping[str, SourceFile]
    diagnostics: tuple[Diagnostic, ...]
    origin: Origin = Origin.MESH
    skipped: tuple[tuple[str, int], ...] = ()
    brought: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    manifests: tuple[Artifact, ...] = field(default=(), repr=False)
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def is_judgeable(self) -> bool:
        """Whether there is something to judge."""
        return bool(self.meshes)

    @property
    def name(self) -> str:
        """The name that the `mesh` block gives; empty where nothing could be resolved."""
        return self.meshes[0].name if self.meshes else ""

    @property
    def judgement(self) -> Judgement:
        """By whom what the meshes refuse is kept; enforced where nothing could be resolved."""
        is_cooperative = any(mesh.judgement is Judgement.COOPERATIVE for mesh in self.meshes)
        return Judgement.COOPERATIVE if is_cooperative else Judgement.ENFORCED

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments of the meshes; none where the policy declares none."""
        return tuple(mesh.environment for mesh in self.meshes if mesh.environment is not None)


@dataclass(frozen=True, slots=True)
class Reading:
    """How paths are read. `environment` None is all; `origin` None tells by content; `settings` are options of targets,
    under which manifests mean what they mean."""  # noqa: D205, D209

    environment: str | None = None
    limits: Limits = DEFAULT_LIMITS
    origin: Origin | None = None
    settings: tuple[tuple[str, str], ...] = ()


DEFAULT_READING = Reading()


def read_policy(paths: Sequence[Path], reading: Reading = DEFAULT_READING, *, stdin: str | None = None) -> Policy:
    """The policy of files and folders, and of a text from stdin. What cannot be read becomes a finding.

    Manifests of a mesh are a policy too; `.mesh` files beside them may hold zones, claims, tests and waivers alone.
    """
    inputs = gather(paths, stdin, reading.limits.max_file_bytes, reading.origin)
    if not inputs.manifests and reading.origin not in {None, Origin.MESH}:
        return Policy((), (), {}, inputs.diagnostics or (no_manifest(paths),), inputs.origin)
    if not inputs.manifests:
        loaded = load(paths, stdin=stdin, packs=read_pack, limits=reading.limits)
        if loaded.documents or not inputs.diagnostics:
            return _resolved(loaded, reading.environment)
        diagnostics = tuple(dict.fromkeys((*inputs.diagnostics, *loaded.diagnostics)))
        return Policy((), loaded.trees, _sources(loaded), diagnostics)
    overlay = _overlay(inputs, reading)
    if overlay is not None and reading.origin is None and not is_overlay(overlay.trees):
        foreign = next((one.path for one in inputs.manifests if one.path not in inputs.emitted), None)
        if foreign is None:  # what was compiled from a policy often lies beside it
            return _resolved(overlay, reading.environment)
        first = next(tree.span.file for tree in overlay.trees if not is_overlay((tree,)))
        problem = mixed(foreign, first)
        return Policy((), overlay.trees, _sources(overlay), (problem,))
    return _lifted(inputs, overlay, reading)


def policy_of_texts(texts: Mapping[str, str], *, environment: str | None = None) -> Policy:
    """The policy of texts by their paths."""
    return _resolved(load_texts(texts, packs=read_pack), environment)


def policy_of_manifests(
    texts: Mapping[str, str], reading: Reading = DEFAULT_READING, *, overlay: Mapping[str, str] | None = None
) -> Policy:
    """The policy of manifests by their paths, and of `.mesh` texts beside them."""
    manifests = tuple(Artifact(path, text.encode()) for path, text in texts.items())
    beside = load_texts(overlay, packs=read_pack) if overlay else None
    return _lifted(Inputs((), None, manifests, (), origin=origin_of(manifests)), beside, reading)


def _resolved(loaded: Loaded, environment: str | None) -> Policy:
    sources = _sources(loaded)
    brought = chains(used_files(loaded.trees, dict(loaded.packs)))
    if not loaded.is_sound:
        return Policy((), loaded.trees, sources, loaded.diagnostics, brought=brought)
    environments = None if environment is None else (environment,)
    resolution = resolve(loaded.trees, environments=environments, packs=dict(loaded.packs))
    diagnostics = (*loaded.diagnostics, *resolution.diagnostics)
    return Policy(resolution.meshes, loaded.trees, sources, diagnostics, brought=brought)


def _overlay(inputs: Inputs, reading: Reading) -> Loaded | None:
    """The `.mesh` files beside manifests, if there are any that are to be read."""
    if reading.origin is not None or not (inputs.policies or inputs.stdin is not None):
        return None
    return load(inputs.policies, stdin=inputs.stdin, packs=read_pack, limits=reading.limits)


def _lifted(inputs: Inputs, overlay: Loaded | None, reading: Reading) -> Policy:
    lifted = lift(inputs.manifests, reading.settings, origin=inputs.origin)
    sources = {source.path: source for source in lifted.sources}
    diagnostics = (*inputs.diagnostics, *lifted.diagnostics)
    if not _is_broken(diagnostics) and not has_objects(inputs.manifests):
        diagnostics = (*diagnostics, no_object(inputs.manifests))
    trees: tuple[Document, ...] = ()
    meshes: tuple[Mesh, ...] = () if lifted.mesh is None else (lifted.mesh,)
    if overlay is not None:
        sources |= _sources(overlay)
        trees = overlay.trees
        diagnostics = (*diagnostics, *overlay.diagnostics)
        if meshes and overlay.is_sound:
            resolution = resolve_overlay(overlay.trees, meshes[0], packs=dict(overlay.packs))
            meshes = resolution.meshes
            diagnostics = (*diagnostics, *resolution.diagnostics)
    policy = Policy(
        meshes,
        trees,
        sources,
        diagnostics,
        inputs.origin,
        lifted.skipped,
        manifests=inputs.manifests,
        settings=reading.settings,
    )
    return replace(policy, meshes=()) if _is_broken(diagnostics) else policy


@uncollected()
def lift(
    manifests: tuple[Artifact, ...],
    settings: tuple[tuple[str, str], ...],
    known: Mesh | None = None,
    pods: tuple[Pods, ...] = (),
    origin: Origin = Origin.ISTIO,
) -> Lifted:
    """What manifests mean under options of their mesh; see `Reader.lift`."""
    return registry.load_reader(origin.value).lift(manifests, CompileOptions(_NO_DAY, settings), known, pods)


def lift_again(policy: Policy, pods: tuple[Pods, ...]) -> Mesh | None:
    """The mesh of the policy's manifests, in which these pods are workloads too."""
    return lift(policy.manifests, policy.settings, pods=pods, origin=policy.origin).mesh


def policy_of_lifted(lifted: Lifted, diagnostics: Sequence[Diagnostic] = ()) -> Policy:
    """The policy that manifests make, with what was said before they were lifted."""
    found = (*diagnostics, *lifted.diagnostics)
    meshes = () if lifted.mesh is None or _is_broken(found) else (lifted.mesh,)
    sources = {source.path: source for source in lifted.sources}
    return Policy(meshes, (), sources, found, Origin.ISTIO, lifted.skipped)


def _is_broken(diagnostics: Sequence[Diagnostic]) -> bool:
    """Whether something could not be read; what is wrong with an object that was read is a finding as any other."""
    return any(one.severity is Severity.ERROR and one.code.startswith(_UNREADABLE) for one in diagnostics)


def _sources(loaded: Loaded) -> dict[str, SourceFile]:
    return {source.path: source for source in loaded.sources}
