"""How the same field is called in the API of App Mesh and in CloudFormation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

_ACRONYMS = {
    "acm": "ACM",
    "aws_cloud_map": "AWSCloudMap",
    "dns": "DNS",
    "grpc": "GRPC",
    "http": "HTTP",
    "http2": "HTTP2",
    "sds": "SDS",
    "tcp": "TCP",
    "tls": "TLS",
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """`key` is what a field of the values is called; `is_lenient`: numbers and truth may stand as text."""

    name: str
    key: Callable[[str], str]
    is_lenient: bool = False


@cache
def _camel(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(one.capitalize() for one in rest)


@cache
def _pascal(field: str) -> str:
    camel = _camel(field)
    return _ACRONYMS.get(field) or camel[0].upper() + camel[1:]


API = Spelling("api", _camel)
CLOUDFORMATION = Spelling("cloudformation", _pascal, is_lenient=True)
