"""Why an answer is the proxy's own, in the words that Envoy's access log made common."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    """A response flag; the name is Envoy's, and dashboards know it."""

    NO_ROUTE = "NR"
    NO_HEALTHY = "UH"
    OVERFLOW = "UO"
    TIMEOUT = "UT"
    CONNECT_FAILURE = "UF"
    RETRIES_EXHAUSTED = "URX"
    CONNECTION_ENDED = "UC"
    RESET = "UR"
    PROTOCOL_ERROR = "UPE"
    DELAY_INJECTED = "DI"
    FAULT_INJECTED = "FI"
    DENIED = "UAEX"
