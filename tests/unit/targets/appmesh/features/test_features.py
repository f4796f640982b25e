"""Nothing is dropped in silence: whatever a policy says is compiled and proved, or stops, or is listed, at its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import chain
from typing import get_args, get_type_hints

import pytest
from tests.strategies.policy_text import MESH, mesh_of
from tests.unit.targets.appmesh.features import declared, gateways, routes, rules
from tests.unit.targets.appmesh.features.case import KEPT, LOST, NOTED, REFUSED, Case
from tests.unit.targets.appmesh.lower.lowering import DAY

from meshproof.compiler.backend.features import Feature, Support, support_of
from meshproof.compiler.backend.loss import Direction
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.driver.reading_back import EQUAL, STRICTER, emitted
from meshproof.compiler.ir.assertions import Prove, TestBlock, Waiver
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.targets.appmesh.capabilities import CAPABILITIES
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.target import AppMeshTarget
from meshproof.targets.appmesh.together import misfits

TARGET = AppMeshTarget()
CASES = (*rules.CASES, *routes.CASES, *declared.CASES, *gateways.CASES)
PATIENT_MS = 120_000
_NOT_SAID_HERE = (Origin, Prove, TestBlock, Waiver)
_DECIDES_NOTHING = {
    *("AuthzRule.tags", "Namespace.files", "Namespace.owner", "Zone.destinations", "Zone.purpose"),
    *("Mesh.proofs", "Mesh.tests", "Mesh.waivers"),
}
_OF_FOREIGN_FILES = {
    *("Authorizer.fails_open", "AuthzRule.layer", "Branch.answer", "Branch.is_implied", "DestinationIp"),
    *("Gateway.default_allow", "Issuer.is_strict_about_audience", "Issuer.words", "JoinedHeader", "JoinedHeader.name"),
    *("Judgement.COOPERATIVE", "Layer.SNIFFED", "Mesh.premises", "Mesh.proxy_ports", "MtlsPolicy.is_told"),
    *(
        "Opaque",
        "Opaque.field",
        "Opaque.origin",
        "PathMode.BASE",
        "PathMode.DECODE_AND_MERGE_SLASHES",
        "PathMode.MERGE_SLASHES",
    ),
    *("PathMode.NONE", "Prefix.ignore_case", "RawAuthority", "Redirect.port", "Redirect.replaces_prefix"),
    *("Redirect.scheme", "RemoteIp", "Route.layer", "Settings.rewrite_host", "Target.is_alternative"),
    *("Target.label", "Template", "Template.pattern"),
}
"""The language has no words for it: only what is read from a mesh can say it, and it is compared like all else."""


def _mesh(case: Case) -> Mesh:
    found = mesh_of(case.text, has_mesh=case.has_mesh)
    return found if case.change is None else case.change(found)


def _options(case: Case) -> CompileOptions:
    return CompileOptions(DAY, tuple(case.settings.items()), "hash", require=Judgement.COOPERATIVE)


def _lines(case: Case, found: Diagnostic) -> set[int]:
    """The lines that a finding speaks of, from 0, in the text of the case."""
    begin = 0 if case.has_mesh else len(MESH)
    whole = f"{'' if case.has_mesh else MESH}{case.text}"
    return {whole.count("\n", begin, label.span.start) for label in found.labels}


def _told(case: Case, lowered: AppMeshLowered, *codes: str) -> list[Diagnostic]:
    """What is told of the lines that are spoken of."""
    return [one for one in lowered.diagnostics if one.code in codes and _lines(case, one) & case.marked]


@pytest.mark.parametrize("case", [one for one in CASES if one.outcome is REFUSED], ids=str)
def test_what_it_cannot_say_stops_the_compile_at_its_line(case: Case) -> None:
    """At each line that is at fault, and at no other."""
    lowered = TARGET.lower(_mesh(case), _options(case))
    errors = [one for one in lowered.diagnostics if one.severity == "error"]
    assert {one.code for one in errors} == {"MP701"}
    assert set().union(*(_lines(case, one) for one in errors)) == case.marked, [one.message for one in errors]


@pytest.mark.parametrize("case", [one for one in CASES if one.outcome is not REFUSED], ids=str)
def test_what_is_compiled_is_proved(case: Case) -> None:
    """Equal where nothing is told, else but for what is told at its line; and App Mesh takes the resources."""
    mesh, options = _mesh(case), _options(case)
    lowered = TARGET.lower(mesh, options)
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    assert not misfits(lowered.resources)
    assert not [breach for one in lowered.resources for breach in breaches(one)]
    found = emitted(TARGET, lowered, mesh, options, PATIENT_MS)
    assert not [one.message for one in found.diagnostics]
    assert found.known in {EQUAL, STRICTER}
    assert case.shows.encode() in b"".join(one.content for one in found.artifacts)
    told = {KEPT: ("MP704", "MP708"), LOST: ("MP704",), NOTED: ("MP708",)}[case.outcome]
    if case.outcome is KEPT:
        assert found.known == EQUAL
        assert not lowered.losses
        assert not _told(case, lowered, *told)
    else:
        assert _told(case, lowered, *told)
        assert {one.direction for one in lowered.losses} <= {Direction.STRICTER, Direction.UNKEPT}


@pytest.mark.parametrize("feature", Feature)
def test_every_feature_has_a_case(feature: Feature) -> None:
    """And what is said of the target in general is true of the cases."""
    outcomes = {case.outcome for case in CASES if feature in case.features}
    assert outcomes
    if support_of(CAPABILITIES, feature) is Support.UNSUPPORTED:
        assert outcomes <= {REFUSED, NOTED}
    else:
        assert outcomes & {KEPT, LOST}


def _said(value: object) -> Iterator[str]:
    """What is said in a part of a policy: each field that has something in it, each value of an enumeration."""
    if isinstance(value, Enum):
        yield f"{type(value).__name__}.{value.name}"
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_said, value))
    elif is_dataclass(value):
        yield type(value).__name__
        for one in fields(value):
            inner = getattr(value, one.name)
            if inner not in (None, (), False, 0):
                yield f"{type(value).__name__}.{one.name}"
            yield from _said(inner)


def _sayable(found: object, seen: set[str]) -> None:
    """All that parts of a policy of this type can say, into `seen`."""
    if isinstance(found, type) and issubclass(found, Enum):
        seen.update(f"{found.__name__}.{one.name}" for one in found)
    elif isinstance(found, type) and is_dataclass(found):
        if found in _NOT_SAID_HERE or found.__name__ in seen:
            return
        seen.add(found.__name__)
        for name, inner in get_type_hints(found).items():
            seen.add(f"{found.__name__}.{name}")
            _sayable(inner, seen)
    else:
        for inner in get_args(found):
            _sayable(inner, seen)


def test_whatever_can_be_said_is_said_in_a_case() -> None:
    """A part of a policy that is new needs one, or a word here on why App Mesh need not care."""
    sayable: set[str] = set()
    _sayable(Mesh, sayable)
    said = set(chain.from_iterable(_said(_mesh(case)) for case in CASES))
    assert sayable - said <= _DECIDES_NOTHING | _OF_FOREIGN_FILES
