"""What the proxies of senders do with connections, against what the policy says: identity, TLS outside, and egress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.transport import ClientTls, LiftedClient, LiftedOutside
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.verify.semantic_diff_values import DiffWitness
from meshproof.compiler.verify.translation_gaps import Compared, Gap

_CLOSED = "refuses what is not known outside of the mesh"
_OPEN = "lets out whatever is asked for"
_MOST_TRIED = 20


def sender_gaps(about: Compared) -> Iterator[Gap]:
    """What differs at senders."""
    to_old = {new: old for old, new in about.to_new.items()}
    nodes = {node.name: node for node in about.source.nodes}
    for client in about.transport.clients:
        node = nodes.get(to_old.get(client.node, client.node))
        match node:
            case External():
                yield from _towards_external(client, node, about)
            case Service() | Gateway():
                yield from _towards_mesh(client, node, about)
            case None:
                continue
    for outside in about.transport.outside:
        found = nodes.get(to_old.get(outside.node, outside.node))
        if isinstance(found, External):
            yield from _reached(outside, found)
    yield from _egress(about)


def _reached(outside: LiftedOutside, node: External) -> Iterator[Gap]:
    """Connections go to the host that was called, at the port that the policy names.

    A host that is a pattern has no address of its own: there the sender's is taken.
    """
    place = f"{outside.host}:{outside.number}"
    gap = Gap(is_looser=True, place=place, subject=str(node.name), emitted="", policy="does not")
    if outside.is_at_will and not any(host.startswith("*") for host in node.hosts):
        yield replace(gap, emitted="has senders reach whatever address they write")
    if outside.elsewhere:
        yield replace(gap, emitted=f"has senders reach `{', '.join(outside.elsewhere)}`")
    declared = next((one for one in node.ports if one.number == outside.number), None)
    if declared is not None and declared.workload != outside.reached:
        policy = f"has them reach port {declared.workload}"
        yield replace(gap, emitted=f"has senders reach port {outside.reached}", policy=policy)


def _towards_mesh(client: LiftedClient, node: Service | Gateway, about: Compared) -> Iterator[Gap]:
    """Towards the mesh an identity is shown; a name is asked for only where a gateway is to know an external by it."""
    if client.tls is not ClientTls.MESH:
        how = "without TLS" if client.tls is ClientTls.NONE else "with TLS of its own"
        found = _gap(client, node, f"has senders call {how}, so nobody knows who calls", "has them show who they are")
        yield replace(found, witness=_unknown(client, node, about))
    elif client.names:
        text = f"has senders take whoever is `{', '.join(client.names)}` for it"
        yield _gap(client, node, text, "has them take nobody but its workloads")
    elif client.sni is not None and client.sni not in _relayed(node, about):
        yield _gap(client, node, f"has senders ask for the server name `{client.sni}`", "does not")


def _unknown(client: LiftedClient, node: Service | Gateway, about: Compared) -> DiffWitness | None:
    """A call of a declared sender, which arrives without its identity; best one that is allowed as it is sent."""
    port = next((one for one in node.ports if one.number == client.number), None)
    senders = [one for one in about.source.services if client.namespace in {"", one.namespace}]
    if port is None or not senders:
        return None
    plain = Request(Peer(None), node.name, port.workload, RequestProtocol.TCP)
    if port.layer is not Layer.TCP:
        plain = replace(plain, protocol=RequestProtocol.HTTP, method="GET", host=client.host, path="/")
    arriving = replace(plain, destination=about.to_new[node.name])
    shown = [about.shown_as(replace(plain, source=Peer(one.identity.uri)), arriving) for one in senders[:_MOST_TRIED]]
    return next((one for one in shown if one.old is not None and one.old.is_allowed), shown[0])


def _relayed(node: Service | Gateway, about: Compared) -> set[str]:
    return {host for one in about.source.externals if one.via == node.name for host in one.hosts}


def _towards_external(client: LiftedClient, node: External, about: Compared) -> Iterator[Gap]:
    """TLS is started where the policy says so, with a server whose certificate is for the host; elsewhere never."""
    port = next((one for one in node.ports if one.number == client.number), None)
    if port is None:
        return
    if not port.is_originated:
        if client.tls is not ClientTls.NONE:
            yield _gap(client, node, "has senders start TLS", "does not")
        return
    is_relayed_elsewhere = node.via is not None and client.namespace != _namespace_of(node.via, about)
    if client.tls is not ClientTls.STARTED:
        if not is_relayed_elsewhere:  # a sender that goes through the gateway never calls the host itself
            yield _gap(client, node, "has senders call without TLS", "has them start TLS")
    elif not client.is_checked or client.names != (client.host,):
        yield _gap(client, node, "has senders take any certificate", "has them check that it is the host's")
    elif client.sni not in {None, client.host}:
        yield _gap(client, node, f"has senders ask for the server name `{client.sni}`", "has them ask for the host")


def _namespace_of(name: NodeName, about: Compared) -> str | None:
    return next((one.namespace for one in about.source.gateways if one.name == name), None)


def _gap(client: LiftedClient, node: Node, emitted: str, policy: str) -> Gap:
    place = f"{client.host}:{client.number}"
    return Gap(is_looser=True, place=place, subject=str(node.name), emitted=emitted, policy=policy)


def _egress(about: Compared) -> Iterator[Gap]:
    """Whether each declared sender is held to what it knows, and all others are left as they were."""
    is_closed = about.source.egress is Egress.CLOSED
    for service in about.source.services:
        name = about.to_new.get(service.name)
        if name is None or (name in about.transport.closed) is is_closed:
            continue
        emitted, policy = (_OPEN, _CLOSED) if is_closed else (_CLOSED, _OPEN)
        place = f"{service.name} calling outside"
        yield Gap(is_looser=is_closed, place=place, subject=str(service.name), emitted=emitted, policy=policy)
    if about.transport.is_closed_elsewhere:
        place = "senders that nobody declares"
        yield Gap(is_looser=False, place=place, subject="egress", emitted=_CLOSED, policy="says nothing of them")
