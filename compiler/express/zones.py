"""Zones for sets of callers that several rules share, named after what their members have in common."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.names import free_name, plain_name
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.declarations import Zone
from meshproof.dsl.ast.values import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshproof.compiler.express.names import Names
    from meshproof.compiler.ir.entities import Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.ast.rules import Rule

_MEMBERS = 3
_USES = 2
_TELLING = ("app.kubernetes.io/part-of", "part-of", "app.kubernetes.io/component", "component", "tier", "layer", "team")
"""Labels that tell groups of workloads, the ones that people mean first."""


class Zones:
    """The zones of a policy."""

    def __init__(self, mesh: Mesh, names: Names, rules: Sequence[Rule]) -> None:
        self._services = {names.nodes[one.name]: one for one in mesh.services if one.name in names.nodes}
        used = Counter(rule.sources for rule in rules if _is_group(rule.sources))
        taken = set(names.taken)
        self._names: dict[sets.SetExpression, str] = {}
        for group in dict.fromkeys(rule.sources for rule in rules):
            if used[group] >= _USES and isinstance(group, sets.Braces):
                name = free_name(self._common(group) or _by_use(group, rules), taken)
                taken.add(name)
                self._names[group] = name

    @property
    def declared(self) -> tuple[Zone, ...]:
        """The zones."""
        return tuple(Zone(name=Name(name), members=group) for group, name in self._names.items())

    def applied(self, rule: Rule) -> Rule:
        """The rule with the name of a zone in place of its members."""
        name = self._names.get(rule.sources)
        return rule if name is None else replace(rule, sources=sets.Named(Name(name)))

    def _common(self, group: sets.Braces) -> str | None:
        """A label that all members and no other service have, else the namespace that they are in."""
        members = [one.name.text for one in group.items if isinstance(one, sets.Named)]
        services = [self._services[name] for name in members if name in self._services]
        if len(services) < len(group.items):
            return None
        others = [one for name, one in self._services.items() if name not in members]
        for key in _TELLING:
            values = {dict(one.labels).get(key) for one in services}
            (value,) = values if len(values) == 1 else (None,)
            if value and all(dict(one.labels).get(key) != value for one in others):
                return plain_name(value)
        return _namespace(services, others)


def _namespace(services: Sequence[Service], others: Iterable[Service]) -> str | None:
    namespaces = {one.namespace for one in services}
    (namespace,) = namespaces if len(namespaces) == 1 else (None,)
    if namespace is None or any(one.namespace == namespace for one in others):
        return None
    return plain_name(namespace)


def _by_use(group: sets.Braces, rules: Iterable[Rule]) -> str:
    """The callers of the first rule that has the set."""
    first = next(rule for rule in rules if rule.sources == group)
    name = "some" if first.name is None else first.name.text
    return plain_name(f"callers-of-{name}")


def _is_group(sources: sets.SetExpression) -> bool:
    """Whether the set is a list of callers, each with an identity."""
    return (
        isinstance(sources, sets.Braces)
        and len(sources.items) >= _MEMBERS
        and all(isinstance(one, sets.Named | sets.Identity | sets.NamespaceSet) for one in sources.items)
    )
