"""The policy as a bundle. What foreign files alone can say stops it, and what reads headers of a connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.backend.artifact import MapEntry, SourceMap
from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.bundle import MOST_REVISION, Bundle, SourcePlace, enforced
from meshproof.compiler.ir.client_addresses import hidden_by
from meshproof.compiler.ir.connection_headers import CONNECTION_HEADERS
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Header, Predicate, Test, attributes_of
from meshproof.compiler.ir.serde import digest
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity

REVISION = "native.revision"
"""The one option: the number by which a runtime tells older bundles from newer ones."""


@dataclass(frozen=True, slots=True)
class NativeLowered:
    """The bundle, and what was said on the way."""

    bundle: Bundle
    diagnostics: tuple[Diagnostic, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def source_map(self) -> SourceMap:
        """Where each rule and route went: into the one bundle, by its own name."""
        return tuple(MapEntry(place.kind, "", place.name, None, place.name) for place in self.bundle.source_map)


def lower(mesh: Mesh, options: CompileOptions) -> NativeLowered:
    """The bundle of the mesh. A wrong option is MP709.

    MP701 is what was lifted from foreign files, and what reads headers of a connection or a client that proxies hide.
    """
    revision = dict(options.settings).get(REVISION)
    number = _number(revision) if revision is not None else None
    bundle = Bundle(options.source_hash or digest(mesh), options.read_back, enforced(mesh), _source_map(mesh), number)
    return NativeLowered(bundle, (*_refused(mesh), *_unread(mesh), *_hidden(mesh), *_wrong_options(mesh, options)))


def _number(text: str) -> int | None:
    """A number in its one form, so that the same revision is the same bytes and the same words."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(MOST_REVISION)) or text.startswith("0"):
        return None
    return int(text) if int(text) <= MOST_REVISION else None


def _source_map(mesh: Mesh) -> tuple[SourcePlace, ...]:
    rules = (_place("rule", str(rule.id), rule.origin) for rule in mesh.rules)
    routes = (_place("route", route.id, route.origin) for route in mesh.routes)
    return tuple(sorted((*rules, *routes)))


def _place(kind: str, name: str, origin: Origin) -> SourcePlace:
    span = origin.span
    return SourcePlace(kind, name, span.file, span.start, span.end)


def _refused(mesh: Mesh) -> tuple[Diagnostic, ...]:
    if not mesh.is_lifted:
        return ()
    return (
        Diagnostic(
            code="MP701",
            severity=Severity.ERROR,
            message=f"native cannot express `{mesh.name}`: it was read from the files of another mesh",
            labels=(Label(mesh.origin.span, str(Feature.FOREIGN_FILES), is_primary=True),),
            help="`meshproof import` makes a policy of such files, which can be compiled",
            subject=mesh.name,
            fingerprint="native:foreign-files",
        ),
    )


def _unread(mesh: Mesh) -> Iterator[Diagnostic]:
    """What reads headers that a sidecar takes off before it judges; it would not load the bundle."""
    for rule in mesh.rules:
        yield from _of_connection(str(rule.id), rule.content, rule.origin)
    for route in mesh.routes:
        for branch in route.branches:
            yield from _of_connection(route.id, branch.condition, route.origin)
    for issuer in mesh.issuers:
        if issuer.place is not None and issuer.place.kind == "header":
            yield from _of_connection(str(issuer.name), Test(Header(issuer.place.name), Present()), issuer.origin)


def _hidden(mesh: Mesh) -> Iterator[Diagnostic]:
    for rule in mesh.rules:
        gateway = hidden_by(mesh, rule)
        if gateway is not None:
            yield Diagnostic(
                code="MP701",
                severity=Severity.ERROR,
                message=f"native cannot express `{rule.id}`: behind `{gateway.name}`, which trusts "
                f"{gateway.trusted_proxies} proxies before it, a sidecar sees the address of the last of those",
                labels=(Label(rule.origin.span, str(Feature.CLIENT_ADDRESS), is_primary=True),),
                help="judge by `source.ip` at the gateway, or take the proxies before it away",
                subject=str(rule.id),
                fingerprint=f"native:{rule.id}:client.ip",
            )


def _of_connection(name: str, condition: Predicate, origin: Origin) -> Iterator[Diagnostic]:
    headers = (one.name for one in attributes_of(condition) if isinstance(one, Header))
    for header in sorted(CONNECTION_HEADERS.intersection(headers)):
        yield Diagnostic(
            code="MP701",
            severity=Severity.ERROR,
            message=f"native cannot express `{name}`: it reads the header `{header}`, which is of one connection",
            labels=(Label(origin.span, str(Feature.HEADER), is_primary=True),),
            help="take a header of your own; proxies take this one off before anything is judged",
            subject=name,
            fingerprint=f"native:{name}:{header}",
        )


def _wrong_options(mesh: Mesh, options: CompileOptions) -> Iterator[Diagnostic]:
    for key, value in options.settings:
        if key == REVISION and _number(value) is None:
            yield _wrong(mesh, key, f"`{key}` is no revision: `{value}`", f"it is a number from 1 to {MOST_REVISION}")
        elif key != REVISION and key.startswith("native."):
            yield _wrong(mesh, key, f"native has no option `{key}`", f"the one option is {REVISION}")


def _wrong(mesh: Mesh, key: str, message: str, advice: str) -> Diagnostic:
    return Diagnostic(
        code="MP709",
        severity=Severity.ERROR,
        message=message,
        labels=(Label(mesh.origin.span, is_primary=True),),
        help=advice,
        subject=mesh.name,
        fingerprint=f"native:{key}",
    )
