"""Who reaches whom, as JSON in the forms of `schemas/query-v1.json` and `schemas/graph-v1.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.json_text import indented
from meshproof.compiler.report.honesty import members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.verify.reachability import Link, Way

QUERY = "meshproof/query/v1"
GRAPH = "meshproof/graph/v1"


def render_ways(ways: Sequence[Way], question: str, day: date, mesh: Mesh) -> str:
    """The answers to a question, each a chain of at least one link."""
    answers: list[Json] = [{"direct": way.is_direct, "chain": [link_json(link) for link in way.links]} for way in ways]
    document: dict[str, Json] = {
        "schema": QUERY,
        "question": question,
        "as_of": day.isoformat(),
        "environment": mesh.environment,
        **members(mesh.judgement),
        "answers": answers,
    }
    return indented(document) + "\n"


def render_graph(nodes: Sequence[tuple[str, str]], links: Sequence[Link], day: date, mesh: Mesh) -> str:
    """Nodes by name and kind, and the links between them."""
    document: dict[str, Json] = {
        "schema": GRAPH,
        "as_of": day.isoformat(),
        "environment": mesh.environment,
        **members(mesh.judgement),
        "nodes": [{"name": name, "kind": kind} for name, kind in nodes],
        "links": [link_json(link) for link in links],
    }
    return indented(document) + "\n"


def link_json(link: Link) -> dict[str, Json]:
    """One link. `port` is the port that the workload listens on."""
    return {
        "source": link.source,
        "source_kind": link.source_kind.value,
        "destination": link.destination,
        "destination_kind": link.destination_kind.value,
        "port": link.port,
        "port_name": link.port_name,
        "mirror": link.is_mirror,
        "rules": list(link.rules),
    }
