"""The path after the sender's rewrite (ADR 0053)."""

from __future__ import annotations

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Prefix, Segments
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.semantics.errors import MalformedRequest
from meshproof.compiler.semantics.facts import Facts


def rewritten_path(branch: Branch, request: Request, facts: Facts) -> str | None:
    """The path and query that go on, None where the branch rewrites nothing.

    A branch for `/a/**` replaces `/a` and keeps the rest, as a plain prefix does; any other replaces the whole path.
    The query stays as it is. What goes on is made of the normal path: a proxy forwards the path that it judged.
    """
    rewrite = branch.settings.rewrite_path
    if rewrite is None or facts.layer is Layer.TCP:
        return None
    if request.path is None or not facts.path:
        raise MalformedRequest("`path` is left out, and the route rewrites it")
    path = facts.path[0]
    match branch.path:
        case Segments(pattern) if pattern.endswith("/**"):
            pieces = path.split("/")[len(pattern.split("/")) - 1 :]
            replaced = "/".join([rewrite.removesuffix("/"), *pieces])
        case Prefix(start):
            replaced = rewrite + path[len(start) :]
        case _:
            replaced = rewrite
    mark, query = request.path.partition("?")[1:]
    return (replaced or "/") + mark + query
