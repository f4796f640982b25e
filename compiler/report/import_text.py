"""What came of an import, for people: what was not taken and why, and what is otherwise."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Look, Style, harmless, wrapped
from meshproof.compiler.report.request_text import request_text
from meshproof.compiler.verify.semantic_diff_values import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.express import Untaken
    from meshproof.compiler.report.model_import import Imported
    from meshproof.compiler.verify.semantic_diff_values import DiffRegion

_FEW = 4
"""How many of things that are alike are named; verbose names all."""
_HEADINGS = {
    Change.ALLOWED: "The policy allows, and the files do not",
    Change.DENIED: "The files allow, and the policy does not",
    Change.REROUTED: "The files send otherwise than the policy",
}


def render(found: Imported, look: Look) -> str:
    """The summary; empty where there is nothing to say and little is to be said."""
    lines = [*_untaken(found, look), *_differences(found, look), *_undecided(found, look), *_notes(found, look)]
    if look.verbosity >= 0 or lines:
        lines.extend(_summary(found, look))
    return "".join(f"{line}\n" for line in lines)


def _untaken(found: Imported, look: Look) -> Iterator[str]:
    if found.untaken:
        yield look.paint("Not taken", Style.STRONG)
    for one in found.untaken:
        text = f"{place(found, one)}: `{one.subject}`: {one.reason}"
        yield "  " + wrapped(harmless(text), look.width, "      ")


def place(found: Imported, one: Untaken) -> str:
    """The file and line."""
    span = one.origin.span
    source = found.sources.get(span.file)
    return f"{span.file}:{source.position(span.start).line}" if source is not None else span.file or "anywhere"


def _differences(found: Imported, look: Look) -> Iterator[str]:
    regions = () if found.difference is None else found.difference.regions
    for change, members in groupby(regions, key=lambda one: one.change):
        yield look.paint(_HEADINGS[change], Style.STRONG)
        for _, alike in groupby(sorted(members, key=_words), key=_words):
            yield from _region(tuple(alike), found, look)


def _words(region: DiffRegion) -> tuple[object, ...]:
    """What regions have in common that differ in their places alone; spare ports of nodes are alike."""
    is_spare = all(_is_undeclared(place.text) for place in region.places)
    routing = (region.before, region.after) if not is_spare else ()
    return (region.sources, region.operations, region.conditions, is_spare, str(routing))


_SPARE = " (other ports)"


def _is_undeclared(place: str) -> bool:
    """Whether nothing declares the port: what is declared has a name."""
    return place.endswith(_SPARE) or place.rpartition(":")[2].isdecimal()


def _region(alike: Sequence[DiffRegion], found: Imported, look: Look) -> Iterator[str]:
    first = alike[0]
    names = [name for region in alike for name in region.destinations]
    is_spare = all(map(_is_undeclared, names))
    if is_spare:
        names = list(
            dict.fromkeys(name.removesuffix(_SPARE).rpartition(":")[0] or name.removesuffix(_SPARE) for name in names)
        )
    shown = names if look.verbosity > 0 else names[:_FEW]
    listed = ", ".join(shown)
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    where = f"ports that nothing declares, of {listed}{more}" if is_spare else f"{listed}{more}"
    what = "; ".join((*first.operations, *(f"if {one}" for one in first.conditions)))
    text = f"{', '.join(first.sources)} {look.glyphs.hop} {where}{f': {what}' if what else ''}"
    yield "  " + wrapped(harmless(text), look.width, "      ")
    if first.before is not None and first.after is not None and not is_spare:
        sent = f"{_routing(first.before)}, and not {_routing(first.after)}"
        yield "      " + wrapped(harmless(f"to {sent}"), look.width, "        ")
    if first.witness is not None:
        request = request_text(first.witness.request, found.identities)
        yield "      " + wrapped(harmless(f"such as {request}"), look.width, "        ")


def _routing(routing: object) -> str:
    destinations = getattr(routing, "destinations", "")
    settings = getattr(routing, "settings", ())
    return ", ".join((destinations, *settings))


def _undecided(found: Imported, look: Look) -> Iterator[str]:
    undecided = () if found.difference is None else found.difference.undecided
    if undecided:
        yield look.paint("Not known", Style.STRONG)
    for one in undecided:
        yield "  " + wrapped(harmless(f"{one.subject}: {one.reason}"), look.width, "      ")


def _notes(found: Imported, look: Look) -> Iterator[str]:
    for note in found.notes:
        yield look.paint("note", Style.NOTE) + ": " + wrapped(harmless(note), look.width, "      ")


def _summary(found: Imported, look: Look) -> Iterator[str]:
    taken = counts(found)
    not_taken = f"{len(found.untaken)} not taken" if found.untaken else "everything was taken"
    yield f"{taken or 'nothing'}; {not_taken}"
    if found.is_equal:
        yield look.paint(look.glyphs.good, Style.GOOD) + " proved: the policy means what the files mean" + _but(found)
    elif found.difference is not None and not found.difference.regions:
        yield look.paint(look.glyphs.unsure, Style.WARNING) + " not everything could be compared"
    else:
        yield look.paint(look.glyphs.bad, Style.ERROR) + " the policy is not what the files mean: see above where"


def counts(found: Imported) -> str:
    """What the policy declares, such as `1 gateway, 2 services`."""
    several = ((number, kind if number > 1 else kind.removesuffix("s")) for kind, number in found.taken if number)
    return ", ".join(f"{number} {kind}" for number, kind in several)


def _but(found: Imported) -> str:
    return ", as far as decisions and routes go" if found.notes else ""
