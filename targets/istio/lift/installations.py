"""The mesh configuration in what installers read: IstioOperator, and Istio of the sail operator.

What they write of it is the ConfigMap `istio`: where that is among the files, it is what is in force.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Label
from meshproof.targets.common.tree import MapNode, is_same
from meshproof.targets.istio.lift.findings import COMPETING, LiftFindings
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.values import EMPTY, mapping, text

_TRUE = frozenset(("true", "1"))
_MANY = "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS"


@dataclass(frozen=True, slots=True)
class Installed:
    """What installations say of the mesh. `is_contested`: several of them say different things."""

    sources: tuple[KubeObject, ...]
    config: MapNode
    has_many_providers: bool
    is_contested: bool

    @property
    def origin(self) -> Origin | None:
        """The place of the first that says something."""
        return self.sources[0].origin if self.sources else None


def installed_config(objects: ObjectIndex) -> Installed:
    """The configuration of the first installation that has one, and whether others have another."""
    found = [(one, _config(one)) for kind in (Kind.ISTIO_OPERATOR, Kind.ISTIO) for one in objects.of(kind)]
    saying = [(one, config) for one, config in found if config.entries]
    first = saying[0][1] if saying else EMPTY
    return Installed(
        sources=tuple(one for one, _ in saying),
        config=first,
        has_many_providers=any(_is_set(one) for one, _ in found),
        is_contested=any(not is_same(config, first) for _, config in saying[1:]),
    )


def _config(source: KubeObject) -> MapNode:
    own = mapping(source.spec.get("meshConfig"))
    return own if own.entries else mapping(source.spec.at("values", "meshConfig"))


def _is_set(source: KubeObject) -> bool:
    written = source.spec.at("values", "pilot", "env", _MANY)
    return (text(written) or str(getattr(written, "value", "")).lower()) in _TRUE


def report_contested(installed: Installed, findings: LiftFindings) -> None:
    """A finding for installations that say different things."""
    first, *others = installed.sources
    findings.add(
        COMPETING,
        f"{len(installed.sources)} installations configure the mesh, each in its way: what is in force is unknown",
        first.full_name,
        first.origin,
        others=tuple(Label(one.origin.span, "another") for one in others[:2]),
        advice="check the files of one mesh, or add the ConfigMap `istio` that is in force",
    )
