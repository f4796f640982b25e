"""The part of settings that says what is told of requests, and where."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from meshproof.runtime.settings_run import STANDARD_OUTPUT, EmfSettings, OtlpSettings, TelemetrySettings
from meshproof.runtime.tables import Table
from meshproof.runtime.telemetry.access_log import HIDEABLE
from meshproof.runtime.telemetry.decisions import MASKABLE

TRACE_HEADERS = ("w3c", "b3", "b3-single", "x-ray")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NAMESPACE = re.compile(r"[A-Za-z0-9_./#:-]{1,255}").fullmatch


def telemetry(table: Table, folder: Path) -> TelemetrySettings:
    """What the table says, all left out: no logs, and trace headers of the W3C."""
    default = TelemetrySettings().trace_headers
    styles = _chosen(table, "trace_headers", TRACE_HEADERS) if table.has("trace_headers") else default
    found = replace(
        _decision_log(table, folder),
        access_log=_log(table, "access_log", folder),
        access_log_hidden=_chosen(table, "access_log_hidden", HIDEABLE),
        cluster=table.text("cluster", TelemetrySettings().cluster),
        trace_headers=tuple(dict.fromkeys(styles)),
        emf=_emf(table.table("emf"), folder) if table.has("emf") else None,
        otlp=_otlp(table.table("otlp")) if table.has("otlp") else None,
    )
    if found.decision_log is not None and found.decision_log == found.access_log:
        raise table.refuse("decision_log", "it is the access log, and each line is bound to the one before")
    table.end()
    return found


def decision_telemetry(table: Table, folder: Path) -> TelemetrySettings:
    """What the table says where a decision log is all that there is."""
    found = _decision_log(table, folder)
    table.end()
    return found


def _decision_log(table: Table, folder: Path) -> TelemetrySettings:
    headers = table.texts("decision_log_headers")
    for header in headers:
        if not _HEADER(header):
            raise table.refuse("decision_log_headers", f"`{header}` is no name of a header")
    found = TelemetrySettings(
        decision_log=_log(table, "decision_log", folder),
        decision_log_headers=tuple(header.lower() for header in headers),
        decision_log_masked=_chosen(table, "decision_log_masked", MASKABLE),
        decision_log_key=folder / table.text("decision_log_key") if table.has("decision_log_key") else None,
    )
    if found.decision_log == STANDARD_OUTPUT:
        raise table.refuse(
            "decision_log", "a file of its own is expected, because each line is bound to the one before"
        )
    if found.decision_log_key is not None and found.decision_log is None:
        raise table.refuse("decision_log_key", "there is no `decision_log` to chain with it")
    return found


def _chosen(table: Table, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    texts = table.texts(key)
    for text in texts:
        if text not in known:
            raise table.refuse(key, f"`{text}` is none of " + ", ".join(f"`{one}`" for one in known))
    return texts


def _log(table: Table, key: str, folder: Path) -> Path | None:
    if not table.has(key):
        return None
    text = table.text(key)
    return STANDARD_OUTPUT if text == str(STANDARD_OUTPUT) else folder / text


def _emf(table: Table, folder: Path) -> EmfSettings:
    namespace = table.text("namespace")
    if not _NAMESPACE(namespace) or namespace.startswith(":"):
        raise table.refuse("namespace", "it is 1 to 255 letters, digits and `_./#:-`, and no colon first")
    found = EmfSettings(
        namespace, _log(table, "file", folder) or STANDARD_OUTPUT, table.number("seconds", (1, 3600), 60)
    )
    table.end()
    return found


def _otlp(table: Table) -> OtlpSettings:
    found = OtlpSettings(
        url(table, "endpoint", is_trusted=False),
        table.number("percent", (0, 100), OtlpSettings("").percent),
        url(table, "metrics_endpoint", is_trusted=False) if table.has("metrics_endpoint") else None,
        table.number("seconds", (1, 3600), OtlpSettings("").seconds),
    )
    table.end()
    return found


def url(table: Table, key: str, *, is_trusted: bool) -> str:
    """An absolute URL without a name or password of somebody. `is_trusted`: what comes from there is believed.

    Then it is asked over TLS, or at loopback.
    """
    text = table.text(key)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise table.refuse(key, f"`{text}` is no URL") from None
    if parts.scheme not in {"http", "https"} or not host or parts.fragment or not text.isascii():
        raise table.refuse(key, f"`{text}` is no URL of `http` or `https`")
    if is_trusted and parts.scheme == "http" and host not in _LOOPBACK:
        raise table.refuse(
            key, f"`{text}` is not asked over TLS, so anybody on the way may answer; `https` is expected"
        )
    if parts.username is not None or parts.password is not None:
        raise table.refuse(key, "a name and a password do not belong into settings")
    return text
