"""The messages of `check.proto`, made when this is loaded, in a pool of their own (docs/adr/0241)."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import DESCRIPTOR as STRUCTS

PACKAGE = "meshproof.check"
_TEXT = FieldDescriptorProto.TYPE_STRING
_BYTES = FieldDescriptorProto.TYPE_BYTES
_INT = FieldDescriptorProto.TYPE_INT32
_MESSAGE = FieldDescriptorProto.TYPE_MESSAGE
_STRUCT = ".google.protobuf.Struct"

__all__ = ["CheckRequest", "CheckResponse", "DecodeError", "HealthRequest", "HealthResponse", "Message", "described"]


def described() -> FileDescriptorProto:
    """The messages of `check.proto`, as protoc describes them."""
    file = FileDescriptorProto(name="check.proto", package=PACKAGE, syntax="proto3", dependency=[STRUCTS.name])
    _one(file, "CheckRequest", ("attributes", 1, "Attributes"))
    attributes = _one(file, "Attributes", ("source", 1, "Peer"), ("request", 4, "RequestPart"))
    _map(attributes, "context_extensions", 10, _TEXT)
    _field(attributes, "metadata_context", 11, _MESSAGE, _named("Metadata"))
    _one(file, "Peer", ("principal", 4, _TEXT), ("certificate", 5, _TEXT))
    _one(file, "RequestPart", ("http", 2, "HttpRequest"))
    http = _one(file, "HttpRequest", ("method", 2, _TEXT))
    _map(http, "headers", 3, _TEXT)
    _field(http, "path", 4, _TEXT)
    _field(http, "host", 5, _TEXT)
    _field(http, "header_map", 13, _MESSAGE, _named("HeaderMap"))
    _field(_one(file, "HeaderMap"), "headers", 1, _MESSAGE, _named("HeaderValue"), is_many=True)
    _one(file, "HeaderValue", ("key", 1, _TEXT), ("value", 2, _TEXT), ("raw_value", 3, _BYTES))
    _map(_one(file, "Metadata"), "filter_metadata", 1, _MESSAGE, _STRUCT)
    response = _one(
        file,
        "CheckResponse",
        ("status", 1, "Status"),
        ("denied_response", 2, "DeniedResponse"),
        ("ok_response", 3, "OkResponse"),
    )
    _field(response, "dynamic_metadata", 4, _MESSAGE, _STRUCT)
    _one(file, "Status", ("code", 1, _INT))
    denied = _one(file, "DeniedResponse", ("status", 1, "HttpStatus"))
    _field(denied, "headers", 2, _MESSAGE, _named("HeaderOption"), is_many=True)
    _field(denied, "body", 3, _TEXT)
    _one(file, "HttpStatus", ("code", 1, _INT))
    _one(file, "HeaderOption", ("header", 1, "HeaderValue"))
    _one(file, "OkResponse")
    _one(file, "HealthRequest", ("service", 1, _TEXT))
    _one(file, "HealthResponse", ("status", 1, _INT))
    return file


def _named(name: str) -> str:
    return f".{PACKAGE}.{name}"


def _one(file: FileDescriptorProto, name: str, *fields: tuple[str, int, str | int]) -> DescriptorProto:
    """A message; a field of which a name is told is a message too."""
    message: DescriptorProto = file.message_type.add(name=name)
    for field, number, kind in fields:
        if isinstance(kind, str):
            _field(message, field, number, _MESSAGE, _named(kind))
        else:
            _field(message, field, number, kind)
    return message


def _field(
    message: DescriptorProto, name: str, number: int, kind: int, of: str | None = None, *, is_many: bool = False
) -> None:
    label = FieldDescriptorProto.LABEL_REPEATED if is_many else FieldDescriptorProto.LABEL_OPTIONAL
    message.field.add(name=name, number=number, type=kind, type_name=of, label=label)


def _map(message: DescriptorProto, name: str, number: int, kind: int, of: str | None = None) -> None:
    """A map from texts: on the wire, and for protoc, it is a list of pairs."""
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    _field(entry, "key", 1, _TEXT)
    _field(entry, "value", 2, kind, of)
    _field(message, name, number, _MESSAGE, f".{PACKAGE}.{message.name}.{entry.name}", is_many=True)


_POOL = DescriptorPool()
_POOL.AddSerializedFile(STRUCTS.serialized_pb)
_POOL.Add(described())
CheckRequest, CheckResponse, HealthRequest, HealthResponse = (
    GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))
    for name in ("CheckRequest", "CheckResponse", "HealthRequest", "HealthResponse")
)
