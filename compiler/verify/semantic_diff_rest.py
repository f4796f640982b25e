"""What a comparison of two policies says besides its regions: what it cannot know, and edits without effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import Origin, RuleId
from meshproof.compiler.ir.sameness import is_same
from meshproof.compiler.verify.semantic_diff_blame import scope_text
from meshproof.compiler.verify.semantic_diff_ports import Sides
from meshproof.compiler.verify.semantic_diff_values import Edit, EditKind, Undecided


def doubts(sides: Sides) -> Iterator[Undecided]:
    """Whom else the policies ask, if it is somebody else now: keys of tokens, where tokens stand, authorizers."""
    old_issuers = {issuer.url: issuer for issuer in sides.old.issuers}
    for issuer in sides.new.issuers:
        known = old_issuers.get(issuer.url)
        if known is not None and known.jwks != issuer.jwks:
            reason = f"its keys come from `{issuer.jwks}`, not from `{known.jwks}`: which tokens are valid may differ"
            yield Undecided(f"issuer {issuer.name}", reason)
        if known is not None and known.place != issuer.place:
            yield Undecided(f"issuer {issuer.name}", "its tokens are read from another place")
        if known is not None and known.words != issuer.words:
            yield Undecided(f"issuer {issuer.name}", "other claims of its tokens are split into words")
    old_authorizers = {one.name: one for one in sides.old.authorizers}
    for authorizer in sides.new.authorizers:
        asked = old_authorizers.get(authorizer.name)
        if asked is not None and (asked.address, asked.protocol) != (authorizer.address, authorizer.protocol):
            reason = f"it is asked at `{authorizer.address}`, not at `{asked.address}`: its answers may differ"
            yield Undecided(f"authorizer {authorizer.name}", reason)
        if asked is not None and asked.fails_open != authorizer.fails_open:
            yield Undecided(f"authorizer {authorizer.name}", "what no answer of it counts as is another")


def notes_of(sides: Sides) -> tuple[str, ...]:
    """What to know when one reads the difference."""
    return (*_path_notes(sides.old, sides.new), *_date_notes(sides.old, sides.new))


def _path_notes(old: Mesh, new: Mesh) -> Iterator[str]:
    if old.paths is new.paths:
        return
    for mesh, side in ((old, "old"), (new, "new")):
        if mesh.paths is not PathMode.LANGUAGE:
            escaped = "" if mesh.paths is PathMode.NONE else ', or hold one of `"<>^{|}` or a backtick,'
            yield (
                f"the {side} side judges paths as Envoy does with what Istio calls path normalization {mesh.paths}:"
                f" paths that are not normal in the language{escaped} were not compared"
            )


def _date_notes(old: Mesh, new: Mesh) -> Iterator[str]:
    before = _rules(old)
    for rule in new.rules:
        known = before.get(rule.id)
        if known is not None and known.until != rule.until:
            was = "without an end" if known.until is None else f"until {known.until}"
            now = "without an end" if rule.until is None else f"until {rule.until}"
            yield f"rule `{rule.id}` was {was} and is {now}: another day may give another difference"


def _rules(mesh: Mesh) -> dict[RuleId, AuthzRule]:
    return {rule.id: rule for rule in mesh.rules}


def silent_edits(sides: Sides, blamed: frozenset[Edit]) -> Iterator[Edit]:
    """The statements that differ and are to blame for nothing."""
    places = {(edit.kind, edit.old, edit.new) for edit in blamed}
    names = {(edit.kind, edit.subject) for edit in blamed} | _rules_of_lone_nodes(sides)
    for edit in _all_edits(sides):
        if (edit.kind, edit.old, edit.new) not in places and (edit.kind, edit.subject) not in names:
            yield edit


def _rules_of_lone_nodes(sides: Sides) -> set[tuple[EditKind, str]]:
    """The rules about nodes that one side alone declares: they come and go with those."""
    lone = (
        sides.nodes[0].keys() - sides.correspondence.to_new.keys(),
        sides.nodes[1].keys() - sides.correspondence.to_old.keys(),
    )
    return {
        (EditKind.RULE, rule.id)
        for mesh, names in zip((sides.old, sides.new), lone, strict=True)
        for rule in mesh.rules
        if any(place.node in names for place in rule.destinations)
    }


def _all_edits(sides: Sides) -> Iterator[Edit]:
    old, new = sides.old, sides.new
    one, other = _rules(old), _rules(new)
    for name in sorted(sides.changed_rules):
        was, now = one.get(name), other.get(name)
        yield Edit(EditKind.RULE, name, None if was is None else was.origin, None if now is None else now.origin)
    yield from _differing(EditKind.MTLS, _mtls(old), _mtls(new))
    yield from _differing(EditKind.ROUTE, _by_name(old.routes), _by_name(new.routes))


def _mtls(mesh: Mesh) -> dict[str, object]:
    return {scope_text(statement): statement for statement in mesh.mtls}


def _by_name(values: Iterable[object]) -> dict[str, object]:
    return {str(getattr(value, "id", value)): value for value in values}


def _differing(kind: EditKind, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Edit]:
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if not is_same(was, now):
            yield Edit(kind, name, _origin(was), _origin(now))


def _origin(value: object) -> Origin | None:
    found = getattr(value, "origin", None)
    return found if isinstance(found, Origin) else None
