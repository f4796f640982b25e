"""Lines of the access log: JSON with the keys of Istio's, and who called, what was decided and by which policy."""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from meshproof.runtime.core.messages import ConnectionRecord, Record
from meshproof.runtime.telemetry.decisions import Told
from meshproof.runtime.telemetry.text import Stamps, audited_member, path_of

HIDEABLE = ("authority", "downstream_remote_address", "path", "peer", "user_agent", "x_forwarded_for")
"""Keys whose values may be told as `null`."""

_MOST = 512
_MOST_KEPT = 256
"""How many texts that come again and again are kept as JSON, so that callers who change theirs take no more memory."""

_NO_DECISION = '"decision":null,"rule":null,"policy_hash":null'
_VIA_UPSTREAM = '"via_upstream"'
_REST = (
    '"connection_termination_details":null,"upstream_transport_failure_reason":null,"upstream_local_address":null,'
    '"route_name":null'
)


def tail(connection: ConnectionRecord, hidden: frozenset[str]) -> str:
    """The end of all lines of a connection: what they have in common."""
    remote = "null" if "downstream_remote_address" in hidden else _told(connection.peer)
    peer = "null" if "peer" in hidden or connection.identity is None else quoted(connection.identity)
    return (
        f'"downstream_local_address":{_told(connection.local)},"downstream_remote_address":{remote},'
        f'"requested_server_name":{_told(connection.sni or "")},"peer":{peer},{_REST}}}\n'
    )


def request_line(
    record: Record,
    stamps: Stamps,
    headers: dict[bytes, bytes],
    told: Told | None,
    end: str,
    hidden: frozenset[str],
) -> str:
    """The line of a request. `told` is its decision, if there was one, `end` the members of its connection."""
    head = record.head
    agent, forwarded = headers.get(b"user-agent"), headers.get(b"x-forwarded-for")
    path, authority = path_of(head.target), head.authority[:_MOST]
    if hidden:
        path = "" if "path" in hidden else path
        authority = "" if "authority" in hidden else authority
        agent = None if "user_agent" in hidden else agent
        forwarded = None if "x_forwarded_for" in hidden else forwarded
    responded = record.responded
    if told is None:
        decided, details = _NO_DECISION, _VIA_UPSTREAM if record.response is not None else "null"
    else:
        decided, details = told.members, _VIA_UPSTREAM if record.response is not None else told.details
    if record.audited:
        decided += audited_member(record.audited)
    return (
        f'{{"start_time":"{stamps.text(record.started)}","method":{quoted(head.method)},'
        f'"path":{quoted(path) if path else "null"},"protocol":"{head.version}","response_code":{record.status},'
        f'"response_flags":"{record.flags or "-"}","response_code_details":{details},'
        f'"bytes_received":{record.received},"bytes_sent":{record.sent},'
        f'"duration":{int((record.ended - record.started) * 1000)},"upstream_service_time":'
        f"{int((responded - (record.asked or record.started)) * 1000) if responded else 'null'},"
        f'"x_forwarded_for":{"null" if forwarded is None else quoted(forwarded[:_MOST].decode("latin-1"))},'
        f'"user_agent":{"null" if agent is None else _quoted_bytes(agent[:_MOST])},'
        f'"request_id":{quoted(record.request_id)},"trace_id":{quoted(record.trace_id)},'
        f"{_places(authority, record.upstream, record.destination)},{decided},{end}"
    )


def connection_line(connection: ConnectionRecord, stamps: Stamps, told: Told | None, end: str) -> str:
    """The line of a connection over TCP."""
    decided = (_NO_DECISION if told is None else told.members) + audited_member(connection.audited)
    duration = int((connection.closed - connection.opened) * 1000)
    return (
        f'{{"start_time":"{stamps.text(connection.opened)}","method":null,"path":null,"protocol":null,"response_code":0,'
        f'"response_flags":"{connection.flags or "-"}","response_code_details":null,'
        f'"bytes_received":{connection.received},"bytes_sent":{connection.sent},"duration":{duration},'
        '"upstream_service_time":null,"x_forwarded_for":null,"user_agent":null,"request_id":null,"trace_id":null,'
        f'"authority":null,"upstream_host":null,"upstream_cluster":null,{decided},{end}'
    )


@lru_cache(_MOST_KEPT)
def _places(authority: str, upstream: str, destination: str) -> str:
    """What was asked and who answered: a few for each destination."""
    return (
        f'"authority":{quoted(authority) if authority else "null"},'
        f'"upstream_host":{quoted(upstream) if upstream else "null"},'
        f'"upstream_cluster":{quoted(destination) if destination else "null"}'
    )


@lru_cache(_MOST_KEPT)
def _quoted_bytes(value: bytes) -> str:
    return quoted(value.decode("latin-1"))


def _told(text: str) -> str:
    return quoted(text[:_MOST]) if text else "null"
