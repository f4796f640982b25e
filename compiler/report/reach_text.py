"""Who reaches whom, for people: a line for each way, direct ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import OTHER_PORTS
from meshproof.compiler.report.look import Look, Style, harmless, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.verify.reachability import Link, Way


def render(ways: Sequence[Way], look: Look, said: Sequence[str] = ()) -> str:
    """What is `said` first; then the ways, direct calls apart from chains, or one line if there are none."""
    head = "".join(f"{look.paint(one, Style.WARNING)}\n\n" for one in said)
    return head + _ways(ways, look)


def _ways(ways: Sequence[Way], look: Look) -> str:
    if not ways:
        return "nobody: no call is allowed, and no chain of calls\n"
    direct = [way for way in ways if way.is_direct]
    chains = [way for way in ways if not way.is_direct]
    sections = [
        list(_section("Calls", direct, look)) if direct else [],
        list(_section("Through others", chains, look)) if chains else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _section(title: str, ways: Sequence[Way], look: Look) -> Iterator[str]:
    yield look.paint(title, Style.STRONG)
    for way in ways:
        yield "  " + wrapped(harmless(_way(way.links)), look.width, "      ")


def _way(links: Sequence[Link]) -> str:
    text = links[0].source
    for link in links:
        text += _step(link)
    return text


def _place(link: Link) -> str:
    if link.port_name is None:
        return link.destination
    is_rest = link.port_name == OTHER_PORTS
    return f"{link.destination} ({OTHER_PORTS})" if is_rest else f"{link.destination}:{link.port_name}"


def _step(link: Link) -> str:
    place = _place(link)
    if link.is_mirror:
        return f" => {place} (mirror)"
    if link.port is None:
        return f" ~> {place} (undeclared: anyone may reach it)"
    return f" -> {place} by {', '.join(link.rules) or 'default'}"
