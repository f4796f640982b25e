"""Whether a connection from an honest proxy to a listener comes about, by the TLS of both.

Source: App Mesh user guide, "Transport Layer Security" (without a client policy, or where it is not enforced, callers
speak TLS where the server does) and "Mutual TLS authentication".
"""

from __future__ import annotations

from typing import Any

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Always, Never, Opaque, Predicate
from meshproof.targets.appmesh.lift.cooperative.ways import Way
from meshproof.targets.appmesh.lift.identities import names_in
from meshproof.targets.appmesh.settled import is_settled


def connects(way: Way, tls: Any, origin: Origin) -> Predicate:  # noqa: ANN401  of a listener of a node
    """Always, never, or something that nothing tells. Certificates fit what they are asked for, unless files tell."""
    forced = _is_forced(way)
    if tls is None or tls.mode == "DISABLED":
        return _unless(forced, origin)
    if _is_refused(way, tls, is_spoken=forced is not False):
        return Never()
    if tls.validation is None:
        return Always()
    if tls.mode == "PERMISSIVE" and forced is not True:
        return Opaque("whether TLS is spoken where plaintext is taken too", origin)
    return _is_named(way, tls.validation, origin)


def _is_forced(way: Way) -> bool | None:
    """Whether the client policy has TLS spoken, whatever the server does; None if nothing tells."""
    tls = way.tls
    if tls is None or tls.enforce is False:
        return False
    if tls.ports is None:
        return True
    found = {way.dialled in tls.ports, way.port in tls.ports}
    return found.pop() if len(found) == 1 else None


def _unless(forced: bool | None, origin: Origin) -> Predicate:  # noqa: FBT001  one of three
    if forced is None:
        return Opaque("which port a client policy means", origin)
    return Never() if forced else Always()


def _is_refused(way: Way, tls: Any, *, is_spoken: bool) -> bool:  # noqa: ANN401
    """Whether the proxy refuses the server's certificate, as far as both names are told."""
    if way.tls is None or not is_spoken:
        return False
    wanted, sds = names_in(way.tls.validation), tls.certificate.sds
    shown = None if sds is None else sds.secret_name
    is_told = shown is not None and is_settled(shown) and all(map(is_settled, wanted))
    return bool(wanted) and is_told and shown not in wanted


def _is_named(way: Way, validation: Any, origin: Origin) -> Predicate:  # noqa: ANN401
    """Whether the listener takes the certificate that is shown; one must be."""
    certificate = None if way.tls is None else way.tls.certificate
    if certificate is None:
        return Never()
    names = names_in(validation)
    if not names:
        return Always()
    shown = None if certificate.sds is None else certificate.sds.secret_name
    if shown is not None and is_settled(shown):
        if shown in names:
            return Always()
        if all(map(is_settled, names)):
            return Never()
    return Opaque("the names in the certificate of a caller", origin)
