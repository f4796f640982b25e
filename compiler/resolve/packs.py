"""`use`: which file brought which, and what the zones are that a used file asks for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from meshproof.compiler.resolve.zones import WrittenZone
from meshproof.dsl.ast.declarations import ZoneParameter
from meshproof.dsl.ast.document import UseFile, UsePack
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.document import Document
    from meshproof.dsl.source import Span


def used_files(documents: Iterable[Document], packs: Mapping[str, str]) -> dict[str, tuple[UseFile | UsePack, str]]:
    """By used file: the `use` that brings it, and the file in which that stands. `packs` are files by pack name."""
    files = {document.span.file for document in documents}
    found: dict[str, tuple[UseFile | UsePack, str]] = {}
    for document in sorted(documents, key=lambda document: document.span.file):
        for statement in document.statements:
            if isinstance(statement, UseFile | UsePack):
                target = _target(statement, document.span.file, packs)
                if target in files:
                    found.setdefault(target, (statement, document.span.file))
    return found


def _target(written: UseFile | UsePack, file: str, packs: Mapping[str, str]) -> str:
    if isinstance(written, UsePack):
        return packs.get(written.pack.value, "")
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), written.path.value))


def chains(uses: Mapping[str, tuple[UseFile | UsePack, str]]) -> dict[str, tuple[Span, ...]]:
    """By used file: the places of the uses that bring it, innermost first."""
    found: dict[str, tuple[Span, ...]] = {}
    for target in uses:
        chain: list[Span] = []
        file = target
        seen: set[str] = set()
        while file in uses and file not in seen:
            seen.add(file)
            statement, file = uses[file]
            chain.append(statement.span)
        found[target] = tuple(chain)
    return found


def parameters(documents: Iterable[Document]) -> dict[str, dict[str, ZoneParameter]]:
    """By file: the zones that it asks for."""
    asked: dict[str, dict[str, ZoneParameter]] = {}
    for document in documents:
        for statement in document.statements:
            if isinstance(statement, ZoneParameter):
                asked.setdefault(document.span.file, {}).setdefault(statement.name.text, statement)
    return asked


def bound_zones(
    asked: Mapping[str, Mapping[str, ZoneParameter]],
    uses: Mapping[str, tuple[UseFile | UsePack, str]],
    findings: Findings,
) -> Iterator[WrittenZone]:
    """What each zone is that a file asks for; a zone that is not bound, or is not asked for, is a finding."""
    brought = chains(uses)
    for file, (statement, _) in uses.items():
        _check_bindings(statement, asked.get(file, {}), findings)
    for file, wanted in asked.items():
        use = uses.get(file)
        given = {} if use is None else {binding.name.text: binding for binding in use[0].bindings}
        for name, parameter in wanted.items():
            binding = given.get(name)
            if binding is None:
                _report_unbound(parameter, use, findings)
                continue
            purpose = parameter.description.value
            yield WrittenZone(name, binding.members, binding.span, file, purpose, brought.get(file, ()))


def _check_bindings(statement: UseFile | UsePack, wanted: Mapping[str, ZoneParameter], findings: Findings) -> None:
    for binding in statement.bindings:
        name = binding.name
        if name.text not in wanted:
            message = f"the used file does not ask for a zone `{name.text}`"
            findings.add("MP225", message, name.span, help=findings.did_you_mean(name.text, wanted))


def _report_unbound(parameter: ZoneParameter, use: tuple[UseFile | UsePack, str] | None, findings: Findings) -> None:
    name = parameter.name.text
    asks = Label(parameter.name.span, parameter.description.value)
    if use is None:
        message = f"the file asks for a zone `{name}`, and nobody uses it"
        advice = f'give the zone here, `zone {name} = …`, or take the file in with `use "PATH" {{ {name} = … }}`'
        findings.add("MP224", message, parameter.name.span, parameter.description.value, help=advice)
        return
    advice = f"bind it: `{{ {name} = SET }}`"
    findings.add("MP224", f"the zone `{name}` is not bound", use[0].span, labels=(asks,), help=advice)
