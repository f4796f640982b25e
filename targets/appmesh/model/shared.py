"""What several kinds hold: generated from botocore by `tools/appmesh_model.py`, not by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshproof.targets.appmesh.limits import limits


@dataclass(frozen=True, slots=True)
class TagRef:
    """`TagRef` of the App Mesh API."""

    key: str = field(metadata=limits(least=1, most=128))
    value: str = field(metadata=limits(least=0, most=256))


@dataclass(frozen=True, slots=True)
class SubjectAlternativeNameMatchers:
    """`SubjectAlternativeNameMatchers` of the App Mesh API."""

    exact: tuple[str, ...] = field(metadata=limits(each=limits(least=1, most=254)))


@dataclass(frozen=True, slots=True)
class SubjectAlternativeNames:
    """`SubjectAlternativeNames` of the App Mesh API."""

    match: SubjectAlternativeNameMatchers


@dataclass(frozen=True, slots=True)
class Duration:
    """`Duration` of the App Mesh API."""

    unit: str | None = field(default=None, metadata=limits(values=("s", "ms")))
    value: int | None = field(default=None, metadata=limits(least=0))


@dataclass(frozen=True, slots=True)
class PortMapping:
    """`PortMapping` of the App Mesh API."""

    port: int = field(metadata=limits(least=1, most=65535))
    protocol: str = field(metadata=limits(values=("http", "tcp", "http2", "grpc")))


@dataclass(frozen=True, slots=True)
class GrpcTimeout:
    """`GrpcTimeout` of the App Mesh API."""

    idle: Duration | None = None
    per_request: Duration | None = None


@dataclass(frozen=True, slots=True)
class HttpTimeout:
    """`HttpTimeout` of the App Mesh API."""

    idle: Duration | None = None
    per_request: Duration | None = None


@dataclass(frozen=True, slots=True)
class TcpTimeout:
    """`TcpTimeout` of the App Mesh API."""

    idle: Duration | None = None


@dataclass(frozen=True, slots=True)
class JsonFormatRef:
    """`JsonFormatRef` of the App Mesh API."""

    key: str = field(metadata=limits(least=1, most=100))
    value: str = field(metadata=limits(least=1, most=100))


@dataclass(frozen=True, slots=True)
class LoggingFormat:
    """`LoggingFormat` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    json: tuple[JsonFormatRef, ...] | None = None
    text: str | None = field(default=None, metadata=limits(least=1, most=1000))


@dataclass(frozen=True, slots=True)
class MatchRange:
    """`MatchRange` of the App Mesh API."""

    end: int
    start: int


@dataclass(frozen=True, slots=True)
class HeaderMatchMethod:
    """`HeaderMatchMethod` of the App Mesh API: exactly one of its members."""

    is_union: ClassVar[bool] = True
    exact: str | None = field(default=None, metadata=limits(least=1, most=255))
    prefix: str | None = field(default=None, metadata=limits(least=1, most=255))
    range: MatchRange | None = None
    regex: str | None = field(default=None, metadata=limits(least=1, most=255))
    suffix: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class HttpPathMatch:
    """`HttpPathMatch` of the App Mesh API."""

    exact: str | None = field(default=None, metadata=limits(least=1, most=255))
    regex: str | None = field(default=None, metadata=limits(least=1, most=255))


@dataclass(frozen=True, slots=True)
class QueryParameterMatch:
    """`QueryParameterMatch` of the App Mesh API."""

    exact: str | None = None


@dataclass(frozen=True, slots=True)
class HttpQueryParameter:
    """`HttpQueryParameter` of the App Mesh API."""

    name: str
    match: QueryParameterMatch | None = None
