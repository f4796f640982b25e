"""Questions over gRPC, as Envoy's own messages say them and as nobody should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from meshproof.compiler.ir.request import ClaimObject
from meshproof.runtime.extauthz.answer import Answer
from meshproof.runtime.extauthz.check import (
    CONTEXT,
    PAYLOADS,
    CheckError,
    Question,
    check_bytes,
    health_answer,
    health_question,
)
from meshproof.runtime.extauthz.check_messages import CheckRequest, CheckResponse, described
from meshproof.runtime.extauthz.client_cert import ForwardedError

PROTO = Path(__file__).parents[4] / "runtime/extauthz/check.proto"
RECORDED = json.loads(Path(__file__).with_name("envoy_fields.json").read_text(encoding="utf-8"))["messages"]
Proto = Any
"""A message; they are made when they are loaded, and have no types."""

FRONT = "spiffe://cluster.local/ns/shop/sa/front"
KINDS = {
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_INT32: "int32",
    FieldDescriptorProto.TYPE_MESSAGE: "message",
}


def _uris(told: str) -> tuple[str, ...]:
    return tuple(told.split())


def _question(request: Proto) -> Question:
    return Question(request.SerializeToString())


def _request(**http: str) -> Proto:
    request: Proto = CheckRequest()
    request.attributes.source.principal = FRONT
    request.attributes.context_extensions[CONTEXT] = "/catalog"
    for name, value in {"method": "GET", "path": "/a?b", "host": "shop", **http}.items():
        setattr(request.attributes.request.http, name, value)
    return request


@pytest.mark.parametrize("message", described().message_type, ids=lambda one: str(one.name))
def test_fields_are_those_of_envoy(message: Proto) -> None:
    real = RECORDED[message.name]["fields"]
    assert {
        one.name: [one.number, KINDS[one.type], one.label == FieldDescriptorProto.LABEL_REPEATED]
        for one in message.field
    }.items() <= {name: list(value) for name, value in real.items()}.items()


@pytest.mark.oracle
def test_the_messages_are_those_of_the_file(tmp_path: Path) -> None:
    import grpc_tools  # noqa: PLC0415
    from grpc_tools import protoc  # noqa: PLC0415  of the extra `oracles`

    out = tmp_path / "set"
    include = Path(grpc_tools.__file__).with_name("_proto")
    assert not protoc.main(["protoc", f"-I{PROTO.parent}", f"-I{include}", f"--descriptor_set_out={out}", PROTO.name])
    (compiled,) = FileDescriptorSet.FromString(out.read_bytes()).file
    assert not compiled.ClearField("service")
    for message in _all_messages(compiled):
        for field in message.field:
            field.ClearField("json_name")
    assert compiled == described()


def _all_messages(file: FileDescriptorProto) -> list[Proto]:
    return [one for message in file.message_type for one in (message, *message.nested_type)]


def test_what_is_asked() -> None:
    request = _request()
    request.attributes.request.http.headers.update({":path": "/x", "X-Role": "a,b"})
    question = _question(request)
    assert question.destination == "/catalog"
    asked = question.asked(_uris, None)
    assert (asked.method, asked.path, asked.hosts, asked.caller) == ("GET", "/a?b", ("shop",), FRONT)
    assert set(asked.headers) == {(":path", "/x"), ("x-role", "a,b")}
    assert (asked.are_joined, asked.payload) == (True, None)


def test_lines_are_taken_as_they_are_where_they_are_told() -> None:
    request = _request()
    lines = request.attributes.request.http.header_map.headers
    for key, raw, value in (("X-Role", b"a", ""), ("x-role", b"b,\xe9", "other"), ("x-plain", b"", "c")):
        lines.add(key=key, raw_value=raw, value=value)
    asked = _question(request).asked(_uris, None)
    assert asked.headers == (("x-role", "a"), ("x-role", "b,\u00e9"), ("x-plain", "c"))
    assert not asked.are_joined


def test_who_calls_has_one_name() -> None:
    request = _request()
    request.attributes.source.certificate = FRONT
    assert _question(request).asked(_uris, None).caller == FRONT
    for certificate in (f"{FRONT} spiffe://cluster.local/ns/shop/sa/other", "spiffe://other", " "):
        request.attributes.source.certificate = certificate
        with pytest.raises(ForwardedError):
            _question(request).asked(_uris, None)
    request.attributes.ClearField("source")
    assert _question(request).asked(_uris, None).caller is None


def test_verified_claims_are_taken_from_where_they_are_said_to_be_alone() -> None:
    request = _request()
    assert _question(request).asked(_uris, "payload").payload is None
    kept = request.attributes.metadata_context.filter_metadata
    claims = kept[PAYLOADS].fields["payload"].struct_value.fields
    claims["sub"].string_value = "ann"
    claims["none"].null_value = 0
    claims["list"].list_value.values.add(bool_value=True)
    kept["other"].fields["evil"].struct_value.fields["sub"].string_value = "eve"
    kept[PAYLOADS].fields["text"].string_value = "eve"
    asked = _question(request).asked(_uris, "payload")
    assert asked.payload == ClaimObject((("list", (True,)), ("none", None), ("sub", "ann")))
    assert _question(request).asked(_uris, "text").payload == ClaimObject(())
    assert _question(request).asked(_uris, "evil").payload is None
    assert _question(request).asked(_uris, None).payload is None


def test_bytes_that_are_no_question_are_refused() -> None:
    for data in (b"\xff", b"\x0a\x05a", _request().SerializeToString()[:-1]):
        with pytest.raises(CheckError):
            Question(data)
    with pytest.raises(CheckError):
        health_question(b"\xff")
    assert Question(b"").destination == ""


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 16), (403, 7)])
def test_answers(status: int, code: int) -> None:
    answer = Answer(status, "deny" if code else "allow", "rule", ("shop/a", "shop/b"), ("shop/c",))
    response: Proto = CheckResponse.FromString(check_bytes(answer, "sha256:ab"))
    assert response.status.code == code
    assert response.HasField("ok_response") is (code == 0)
    assert response.HasField("denied_response") is (code != 0)
    assert response.denied_response.status.code == (status if code else 0)
    assert "shop/a" not in response.denied_response.body
    fields = response.dynamic_metadata.fields
    assert {name: one.string_value for name, one in fields.items()} == {
        "decision": answer.decision,
        "reason": "rule",
        "policy": "sha256:ab",
        "rules": "shop/a, shop/b",
        "audited": "shop/c",
    }


def test_health() -> None:
    assert health_question(b"\x0a\x01a") == "a"
    assert [health_answer(is_serving=one) for one in (True, False, None)] == [b"\x08\x01", b"\x08\x02", b"\x08\x03"]
