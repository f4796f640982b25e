"""Reads end as those of `ssl` do, whatever came and in what pieces."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.identity.certificates import Issued, authority

from meshproof.runtime.identity.contexts import content_as_file
from meshproof.runtime.identity.keys import private_pem
from meshproof.runtime.identity.patient import PatientContext, PatientObject

_ROOM = 100
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@cache
def _own() -> Issued:
    return authority().account("/ns/shop/sa/catalog", "shop.example")


class Ends:
    """A server of a kind of context, which has shaken hands with a client whose bytes a test hands over."""

    def __init__(self, made: type[ssl.SSLContext], version: ssl.TLSVersion) -> None:
        server, client = made(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in _own().shown)
        with content_as_file(pem + private_pem(_own().key)) as path:
            server.load_cert_chain(path)
        server.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # as `contexts` does
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        client.minimum_version = client.maximum_version = version
        self.incoming, self.wire, back = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(back, self.wire)
        self.server = server.wrap_bio(self.incoming, back, server_side=True)
        for _ in range(4):
            for side in (self.client, self.server):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
                self.incoming.write(self.wire.read())
        self.server.write(b"x")
        assert self.client.read(1) == b"x"

    def reads(self) -> list[object]:
        """What reads tell, up to the first that is an error or an end, and once more."""
        found: list[object] = []
        while len(found) < 2 or found[-2] not in {0, "SSLWantReadError", "SSLError"}:
            room = bytearray(_ROOM)
            try:
                size = int(self.server.read(_ROOM, room))
                found.append(bytes(room[:size]) or 0)
            except ssl.SSLError as error:
                found.append(type(error).__name__)
        return found


def _told(made: type[ssl.SSLContext], version: ssl.TLSVersion, sent: list[bytes], cuts: list[int]) -> list[object]:
    ends = Ends(made, version)
    assert isinstance(ends.server, PatientObject) is (made is PatientContext)
    found: list[object] = []
    for one in sent:
        ends.client.write(one)
    data = ends.wire.read()
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        ends.incoming.write(data[begin:end])
        found += ends.reads()
    return found


@pytest.mark.parametrize("version", VERSIONS)
@given(
    sent=st.lists(st.sampled_from([b"a", b"b" * _ROOM, b"c" * 250]), max_size=3),
    cuts=st.lists(st.integers(0, 700), max_size=4).map(sorted),
)
def test_what_came_is_read_as_by_ssl(version: ssl.TLSVersion, sent: list[bytes], cuts: list[int]) -> None:
    told = _told(PatientContext, version, sent, cuts)
    assert told == _told(ssl.SSLContext, version, sent, cuts)
    assert b"".join(one for one in told if isinstance(one, bytes)) == b"".join(sent)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("made", [PatientContext, ssl.SSLContext])
def test_an_end_is_told(made: type[ssl.SSLContext], version: ssl.TLSVersion) -> None:
    ends = Ends(made, version)
    ends.client.write(b"a")
    with suppress(ssl.SSLError):
        ends.client.unwrap()
    ends.incoming.write(ends.wire.read())
    assert ends.reads()[:2] == [b"a", 0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("made", [PatientContext, ssl.SSLContext])
def test_an_end_without_a_word_is_told(made: type[ssl.SSLContext], version: ssl.TLSVersion) -> None:
    ends = Ends(made, version)
    assert ends.reads()[0] == "SSLWantReadError"
    ends.incoming.write_eof()
    with pytest.raises(ssl.SSLError) as told:  # an `SSLEOFError` from Python 3.11.3 on
        ends.server.read(_ROOM, bytearray(_ROOM))
    assert told.value.reason == "UNEXPECTED_EOF_WHILE_READING"


def test_without_a_buffer_it_reads_too() -> None:
    ends = Ends(PatientContext, ssl.TLSVersion.TLSv1_3)
    ends.client.write(b"abc")
    ends.incoming.write(ends.wire.read())
    assert ends.server.read(2) == b"ab"
    assert ends.server.read() == b"c"
    with pytest.raises(ssl.SSLWantReadError):
        ends.server.read()
