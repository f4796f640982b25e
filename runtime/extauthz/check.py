"""Asking over gRPC: what `envoy.service.auth.v3.Authorization/Check` tells of a request, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshproof.compiler.ir.claim_json import read_object
from meshproof.compiler.ir.json_text import Json, canonical
from meshproof.compiler.ir.request import ClaimObject
from meshproof.runtime.engine.facts import Headers
from meshproof.runtime.extauthz.answer import Answer
from meshproof.runtime.extauthz.asked import Asked
from meshproof.runtime.extauthz.check_messages import (
    CheckRequest,
    CheckResponse,
    DecodeError,
    HealthRequest,
    HealthResponse,
)
from meshproof.runtime.extauthz.client_cert import ForwardedError

SERVICE = "envoy.service.auth.v3.Authorization"
HEALTH = "grpc.health.v1.Health"

CONTEXT = "meshproof-destination"
"""The context extension in which an Envoy says which destination it asks about: a `path_prefix` of the settings."""

PAYLOADS = "envoy.filters.http.jwt_authn"
"""The metadata in which Envoy keeps the payloads of tokens that it has verified."""

Uris = Callable[[str], tuple[str, ...]]
"""The URIs of a certificate, told as Envoy tells it: in PEM, percent-encoded. It raises `ForwardedError`."""

_OK, _UNAUTHENTICATED, _PERMISSION_DENIED = 0, 16, 7
_STATUS_OK, _STATUS_UNAUTHORIZED = 200, 401
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = 1, 2, 3


class CheckError(Exception):
    """These bytes are no question. The message is one lower-case sentence."""


class Question:
    """One question; what is in it is taken out when somebody asks for it."""

    def __init__(self, data: bytes) -> None:
        """Raises `CheckError`."""
        try:
            self._attributes: Any = CheckRequest.FromString(data).attributes
        except DecodeError:
            raise CheckError("it is no `CheckRequest`") from None

    @property
    def destination(self) -> str:
        """The destination as its Envoy names it; empty where it does not."""
        found: str = self._attributes.context_extensions.get(CONTEXT, "")
        return found

    def asked(self, uris: Uris, payload: str | None) -> Asked:
        """What it asks about. Raises `ForwardedError` where it does not say who calls, or not with one name.

        `payload` is the key under which Envoy keeps the payload of a verified token; None: nobody looks there.
        """
        http = self._attributes.request.http
        lines = http.header_map.headers
        if lines:
            headers: Headers = tuple((one.key.lower(), _text(one)) for one in lines)
        else:
            headers = tuple((name.lower(), value) for name, value in http.headers.items())
        return Asked(
            method=http.method,
            path=http.path,
            hosts=(http.host,),
            headers=headers,
            caller=self._caller(uris),
            are_joined=not lines,
            payload=None if payload is None else self._payload(payload),
        )

    def _caller(self, uris: Uris) -> str | None:
        """The principal, which is the only URI of the certificate where the certificate is told.

        Envoy tells the first URI of several, and a name of a host or the subject where there is none.
        """
        source = self._attributes.source
        principal: str = source.principal
        if source.certificate and uris(source.certificate) != (principal,):
            raise ForwardedError("the certificate has not exactly one URI")
        return principal or None

    def _payload(self, key: str) -> ClaimObject | None:
        kept = self._attributes.metadata_context.filter_metadata
        if PAYLOADS not in kept or key not in kept[PAYLOADS].fields:
            return None
        told = _json(kept[PAYLOADS].fields[key])
        return read_object(told if isinstance(told, dict) else {})  # claims of nobody are refused


def _text(line: Any) -> str:  # noqa: ANN401  messages that are made when they are loaded have no types
    raw: bytes = line.raw_value
    value: str = line.value
    return raw.decode("latin-1") if raw else value


def _json(value: Any) -> Json:  # noqa: ANN401
    match value.WhichOneof("kind"):
        case "struct_value":
            return {name: _json(one) for name, one in value.struct_value.fields.items()}
        case "list_value":
            return [_json(one) for one in value.list_value.values]
        case "null_value" | None:
            return None
        case kind:
            found: Json = getattr(value, kind)
            return found


def check_bytes(answer: Answer, policy: str) -> bytes:
    """The answer: rules and policy stand in the dynamic metadata, and not in the body that callers may see."""
    response: Any = CheckResponse()
    if answer.status == _STATUS_OK:
        response.status.code = _OK
        response.ok_response.SetInParent()
    else:
        response.status.code = _UNAUTHENTICATED if answer.status == _STATUS_UNAUTHORIZED else _PERMISSION_DENIED
        denied = response.denied_response
        denied.status.code = answer.status
        header = denied.headers.add().header
        header.key, header.value = "content-type", "application/json"
        denied.body = canonical({"decision": answer.decision, "reason": answer.reason}).decode("ascii")
    fields = response.dynamic_metadata.fields
    fields["decision"].string_value = answer.decision
    fields["reason"].string_value = answer.reason
    fields["policy"].string_value = policy
    for name, rules in (("rules", answer.rules), ("audited", answer.audited)):
        if rules:
            fields[name].string_value = ", ".join(rules)
    data: bytes = response.SerializeToString()
    return data


def health_question(data: bytes) -> str:
    """The service whose health is asked for; empty: that of all. Raises `CheckError`."""
    try:
        found: str = HealthRequest.FromString(data).service
    except DecodeError:
        raise CheckError("it is no `HealthCheckRequest`") from None
    return found


def health_answer(*, is_serving: bool | None) -> bytes:
    """How it is; None: there is no such service."""
    status = _SERVICE_UNKNOWN if is_serving is None else _SERVING if is_serving else _NOT_SERVING
    data: bytes = HealthResponse(status=status).SerializeToString()
    return data
