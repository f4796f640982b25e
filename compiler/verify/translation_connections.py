"""All that is compared of connections: who passes transport, how gateways take them, what senders do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Host, Port, Sni, SourceIdentity, attributes_of
from meshproof.compiler.semantics.errors import MalformedRequest
from meshproof.compiler.semantics.facts import facts_of
from meshproof.compiler.semantics.truth import truth
from meshproof.compiler.verify.correspondence import by_place
from meshproof.compiler.verify.semantic_diff_values import Undecided
from meshproof.compiler.verify.translation_edges import edge_gaps
from meshproof.compiler.verify.translation_gaps import Compared, Gap
from meshproof.compiler.verify.translation_part import WHOLE, Part
from meshproof.compiler.verify.translation_paths import path_gaps
from meshproof.compiler.verify.translation_relays import relay_gaps
from meshproof.compiler.verify.translation_senders import sender_gaps
from meshproof.compiler.verify.translation_sent import unsent_gaps
from meshproof.compiler.verify.translation_transport import workload_gaps

_OF_CONNECTIONS = (Host, Port, Sni, SourceIdentity)
"""What connections are told apart by; a gateway takes those for a host or does not."""


def connection_gaps(
    source: Mesh,
    lifted: Mesh,
    transport: LiftedTransport | None,
    losses: Sequence[Loss],
    day: date,
    part: Part = WHOLE,
) -> tuple[Gap | Undecided, ...]:
    """What differs, without what is refused more and a listed loss speaks of; the rest is not known.

    Without `transport` the files were not asked what they say of connections beside the lifted mesh: so nobody knows.
    Of a `part` that is some ports alone it is not looked at: who listens and who calls is said elsewhere.
    """
    told = transport if transport is not None else LiftedTransport()
    about = Compared(source, lifted, told, day, by_place(source, lifted).to_new, part)
    found: list[Gap | Undecided] = [*workload_gaps(about), *path_gaps(about)]
    if part.is_inside:
        pass
    elif transport is None:
        found.append(Undecided("connections", "the target does not tell what it does with them"))
    else:
        found += edge_gaps(about)
        found += sender_gaps(about)
        found += unsent_gaps(about)
        found += relay_gaps(about)
        found += (Undecided(field, "it is not understood") for field in transport.unread)
    of_connections = tuple(loss for loss in losses if _is_of_connections(loss))
    kept = [one for one in found if not _is_listed(one, of_connections, about)]
    return tuple({_said(one): one for one in reversed(kept)}.values())[::-1]


def _said(one: Gap | Undecided) -> Gap | Undecided:
    """What is told of it: two that only their witnesses tell apart are one."""
    return replace(one, witness=None) if isinstance(one, Gap) else one


def _is_of_connections(loss: Loss) -> bool:
    """Whether it refuses whole connections: what a request holds tells nothing of the others on its connection."""
    is_of_requests = loss.is_of_tokens or loss.is_of_routes or bool(loss.settings) or loss.repeated is not None
    read = attributes_of(loss.region)
    is_whole = loss.direction is Direction.STRICTER and not is_of_requests
    return is_whole and all(isinstance(one, _OF_CONNECTIONS) for one in read)


def _is_listed(one: Gap | Undecided, losses: Sequence[Loss], about: Compared) -> bool:
    """Whether a loss speaks of the connection that shows the gap, and the gap is that it is refused."""
    if not isinstance(one, Gap) or one.is_looser or one.witness is None:
        return False
    request = one.witness.request
    try:
        facts = facts_of(about.source, request, about.day)
    except MalformedRequest:
        return False
    own = (loss for loss in losses if loss.subject == one.subject and loss.is_at(request.destination, request.port))
    return any(truth(loss.region, facts, {}) for loss in own)
