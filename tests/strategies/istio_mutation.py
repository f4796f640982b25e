"""Changes of what was emitted for Istio, as a compiler with a mistake would have emitted it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

from meshproof.compiler.backend.artifact import Artifact

MESH_CONFIG = "meshconfig.yaml"

Object = dict[str, Any]
Files = dict[str, list[Object]]
"""The objects of each file. That of the mesh configuration is loaded too: its one object is the configuration."""

Change = Callable[[Files], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A compiler with one mistake: what it emits for a policy is changed so."""

    name: str
    policy: str
    change: Change


def mutated(files: tuple[Artifact, ...], change: Change) -> tuple[Artifact, ...]:
    """The files after a change, which must change something."""
    loaded = _loaded(files)
    before = deepcopy(loaded)
    change(loaded)
    assert loaded != before, "the mutant is no mutant"
    return tuple(Artifact(path, _dumped(path, objects)) for path, objects in loaded.items())


def _loaded(files: tuple[Artifact, ...]) -> Files:
    found = {file.path: list(yaml.safe_load_all(file.content)) for file in files}
    (holder,) = found[MESH_CONFIG]
    found[MESH_CONFIG] = [yaml.safe_load(holder["data"]["mesh"])]
    return found


def _dumped(path: str, objects: list[Object]) -> bytes:
    if path == MESH_CONFIG:
        metadata = {"name": "istio", "namespace": "istio-system"}
        text = yaml.safe_dump(objects[0])
        objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mesh": text}}]
    return yaml.safe_dump_all(objects).encode()


def _named(files: Files, what: str) -> Object:
    """`KIND NAME`, without the prefix that all names have, or `mesh`."""
    if what == "mesh":
        return files[MESH_CONFIG][0]
    kind, name = what.split()
    (found,) = (
        one
        for path, objects in files.items()
        if path != MESH_CONFIG
        for one in objects
        if one["kind"] == kind and one["metadata"]["name"] == f"meshproof-{name}"
    )
    return found


def _walked(start: Object, path: str) -> tuple[Any, Any]:
    """What holds the last step of a dotted path, and that step. Steps into lists are numbers."""
    *steps, last = path.split(".")
    here: Any = start
    for step in steps:
        here = here[int(step)] if isinstance(here, list) else here[step]
    return here, int(last) if isinstance(here, list) else last


def put(what: str, path: str, value: object) -> Change:
    """Another value at a field, or a value where none was."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        holder[step] = deepcopy(value)

    return change


def cut(what: str, path: str) -> Change:
    """Without a field or without an element of a list."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        del holder[step]

    return change


def add(what: str, path: str, value: object) -> Change:
    """One more element at the end of a list."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        holder[step].append(deepcopy(value))

    return change


def renamed(what: str, path: str, name: str) -> Change:
    """The same value in another field beside."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        holder[name] = holder.pop(step)

    return change


def turned(what: str, path: str) -> Change:
    """A list from its end to its start."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        holder[step].reverse()

    return change


def merged(what: str, path: str) -> Change:
    """The elements of a list of objects with one field each put together: each field has the values of all."""

    def change(files: Files) -> None:
        holder, step = _walked(_named(files, what), path)
        values: dict[str, list[Any]] = {}
        (outer,) = {key for one in holder[step] for key in one}
        for one in holder[step]:
            for key, found in one[outer].items():
                values.setdefault(key, []).extend(found)
        holder[step] = [{outer: {key: list(dict.fromkeys(found)) for key, found in values.items()}}]

    return change


def crossed(what: str, one: int, other: int) -> Change:
    """Two rules of an authorization put together as lists: the callers of both may do what either may."""

    def change(files: Files) -> None:
        rules = _named(files, what)["spec"]["rules"]
        for part in ("from", "to"):
            rules[one][part] = [*rules[one][part], *rules[other][part]]
        del rules[other]

    return change


def without(what: str) -> Change:
    """Without an object."""

    def change(files: Files) -> None:
        gone = _named(files, what)
        for objects in files.values():
            objects[:] = [found for found in objects if found is not gone]

    return change


def more(kind: str, namespace: str, spec: Object, name: str = "a") -> Change:
    """One more object, in the version of its group that others have. By its name it is the oldest of its kind."""

    def change(files: Files) -> None:
        version = f"{_GROUPS.get(kind, 'networking')}.istio.io/v1"
        metadata = {"name": name, "namespace": namespace}
        files["more.yaml"] = [{"apiVersion": version, "kind": kind, "metadata": metadata, "spec": deepcopy(spec)}]

    return change


_GROUPS = {"AuthorizationPolicy": "security", "PeerAuthentication": "security", "WasmPlugin": "extensions"}


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(files: Files) -> None:
        for one in changes:
            one(files)

    return change
