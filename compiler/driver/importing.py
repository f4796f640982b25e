"""From foreign files to a policy that is proved to mean what they mean, and a list of what it does not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from meshproof.compiler.backend import registry
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.driver.comments import Comments
from meshproof.compiler.driver.policy import lift, policy_of_texts
from meshproof.compiler.express import Untaken, Wording, express, folded, in_order, seen_alike, text_of, without_unasked
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.report.honesty import remarks
from meshproof.compiler.report.model_import import Imported
from meshproof.compiler.verify.correspondence import Correspondence
from meshproof.compiler.verify.semantic_diff import DiffOptions, semantic_diff
from meshproof.dsl.ast.declarations import Mesh as WrittenMesh
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from meshproof.compiler.backend.target import Lowered
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.express import Expressed, Part
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

PLACE = "imported.mesh"
"""How the policy is called where it stands in no file."""

_DAYS = 90
"""How long exceptions hold that nobody has given an end."""

_NO_NAME = "default"
"""The namespace of whoever has not thought of one."""

_LOGGING = b"AUDIT"

_WAY_OUT = "istio"
"""Where those go whose mesh has no target any more."""

UNASKED = (
    "Istio's proxies try requests again of themselves where no object says anything ({number} ports); the policy has"
    " no retries there, and switches them off when it is compiled"
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A policy without errors, with the parts that it is made of, and those that had to go."""

    text: str
    policy: Policy
    parts: tuple[Part, ...]
    refused: tuple[Untaken, ...]


def import_policy(policy: Policy, day: date, timeout_ms: int) -> Imported:
    """The policy that says what the files of another say, compared with them."""
    if not policy.is_judgeable:
        return Imported(policy.origin.value, day, None, diagnostics=policy.diagnostics, sources=policy.sources)
    joint = folded(policy.meshes[0])
    mesh = joint.mesh
    expressed = express(mesh, Wording(_name(mesh), _because(policy), day + timedelta(days=_DAYS)))
    untaken = (*joint.untaken, *expressed.untaken, *_logging(policy))
    draft = _draft(expressed, policy, day, len(untaken))
    if not draft.policy.is_judgeable:
        return Imported(
            policy.origin.value, day, None, diagnostics=draft.policy.diagnostics, sources=draft.policy.sources
        )
    new = draft.policy.meshes[0]
    old, unasked = without_unasked(mesh)
    correspondence = _correspondence(expressed, new)
    options = DiffOptions(timeout_ms=timeout_ms, correspondence=correspondence)
    difference = semantic_diff(old, seen_alike(old, new, correspondence.to_new), day, options)
    told = (UNASKED.format(number=unasked),) if unasked else ()
    notes = (*remarks(policy.judgement), *told, *map(_of_sides, difference.notes))
    return Imported(
        origin=policy.origin.value,
        day=day,
        text=draft.text,
        untaken=_by_place((*untaken, *draft.refused)),
        difference=difference,
        taken=_taken(new),
        notes=notes,
        skipped=policy.skipped,
        diagnostics=policy.diagnostics,
        identities=_identities(new),
        sources={**draft.policy.sources, **policy.sources},
    )


def _name(mesh: Mesh) -> str:
    """The namespace of most services, which is what people know the whole by, unless it says nothing."""
    namespaces = [service.namespace for service in mesh.services]
    usual = max(sorted(set(namespaces)), key=namespaces.count, default=_NO_NAME)
    return "imported" if usual == _NO_NAME else usual


def _of_sides(note: str) -> str:
    """A note of a comparison in the words of an import."""
    return note.replace("the old side judges", "the files judge").replace("the new side judges", "the policy judges")


def _because(policy: Policy) -> Callable[[Origin], str]:
    def because(origin: Origin) -> str:
        source = policy.sources.get(origin.span.file)
        if source is None or origin == policy.meshes[0].origin:
            title = registry.load_reader(policy.origin.value).title
            return f"imported from the default of {title}: no file says otherwise"
        return f"imported from {source.path}:{source.position(origin.span.start).line}"

    return because


def _heading(policy: Policy, untaken: int) -> str:
    """Where the policy comes from, and whether it is all: whoever owns it may never have seen the import."""
    files = sorted(policy.sources)
    named = files[0] if len(files) == 1 else f"{len(files)} files"
    rest = f"\n# not all of it: `meshproof import {policy.origin.value}` lists {untaken} more with places and reasons"
    kept = "".join(f"\n# {one}" for one in remarks(policy.judgement))
    return f"imported from {named}: what runs, not what should{kept}{rest if untaken else ''}"


# --- what the language refuses ---------------------------------------------------------------------


def _draft(expressed: Expressed, policy: Policy, day: date, untaken: int) -> _Draft:
    """The policy without statements that have errors: they are few, and each is listed with what is wrong.

    What is declared there can be compiled for what it was read from. Rules stay, whatever a target says of them: what
    decides is left out for nobody's sake but the language's.
    """
    parts = in_order(expressed.parts)
    refused: list[Untaken] = []
    while True:
        text = text_of(parts, _heading(policy, untaken + len(refused)), Comments(policy.sources))
        found = policy_of_texts({PLACE: text})
        if not found.is_judgeable:
            faults, reason = _faults(found.diagnostics, found, parts), "the language refuses it"
        else:
            faults, reason = _faults(_not_compiled(found, policy, day), found, parts), "it could not be compiled"
            faults = {index: one for index, one in faults.items() if not isinstance(parts[index].statement, Rule)}
        if not faults:
            return _Draft(text, found, parts, tuple(refused))
        refused.extend(
            Untaken(parts[index].subject, f"{reason}: {fault.message}", parts[index].origin)
            for index, fault in sorted(faults.items())
        )
        parts = tuple(part for index, part in enumerate(parts) if index not in faults)


def _not_compiled(found: Policy, policy: Policy, day: date) -> tuple[Diagnostic, ...]:
    """What Istio cannot say of it: all that is imported stays there, or leaves to there."""
    (mesh,) = found.meshes
    lowered: Lowered = registry.load(_WAY_OUT).lower(mesh, CompileOptions(day, policy.settings))
    return lowered.diagnostics


def _faults(diagnostics: Sequence[Diagnostic], found: Policy, parts: Sequence[Part]) -> dict[int, Diagnostic]:
    """The first error of each part that has some; none if the fault is with the whole."""
    errors = [one for one in diagnostics if one.severity is Severity.ERROR]
    statements = found.documents[0].statements if found.documents else ()
    faults: dict[int, Diagnostic] = {}
    if len(statements) == len(parts):
        for error in errors:
            index = _at(error, [(one.span.start, one.span.end) for one in statements])
            if index is not None and not isinstance(parts[index].statement, WrittenMesh):
                faults.setdefault(index, error)
        return faults
    for index, part in enumerate(parts):
        alone = parse(SourceFile(PLACE, text_of((part,), "", lambda _: ())))
        if not alone.is_sound and not isinstance(part.statement, WrittenMesh):
            faults[index] = next(one for one in alone.diagnostics if one.severity is Severity.ERROR)
    return faults


def _at(error: Diagnostic, spans: Sequence[tuple[int, int]]) -> int | None:
    place = error.primary
    if place is None:
        return None
    start = place.start
    return next((index for index, (first, end) in enumerate(spans) if first <= start <= end), None)


# --- what came of it -------------------------------------------------------------------------------


def _correspondence(expressed: Expressed, new: Mesh) -> Correspondence:
    known = {node.name for node in new.nodes}
    pairs = ((old, NodeName(name)) for old, name in expressed.names.nodes.items() if name in known)
    return Correspondence(tuple(sorted(pairs)))


def _logging(policy: Policy) -> Iterator[Untaken]:
    """The objects that log and decide nothing: a mesh has nothing of them, and the language logs by other means."""
    if not any(_LOGGING in one.content for one in policy.manifests):
        return
    for one in lift(policy.manifests, policy.settings, origin=policy.origin).objects:
        if one.is_logging:
            yield Untaken(
                f"{one.namespace}/{one.name}", "it logs what it matches, and decides nothing", Origin(one.span)
            )


def _identities(mesh: Mesh) -> dict[str, str]:
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return {node.identity.uri: str(node.name) for node in nodes}


def _by_place(untaken: Sequence[Untaken]) -> tuple[Untaken, ...]:
    distinct = dict.fromkeys(untaken)
    return tuple(sorted(distinct, key=lambda one: (one.origin.span.file, one.origin.span.start, one.subject)))


def _taken(mesh: Mesh) -> tuple[tuple[str, int], ...]:
    return (
        ("services", len(mesh.services)),
        ("gateways", len(mesh.gateways)),
        ("externals", len(mesh.externals)),
        ("issuers", len(mesh.issuers)),
        ("authorizers", len(mesh.authorizers)),
        ("zones", len(mesh.zones)),
        ("rules", len(mesh.rules)),
        ("mtls statements", len(mesh.mtls)),
        ("routes", len(mesh.routes)),
    )
