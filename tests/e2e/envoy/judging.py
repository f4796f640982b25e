"""Whether what Envoy did with a request is what the language says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from tests.e2e.envoy.client import Reply

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.patterns.raw_readings import raw_readings
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize

_DOTS_WITH_PARAMETERS = re.compile(r"[/\\]\.\.?;")
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"}
_ENCODED = re.compile(r'["<>^`{|}]')


def disagreement(mesh: Mesh, request: Request, reply: Reply, day: date, *, merges: bool) -> str | None:
    """What is wrong with the answer, None if nothing is.

    A raw path that the language refuses, or merges (`merges`: the mesh does too), may be let through: where what is
    forwarded is a normal path, if that may be; else if no deny takes a reading of it. Anything else must come out as
    the language says.
    """
    says = decide(mesh, request, day)
    sent = request.path or "/"
    is_raw = ("//" in sent and not merges) or _DOTS_WITH_PARAMETERS.search(sent) is not None
    if reply.status != 200:
        return "stricter" if says.is_allowed and not is_raw and not _is_unreadable(request, says) else None
    forwarded = (reply.header("x-seen-path") or "").partition("?")[0]
    normal = normalize(sent)
    if says.is_observed:
        return None
    if says.is_allowed and not is_raw:
        return _forwarded(normal, forwarded)
    if says.reason is not Reason.PATH and not is_raw:
        return f"looser: {says}"
    if normalize(forwarded) != NormalPath(forwarded):
        denied = [reading for reading in raw_readings(forwarded) if _is_denied(mesh, request, reading, day)]
        return f"looser: a deny takes the readings {denied}" if denied else None
    instead = decide(mesh, replace(request, path=forwarded), day)
    return None if instead.is_allowed else f"looser: forwarded as {forwarded}, which is {instead}"


def _is_unreadable(request: Request, says: Decision) -> bool:
    """What Envoy's HTTP/1.1 refuses by itself: methods that it does not know, and, observed or not, broken paths."""
    return request.method not in KNOWN_METHODS or (says.is_observed and says.reason is Reason.PATH)


def _forwarded(normal: object, forwarded: str) -> str | None:
    """What goes on must be what was judged, but for the characters that Envoy escapes and slashes alone."""
    assert isinstance(normal, NormalPath)
    expected = _ENCODED.sub(lambda char: f"%{ord(char[0]):02X}", normal.text)
    is_root = normal.text == "/" and not forwarded.strip("/")
    return None if forwarded == expected or is_root else f"forwarded as {forwarded}, judged as {normal.text}"


def _is_denied(mesh: Mesh, request: Request, reading: str, day: date) -> bool:
    if not isinstance(normalize(reading), NormalPath) or "//" in reading:
        return False
    found: Decision = decide(mesh, replace(request, path=reading), day)
    effects = {rule.effect for rule in mesh.rules if rule.id in found.determined_by}
    return not found.is_allowed and Effect.DENY in effects


def is_told(mesh: Mesh, request: Request, lossy: frozenset[str]) -> bool:
    """Whether a loss was listed for a rule about the destination."""
    return any(
        place.node == request.destination for rule in mesh.rules if rule.id in lossy for place in rule.destinations
    )
