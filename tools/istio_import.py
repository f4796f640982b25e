"""What `import istio` takes of the applications of the corpus, as a table in docs/targets/istio-import.md.

`python -m tools.istio_import CORPUS` writes the table, `--check` only says whether it is what it would write. Of the
corpus itself the table has names of folders and objects.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tools.istio_audit import applications, page_with

from meshproof.compiler.backend.registry import load
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.importing import import_policy
from meshproof.compiler.driver.policy import Policy, Reading, lift, policy_of_texts, read_policy
from meshproof.compiler.driver.reading_back import EQUAL, STRICTER, emitted
from meshproof.compiler.express import Wording, express, folded, seen_alike, without_unasked
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.report.import_text import counts
from meshproof.compiler.report.model_import import Imported
from meshproof.compiler.verify.correspondence import Correspondence
from meshproof.compiler.verify.semantic_diff import DiffOptions, semantic_diff
from meshproof.compiler.verify.semantic_diff_values import Change, SemanticDiff
from meshproof.dsl.diagnostic import Severity

PAGE = Path(__file__).parent.parent / "docs" / "targets" / "istio-import.md"
DAY = date(2026, 11, 23)
_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    """An application as it was imported, compiled for Istio again, and read back.

    `refusals` are the codes and messages of what stops the compile. Else `known` is what a compile says of what it
    emitted, `gaps` is what it has not proved, and `whole` the difference from the files to what was emitted.
    """

    name: str
    files: Policy
    imported: Imported
    policy: Policy
    refusals: tuple[tuple[str, str], ...]
    known: str
    gaps: tuple[str, ...]
    whole: SemanticDiff | None

    @property
    def is_the_policy(self) -> bool:
        """Whether what was emitted is proved to mean what the policy says, but for losses that the compile lists."""
        return self.known in {EQUAL, STRICTER} and not self.gaps

    @property
    def is_what_was_taken(self) -> bool:
        """Whether what was emitted is other than the files only where the policy is, and as it is."""
        assert self.imported.difference is not None
        return self.whole is not None and _places(self.whole) <= _places(self.imported.difference)


def take(name: str, path: Path) -> Taken:
    """Import an application, compile the policy, and read what was emitted."""
    files = read_policy([path], Reading(origin=Origin.ISTIO))
    imported = import_policy(files, DAY, _TIMEOUT_MS)
    assert imported.text is not None, name
    policy = policy_of_texts({"imported.mesh": imported.text})
    (mesh,) = policy.meshes
    target = load("istio")
    options = CompileOptions(DAY)
    lowered = target.lower(mesh, options)
    errors = [one for one in lowered.diagnostics if one.severity is Severity.ERROR]
    refusals = tuple((one.code, one.message) for one in errors)
    if errors:
        return Taken(name, files, imported, policy, refusals, "", (), None)
    judged = emitted(target, lowered, mesh, options, _TIMEOUT_MS)
    gaps = tuple(one.message for one in judged.diagnostics)
    whole = _difference(folded(files.meshes[0]).mesh, lift(judged.artifacts, (), mesh).mesh)
    return Taken(name, files, imported, policy, refusals, judged.known, gaps, whole)


def _difference(files: Mesh, again: Mesh | None) -> SemanticDiff:
    """From the files, as far as an import can take them, to what was emitted."""
    assert again is not None
    (old, _), (new, _) = without_unasked(files), without_unasked(again)
    names = express(files, Wording("", lambda _: "", DAY)).names.nodes
    known = {node.name for node in new.nodes}
    correspondence = Correspondence(
        tuple(sorted((node, NodeName(name)) for node, name in names.items() if name in known))
    )
    new = seen_alike(old, new, correspondence.to_new)
    return semantic_diff(old, new, DAY, DiffOptions(correspondence=correspondence))


def _places(difference: SemanticDiff) -> frozenset[tuple[Change, str | None, int | None]]:
    """Where and how something is otherwise, or may be, by the names in the files."""
    return frozenset((region.change, place.old, place.port) for region in difference.regions for place in region.places)


def take_all(corpus: Path) -> tuple[Taken, ...]:
    """Every application."""
    return tuple(take(name, path) for name, path in applications(corpus))


def table(found: Sequence[Taken]) -> str:
    """The table as Markdown: a line for each application, and below it what was not taken, by reason."""
    lines = ["| application | taken | not taken | compiled again |", "|---|---|---|---|"]
    lines += [
        f"| {one.name} | {counts(one.imported)} | {len(one.imported.untaken)} | {_compiled(one)} |" for one in found
    ]
    for one in found:
        lines += _section(one)
    return "\n".join(lines) + "\n"


def _compiled(one: Taken) -> str:
    if one.refusals:
        codes = Counter(code for code, _ in one.refusals)
        return "refused: " + ", ".join(f"{code} ({number})" for code, number in sorted(codes.items()))
    if not one.is_the_policy:
        return "not proved"
    if not one.is_what_was_taken:
        return "differs"
    return "equal" if one.known == EQUAL else "stricter, as listed"


def _section(one: Taken) -> Iterator[str]:
    reasons = _by_reason(one.imported)
    if reasons or one.refusals or one.gaps:
        yield from ("", f"**{one.name}**", "")
    for reason, subjects in reasons.items():
        yield f"- {reason}: {', '.join(f'`{subject}`' for subject in subjects)}"
    for code, message in one.refusals:
        yield f"- compiling it: {code} {message}"
    for gap in one.gaps:
        yield f"- compiled: {gap}"


def _by_reason(imported: Imported) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in imported.untaken:
        found.setdefault(one.reason, []).append(one.subject)
    return found


def main(arguments: list[str]) -> int:
    """Write the table; with `--check` 1 if it is another one."""
    (corpus,) = (Path(one) for one in arguments if not one.startswith("-"))
    text = PAGE.read_text(encoding="utf-8")
    new = page_with(text, table(take_all(corpus)))
    if "--check" in arguments:
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
