"""What stands at the paths that a command was called with: policies of the language, or manifests of a mesh."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.output import LOCK, listed_in
from meshproof.compiler.config.keys import Origin
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.dsl.loader import files
from meshproof.dsl.loader.text import too_large
from meshproof.dsl.problems import found
from meshproof.dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json", ".template")
STDIN = "<stdin>"
_MANIFEST = "a manifest is YAML or JSON with an `apiVersion`, or with resources of App Mesh"
_KUBERNETES = re.compile(rb"""^[\s\-{\["']*apiVersion["']?\s*:|["']apiVersion["']\s*:""", re.MULTILINE)
_APP_MESH = re.compile(rb"""AWS::AppMesh::|\bappmesh\.k8s\.aws/|["']meshName["']\s*:""")
_ISTIO = re.compile(rb"\bistio\.io/|\bgateway\.networking\.k8s\.io/")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The paths of policy files and folders, a policy on stdin, and manifests with their bytes.

    `emitted` are those of the manifests, as they are shown, that `compile` wrote. `origin` is the mesh that they
    are for.
    """

    policies: tuple[Path, ...]
    stdin: str | None
    manifests: tuple[Artifact, ...]
    diagnostics: tuple[Diagnostic, ...]
    emitted: frozenset[str] = frozenset()
    origin: Origin = Origin.ISTIO


def gather(paths: Sequence[Path], stdin: str | None, limit: int, wanted: Origin | None = None) -> Inputs:
    """What the paths hold. `limit` is the most bytes of a file; `wanted` leaves the other kind out."""
    if wanted is Origin.MESH:
        return Inputs(tuple(paths), stdin, (), ())
    tree = files.tree_of(tuple(paths), None)
    policies: list[Path] = []
    manifests: list[Artifact] = []
    diagnostics: list[Diagnostic] = []
    for path in paths:
        read = tuple(_manifests(path, tree, limit))
        manifests += (one for one in read if isinstance(one, Artifact))
        diagnostics += (one for one in read if isinstance(one, Diagnostic))
        if not read or (path.is_dir() and _has_policies(path, tree)):
            policies.append(path)
    if stdin is not None and is_manifest(stdin.encode("utf-8", "surrogateescape")):
        manifests.append(Artifact(STDIN, stdin.encode("utf-8", "surrogateescape")))
        stdin = None
    emitted = frozenset(shown for path in paths if path.is_dir() for shown in _emitted(path, tree))
    origin = origin_of(manifests) if wanted is None else wanted
    diagnostics += (one for one in (_two_meshes(manifests),) if wanted is None and one is not None)
    return Inputs(tuple(policies), stdin, tuple(manifests), tuple(diagnostics), emitted, origin)


def origin_of(manifests: Sequence[Artifact]) -> Origin:
    """Which mesh the manifests are for: App Mesh if one of them names it and none names Istio."""
    is_istio = any(_ISTIO.search(one.content) for one in manifests)
    is_app_mesh = not is_istio and any(_APP_MESH.search(one.content) for one in manifests)
    return Origin.APP_MESH if is_app_mesh else Origin.ISTIO


def _two_meshes(manifests: Sequence[Artifact]) -> Diagnostic | None:
    """That objects of two meshes stand together, as in repositories of tools that know both: Istio's are judged."""
    ours = next((one.path for one in manifests if _APP_MESH.search(one.content)), None)
    other = next((one.path for one in manifests if _ISTIO.search(one.content)), None)
    if ours is None or other is None:
        return None
    message = f"`{ours}` is for App Mesh and `{other}` for Istio, and one run judges one of them: what is for Istio"
    told = found("MP022", message, Span(ours, 0, 0), help="`--from app-mesh` judges the others")
    return replace(told, severity=Severity.WARNING)


def is_manifest(content: bytes) -> bool:
    """Whether a text looks like Kubernetes objects (some line or member names an `apiVersion`), or is for App Mesh."""
    return _KUBERNETES.search(content) is not None or _APP_MESH.search(content) is not None


def _manifests(path: Path, tree: files.Tree, limit: int) -> Iterator[Artifact | Diagnostic]:
    """The manifests at a path; of a folder, those files of it that are some."""
    if not path.is_dir():
        if path.name.endswith(files.SUFFIX):
            return
        yield from _manifest(path, tree, limit, is_named=path.name.endswith(MANIFEST_SUFFIXES))
        return
    for entry in files.policy_files(path, tree, MANIFEST_SUFFIXES):
        if isinstance(entry, Diagnostic):
            yield entry
        else:
            yield from _manifest(entry, tree, limit, is_named=False)


def _manifest(path: Path, tree: files.Tree, limit: int, *, is_named: bool) -> Iterator[Artifact | Diagnostic]:
    """The file, if it is a manifest; one that was named on the command line is taken by its suffix alone."""
    shown = tree.shown(path)
    try:
        content = files.read(path, limit)
    except files.TooLargeError:
        yield too_large(shown, limit)
    except (OSError, ValueError) as error:
        if is_named:
            yield files.unreadable(shown, error)
    else:
        if is_named or is_manifest(content):
            yield Artifact(shown, content)


def _emitted(folder: Path, tree: files.Tree) -> Iterator[str]:
    """What is below a folder, and listed by a lock that `compile` wrote."""
    for lock in files.policy_files(folder, tree, (LOCK,)):
        if isinstance(lock, Path) and lock.name == LOCK:
            for name in listed_in(lock) or ():
                yield tree.shown(lock.parent / name)


def _has_policies(folder: Path, tree: files.Tree) -> bool:
    return any(isinstance(entry, Path) for entry in files.policy_files(folder, tree))


def no_manifest(paths: Sequence[Path] = ()) -> Diagnostic:
    """The finding that manifests were asked for and there are none, or that one of the paths is not there."""
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        shown = files.tree_of(tuple(paths), None).shown(missing)
        return files.unreadable(shown, FileNotFoundError(ENOENT, os.strerror(ENOENT)), missing)
    return replace(found("MP006", "there is no manifest at the paths", Span("", 0, 0), help=_MANIFEST), labels=())


def no_object(manifests: Sequence[Artifact]) -> Diagnostic:
    """The finding that what was named as a manifest is none."""
    shown = manifests[0].path
    return found(
        "MP006", f"`{shown}` holds no object of Kubernetes, and nothing of App Mesh", Span(shown, 0, 0), help=_MANIFEST
    )


def has_objects(manifests: Sequence[Artifact]) -> bool:
    """Whether some file looks like a manifest: of files that are empty, or something else, nothing can be judged."""
    return any(b"apiVersion" in one.content or _APP_MESH.search(one.content) for one in manifests)


def mixed(manifest: str, policy: str) -> Diagnostic:
    """The finding that a policy and manifests stand together, and nothing says which is meant."""
    return found(
        "MP022",
        f"`{policy}` is a policy and `{manifest}` is a manifest: one run judges one of them",
        Span(policy, 0, 0),
        help="say which with `--from`; beside manifests, `.mesh` files hold zones, claims, tests, waivers",
    )
