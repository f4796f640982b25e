"""Who reaches whom in one mesh. Importing this module loads z3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.driver.collecting import uncollected
from meshproof.compiler.ir.assertions import CanReach
from meshproof.compiler.verify import Analysis, AnalysisOptions
from meshproof.compiler.verify.reachability import Link, Way, links, reached_by, who_reaches

if TYPE_CHECKING:
    from meshproof.compiler.driver.options import JudgeOptions
    from meshproof.compiler.ir.assertions import Statement
    from meshproof.compiler.ir.mesh import Mesh


def ways_to(mesh: Mesh, statement: Statement, options: JudgeOptions) -> tuple[Way, ...]:
    """From whom the destinations of `anyone can reach D` are reached. Raises Undecided."""
    assert isinstance(statement, CanReach)
    return who_reaches(_analysis(mesh, options), statement.destinations)


def ways_from(mesh: Mesh, statement: Statement, options: JudgeOptions) -> tuple[Way, ...]:
    """What the sources of `S can reach all` reach. Raises Undecided."""
    assert isinstance(statement, CanReach)
    return reached_by(_analysis(mesh, options), statement.sources)


@uncollected()
def graph_of(mesh: Mesh, options: JudgeOptions) -> tuple[tuple[tuple[str, str], ...], tuple[Link, ...]]:
    """Every place by name and kind, and the links between them. Raises Undecided."""
    found = links(_analysis(mesh, options))
    nodes = {str(node.name): type(node).__name__.lower() for node in mesh.nodes}
    for link in found:
        nodes.setdefault(link.source, link.source_kind.value)
        nodes.setdefault(link.destination, link.destination_kind.value)
    return tuple(sorted(nodes.items())), found


def _analysis(mesh: Mesh, options: JudgeOptions) -> Analysis:
    return Analysis(mesh, options.day, AnalysisOptions(options.timeout_ms, options.audit_as_enforced))
