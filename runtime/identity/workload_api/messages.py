"""What an agent sends, from bytes to values: the messages of `workload.proto`, made when this is loaded.

Code that protoc has generated asks for the version of protobuf that it was generated for; a description of the messages
does not (docs/adr/0241). They have a pool of their own: whoever loads the whole of SPIFFE's beside it meets no clash.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from meshproof.runtime.identity.errors import CredentialsError

SERVICE = "SpiffeWorkloadAPI"
FETCH_SVIDS = f"/{SERVICE}/FetchX509SVID"
FETCH_BUNDLES = f"/{SERVICE}/FetchX509Bundles"

REQUEST = b""
"""The request of both: a message without fields."""

_TEXT, _BYTES, _MESSAGE = (
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_MESSAGE,
)


@dataclass(frozen=True, slots=True)
class SvidMessage:
    """One identity: its chain, its key (PKCS 8) and its trust bundle, all in DER."""

    spiffe_id: str
    chain: bytes
    key: bytes = field(repr=False)
    bundle: bytes


@dataclass(frozen=True, slots=True)
class SvidsMessage:
    """All identities of a workload, the first of them the default, and the bundles of other trust domains."""

    svids: tuple[SvidMessage, ...]
    federated: tuple[tuple[str, bytes], ...]
    revocation_lists: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BundlesMessage:
    """The bundles of all trust domains that a workload trusts."""

    bundles: tuple[tuple[str, bytes], ...]
    revocation_lists: tuple[bytes, ...]


def parse_svids(data: bytes) -> SvidsMessage:
    """What an agent has sent. Raises `CredentialsError`."""
    try:
        found = _SVIDS.FromString(data)
    except DecodeError:
        raise CredentialsError("the agent has sent something that is no X509SVIDResponse") from None
    svids = (SvidMessage(one.spiffe_id, one.x509_svid, one.x509_svid_key, one.bundle) for one in found.svids)
    return SvidsMessage(tuple(svids), tuple(sorted(found.federated_bundles.items())), tuple(found.crl))


def parse_bundles(data: bytes) -> BundlesMessage:
    """What an agent has sent. Raises `CredentialsError`."""
    try:
        found = _BUNDLES.FromString(data)
    except DecodeError:
        raise CredentialsError("the agent has sent something that is no X509BundlesResponse") from None
    return BundlesMessage(tuple(sorted(found.bundles.items())), tuple(found.crl))


def described() -> FileDescriptorProto:
    """The messages of `workload.proto`, as protoc describes them."""
    file = FileDescriptorProto(name="workload.proto", syntax="proto3")
    file.message_type.add(name="X509SVIDRequest")
    answer = file.message_type.add(name="X509SVIDResponse")
    _add(answer, "svids", 1, _MESSAGE, ".X509SVID")
    _add(answer, "crl", 2, _BYTES, is_many=True)
    _add_map(answer, "federated_bundles", 3)
    svid = file.message_type.add(name="X509SVID")
    _add(svid, "spiffe_id", 1, _TEXT)
    _add(svid, "x509_svid", 2, _BYTES)
    _add(svid, "x509_svid_key", 3, _BYTES)
    _add(svid, "bundle", 4, _BYTES)
    _add(svid, "hint", 5, _TEXT)
    file.message_type.add(name="X509BundlesRequest")
    answer = file.message_type.add(name="X509BundlesResponse")
    _add(answer, "crl", 1, _BYTES, is_many=True)
    _add_map(answer, "bundles", 2)
    return file


def _add(
    message: DescriptorProto, name: str, number: int, kind: int, of: str | None = None, *, is_many: bool = False
) -> None:
    label = FieldDescriptorProto.LABEL_REPEATED if is_many or of else FieldDescriptorProto.LABEL_OPTIONAL
    message.field.add(name=name, number=number, type=kind, type_name=of, label=label)


def _add_map(message: DescriptorProto, name: str, number: int) -> None:
    """A map from texts to bytes: on the wire, and for protoc, it is a list of pairs."""
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    _add(entry, "key", 1, _TEXT)
    _add(entry, "value", 2, _BYTES)
    _add(message, name, number, _MESSAGE, f".{message.name}.{entry.name}")


_POOL = DescriptorPool()
_POOL.Add(described())
_SVIDS = GetMessageClass(_POOL.FindMessageTypeByName("X509SVIDResponse"))
_BUNDLES = GetMessageClass(_POOL.FindMessageTypeByName("X509BundlesResponse"))
