"""The calls that are allowed, as a picture: the text of a Mermaid flowchart or of a Graphviz digraph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.verify.reachability import Link

_MERMAID_SHAPES = {
    "service": ("[", "]"),
    "gateway": ("{{", "}}"),
    "external": ("([", "])"),
    "internet": ("((", "))"),
    "undeclared": ("[/", "/]"),
}
_DOT_SHAPES = {
    "service": "box",
    "gateway": "hexagon",
    "external": "ellipse",
    "internet": "circle",
    "undeclared": "parallelogram",
}


def mermaid(nodes: Sequence[tuple[str, str]], links: Sequence[Link], said: Sequence[str] = ()) -> str:
    """A flowchart in Mermaid's language. Names of any characters are harmless: nodes are numbered.

    What is `said` stands above it.
    """
    numbers = {name: f"n{index}" for index, (name, _) in enumerate(nodes)}
    lines = [*(["---", *(f"title: {json.dumps(one)}" for one in said), "---"] if said else []), "flowchart LR"]
    for name, kind in nodes:
        opening, closing = _MERMAID_SHAPES[kind]
        lines.append(f"    {numbers[name]}{opening}{_mermaid_text(name)}{closing}")
    for (source, destination, is_mirror), label in _labelled(links).items():
        arrow = "-.->" if is_mirror else "-->"
        lines.append(f"    {numbers[source]} {arrow}|{_mermaid_text(label)}| {numbers[destination]}")
    return "\n".join(lines) + "\n"


def dot(nodes: Sequence[tuple[str, str]], links: Sequence[Link], said: Sequence[str] = ()) -> str:
    """A digraph in Graphviz's language. What is `said` stands above it."""
    lines = ["digraph mesh {", "    rankdir=LR", '    node [fontname="sans-serif"]', '    edge [fontname="sans-serif"]']
    lines += [f"    label={_dot_text(one)}; labelloc=t" for one in said]
    lines += [f"    {_dot_text(name)} [shape={_DOT_SHAPES[kind]}]" for name, kind in nodes]
    for (source, destination, is_mirror), label in _labelled(links).items():
        style = ", style=dashed" if is_mirror else ""
        lines.append(f"    {_dot_text(source)} -> {_dot_text(destination)} [label={_dot_text(label)}{style}]")
    return "\n".join([*lines, "}"]) + "\n"


def _labelled(links: Sequence[Link]) -> dict[tuple[str, str, bool], str]:
    """One arrow for all ports between two places, with the ports and the rules on it."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for link in links:
        label = "mirror" if link.is_mirror else f"{link.port_name}: {', '.join(link.rules) or 'default'}"
        found.setdefault((link.source, link.destination, link.is_mirror), []).append(label)
    return {key: "; ".join(dict.fromkeys(labels)) for key, labels in found.items()}


def _mermaid_text(text: str) -> str:
    """A quoted string: Mermaid knows entities by number there, and nothing else that could end it."""
    safe = "".join(one if one.isalnum() or one in " -_.:,;/*" else f"#{ord(one)};" for one in text)
    return f'"{safe}"'


def _dot_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\\n", " ")
