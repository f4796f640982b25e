"""Whom a listener lets in, as its own proxy enforces it.

Source: App Mesh user guide, "Mutual TLS authentication"; and what its Envoy does: names are compared as text, and only
after the chain was verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.matchers import Exact, Prefix, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import Origin, SpiffeId
from meshproof.compiler.ir.predicate import Always, Predicate, SourceIdentity, Test, disjunction, negation
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.lift.identities import names_in

_NOWHERE_ISSUED = ".invalid"
_SCHEME = "spiffe://"


@dataclass(frozen=True, slots=True)
class Admission:
    """A listener at `port`. `names` are the identities of whom one must come, None: any of the trust domain `domain`.

    In the mode `PERMISSIVE` callers without identity come in besides; in `DISABLED` nobody is asked for one.
    """

    port: int
    spoken: str
    mode: MtlsMode
    names: frozenset[str] | None
    domain: str
    origin: Origin

    @property
    def is_open(self) -> bool:
        """Whether callers without identity come in."""
        return self.mode is not MtlsMode.STRICT

    @property
    def meaning(self) -> tuple[object, ...]:
        """What tells it from others, wherever it stands."""
        return (self.port, self.spoken, self.mode, self.names, self.domain)

    def takes(self, identity: SpiffeId) -> bool:
        """Whether the proxy with that identity gets in with its certificate."""
        if self.mode is MtlsMode.DISABLED:
            return True
        return identity.trust_domain == self.domain if self.names is None else identity.uri in self.names

    def callers(self, without: frozenset[str] = frozenset()) -> Predicate:
        """Who comes in, but for the identities `without` among its names: where all come in, all do."""
        if self.mode is MtlsMode.DISABLED:
            return Always()
        anonymous = negation(Test(SourceIdentity(), Present()))
        return disjunction((self._identified(without), *((anonymous,) if self.is_open else ())))

    def _identified(self, without: frozenset[str]) -> Predicate:
        if self.names is not None:
            return disjunction(tuple(_is(name) for name in sorted(self.names - without)))
        return Test(SourceIdentity(), Prefix(f"{_SCHEME}{self.domain}/"))


def admissions(found: Found[Any], known: Mesh, doubts: Doubts, *, is_edge: bool = False) -> tuple[Admission, ...]:
    """The listeners of a node or gateway. App Mesh takes no two on one port.

    At the edge callers have no identity of the mesh, unless its own authority is asked for theirs.
    """
    listeners = enumerate(found.value.spec.listeners or ())
    return tuple(
        _Reading(found.name, found.place("spec", "listeners", index), known, doubts, is_edge).listener(listener)
        for index, listener in listeners
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    name: str
    origin: Origin
    known: Mesh
    doubts: Doubts
    is_edge: bool

    def listener(self, listener: Any) -> Admission:  # noqa: ANN401  of a node or a gateway
        mapping, tls = listener.port_mapping, listener.tls
        own = self.known.trust_domain
        if self.is_edge and not (
            tls is not None and tls.validation is not None and is_of_mesh(tls.validation.trust, own)
        ):
            if tls is not None and names_in(tls.validation):
                self._doubt(mapping.port, "tells callers from outside apart by their names")
            return Admission(mapping.port, mapping.protocol, MtlsMode.DISABLED, None, own, self.origin)
        if tls is None or tls.mode == "DISABLED" or tls.validation is None:
            if tls is not None and tls.mode != "DISABLED":
                self._doubt(mapping.port, "takes TLS and asks nobody who they are")
            return Admission(mapping.port, mapping.protocol, MtlsMode.DISABLED, None, own, self.origin)
        mode = MtlsMode.PERMISSIVE if tls.mode == "PERMISSIVE" else MtlsMode.STRICT
        domain = self._domain(tls.validation.trust, mapping.port)
        # A list without names is no list: any certificate of the authority is taken.
        written = names_in(tls.validation)
        names = frozenset(self._names(written, domain, mapping.port)) if written else None
        if names is None and tls.validation.trust.file is not None and self.known.trusts:
            self._doubt(mapping.port, "takes every certificate of a file of authorities, whatever their domains")
        return Admission(mapping.port, mapping.protocol, mode, names, domain, self.origin)

    def _domain(self, trust: Any, port: int) -> str:  # noqa: ANN401
        """Whose certificates are verified. A file of authorities is taken for that of our own trust domain."""
        if trust.sds is None:
            return self.known.trust_domain
        domain: str = trust.sds.secret_name.removeprefix(_SCHEME)
        if domain not in {self.known.trust_domain, *self.known.trusts}:
            self._doubt(port, f"trusts `{trust.sds.secret_name}`, of which the policy knows nothing")
        return domain

    def _names(self, written: tuple[str, ...], domain: str, port: int) -> list[str]:
        """The identities among the names. No authority of another domain vouches for one, and none for `.invalid`."""
        found = []
        for name in written:
            identity = SpiffeId.parse(name)
            if identity is None and not name.endswith(_NOWHERE_ISSUED):
                self._doubt(port, f"takes the name `{name}`, which is no identity of the policy")
            elif identity is not None and identity.trust_domain == domain:
                found.append(name)
            elif identity is not None:
                self._doubt(port, f"takes `{name}`, and does not trust the authority of its domain")
        return found

    def _doubt(self, port: int, message: str) -> None:
        self.doubts.add(f"{self.name}:{port}", message, self.origin)


def is_of_mesh(trust: Any, trust_domain: str) -> bool:  # noqa: ANN401  of a listener
    """Whether it is the mesh's own authority that is trusted, as SDS hands it out."""
    return trust.sds is not None and trust.sds.secret_name.removeprefix(_SCHEME) == trust_domain


def _is(name: str) -> Predicate:
    return Test(SourceIdentity(), Exact(name))
