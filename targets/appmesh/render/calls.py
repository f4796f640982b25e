"""Resources as calls of the API: what `aws appmesh create-… --cli-input-json` takes, in an order that is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.references import key_of, needed
from meshproof.targets.appmesh.spelling import API
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the API, such as `CreateVirtualNode`, and what it is given."""

    operation: str
    given: Json


def calls(resources: Sequence[Value]) -> tuple[Call, ...]:
    """A call for each resource, after those for what it needs; else in the order of the resources.

    To delete them all, go backwards.
    """
    named = {key_of(one): one for one in resources}
    assert len(named) == len(resources), "two resources have one name"
    order = {key: number for number, key in enumerate(named)}
    sorting = TopologicalSorter(
        {key: [before for before in needed(one) if before in named] for key, one in named.items()}
    )
    sorting.prepare()
    found: list[Call] = []
    while sorting.is_active():
        for key in sorted(sorting.get_ready(), key=order.__getitem__):
            one = named[key]
            found.append(Call(f"Create{type(one).__name__}", to_json(one, API)))
            sorting.done(key)
    return tuple(found)
