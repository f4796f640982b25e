"""`files` of a namespace: where rules, routes and mTLS statements for it may stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import External
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Namespace
    from meshproof.compiler.ir.names import NodeName
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.source import Span


class Placement:
    """Checks places against the `files` of namespaces; nothing is done where no namespace has any."""

    def __init__(self, namespaces: Iterable[Namespace], ctx: Context) -> None:
        """Read the patterns once."""
        self._ctx = ctx
        self._kept = {
            namespace.name: (namespace, re.compile("|".join(map(_expression, namespace.files))))
            for namespace in namespaces
            if namespace.files
        }

    def check(self, what: str, at: Span, nodes: Iterable[NodeName]) -> None:
        """Report the statement (`what` is the words for it) if it is for a node whose namespace keeps it out."""
        if not self._kept:
            return
        reported: set[str] = set()
        for name in nodes:
            node = self._ctx.directory.nodes[name]
            if not isinstance(node, External) and node.namespace not in reported:
                reported.add(node.namespace)
                self.check_namespace(what, at, node.namespace, f"`{name}` is in it")

    def check_mesh(self, what: str, at: Span) -> None:
        """The same for a statement that is for every service."""
        self.check(what, at, self._ctx.directory.services)

    def check_namespace(self, what: str, at: Span, name: str, why: str = "") -> None:
        """The same for a statement that is for a whole namespace."""
        kept = self._kept.get(name)
        if kept is None or kept[1].fullmatch(at.file):
            return
        namespace = kept[0]
        patterns = ", ".join(f"`{pattern}`" for pattern in namespace.files)
        self._ctx.findings.add(
            "MP226",
            f"{what} for namespace `{name}` stands outside of its files",
            at,
            why,
            labels=(Label(namespace.origin.span, f"they are {patterns}"),),
            help="move it there; a deny may stand anywhere",
        )


def _expression(pattern: str) -> str:
    """A pattern of paths as a regular expression: `*` within a folder, `**` through any number of them."""
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern)
    meanings = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meanings.get(part) or re.escape(part) for part in parts)
