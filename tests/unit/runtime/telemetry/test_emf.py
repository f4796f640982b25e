"""Lines for CloudWatch are what its Embedded Metric Format is, and count what is new since the last ones."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from tests.strategies.telling import CATALOG, REFUSED, WALL, connection, record, sink

from meshproof.runtime.telemetry.emf import EmfLines

# The schema that AWS publishes with the specification of the format, but for its examples.
_NAMES = {"type": "string", "minLength": 1, "maxLength": 1024}
_SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": _NAMES,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "items": _NAMES, "maxItems": 30},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {"type": "object", "required": ["Name"], "properties": {"Name": _NAMES}},
                            },
                        },
                    },
                },
            },
        }
    },
}


def _read(lines: list[str]) -> list[dict[str, Any]]:
    assert all(line.endswith("\n") and "\n" not in line[:-1] for line in lines)
    read: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for one in read:
        jsonschema.validate(one, _SCHEMA)
        for directive in one["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                assert isinstance(one[metric["Name"]], int | float)
            for names in directive["Dimensions"]:
                assert all(isinstance(one[name], str) and one[name] for name in names)
    return read


def test_lines_count_what_is_new() -> None:
    told, emf = sink(), EmfLines("Shop/Mesh", "catalog")
    told.request(record(connection()))
    told.request(record(connection()))
    told.request(record(connection(), status=403, decision=REFUSED))
    read = _read(emf.lines(told.snapshot(), WALL))
    assert [(one["response_code"], one["Requests"]) for one in read if "Requests" in one] == [("200", 2), ("403", 1)]
    assert {one["decision"]: one["Decisions"] for one in read if "Decisions" in one} == {"allow": 2, "deny": 1}
    [first, *_] = read
    assert first["_aws"]["Timestamp"] == int(WALL * 1000)
    assert (first["service"], first["destination_service_name"], first["source_workload"]) == (
        "catalog",
        "catalog",
        "front",
    )
    assert (first["RequestDurationSum"], first["RequestBytes"], first["ResponseBytes"]) == (3.0, 20, 2468)
    told.request(record(connection()))
    read = _read(emf.lines(told.snapshot(), WALL + 60))
    assert [(one["response_code"], one["Requests"]) for one in read if "Requests" in one] == [("200", 1)]
    [process] = _read(emf.lines(told.snapshot(), WALL + 120))
    assert process["ConnectionsOpen"] == 4


def test_the_process_tells_how_long_its_certificate_is_valid() -> None:
    told = sink()
    told.certificate(CATALOG, WALL + 3600)
    told.fault("it speaks no TLS")
    [process] = _read(EmfLines("Shop/Mesh", "catalog").lines(told.snapshot(), WALL))
    assert (process["CertificateSecondsLeft"], process["Faults"]) == (3600, 1)


def test_connections_over_tcp_are_counted_by_their_bytes() -> None:
    told, emf = sink(), EmfLines("Shop/Mesh", "catalog")
    one = connection(protocol="tcp", received=5, sent=7)
    told.opened(one)
    told.tick(WALL, 1000.0)
    read = _read(emf.lines(told.snapshot(), WALL))
    [line] = [one for one in read if "TcpBytesSent" in one]
    assert (line["TcpConnectionsOpened"], line["TcpBytesReceived"], line["TcpBytesSent"]) == (1, 5, 7)
