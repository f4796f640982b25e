from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.runtime.identity.workload_api.wire import bundles, field, svids

from meshproof.runtime.identity.workload_api import messages
from meshproof.runtime.identity.workload_api.messages import SvidMessage, described, parse_bundles, parse_svids


def test_answers_are_read_field_by_field() -> None:
    one = field(1, "spiffe://a/b") + field(2, b"chain") + field(3, b"key") + field(4, b"bundle") + field(5, "hint")
    found = parse_svids(svids(one, one, federated={"spiffe://b": b"x", "spiffe://a": b"y"}, lists=(b"list",)))

    assert found.svids == (SvidMessage("spiffe://a/b", b"chain", b"key", b"bundle"),) * 2
    assert found.federated == (("spiffe://a", b"y"), ("spiffe://b", b"x"))
    assert found.revocation_lists == (b"list",)
    assert "key" not in repr(found).replace("spiffe", "")
    both = parse_bundles(bundles({"spiffe://a": b"x"}, (b"list",)))
    assert (both.bundles, both.revocation_lists) == ((("spiffe://a", b"x"),), (b"list",))


def test_methods_have_the_names_of_the_standard() -> None:
    assert messages.FETCH_SVIDS == "/SpiffeWorkloadAPI/FetchX509SVID"
    assert messages.FETCH_BUNDLES == "/SpiffeWorkloadAPI/FetchX509Bundles"


@pytest.mark.oracle
def test_the_messages_are_those_of_the_file_that_says_what_they_are(tmp_path: Path) -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet  # noqa: PLC0415
    from grpc_tools import protoc  # noqa: PLC0415

    folder, target = Path(messages.__file__).parent, tmp_path / "set"
    assert protoc.main(["", f"-I{folder}", f"--descriptor_set_out={target}", "workload.proto"]) == 0
    (compiled,) = FileDescriptorSet.FromString(target.read_bytes()).file
    for message in (one for each in compiled.message_type for one in (each, *each.nested_type)):
        for each in message.field:
            each.ClearField("json_name")
    services = {f"/{one.name}/{each.name}" for one in compiled.service for each in one.method}
    compiled.ClearField("service")

    assert compiled == described()
    assert services == {messages.FETCH_SVIDS, messages.FETCH_BUNDLES}
