"""What we refuse of a client beside what h2 refuses, over random conversations: each difference is named here."""

from __future__ import annotations

import re

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from hypothesis import given
from tests.unit.runtime.core.http2.ends import Serving
from tests.unit.runtime.core.http2.test_any_bytes import CONVERSATIONS

from meshproof.runtime.core.http2 import frames as f

WE_ALONE = frozenset(
    {
        "it sends a frame that is too large",  # h2 waits until it is whole
        "a name of its headers is no token in lower case",  # h2 looks at capitals alone
        "a value of its headers has characters that may not be there",  # h2 looks at NUL, CR, LF and blanks alone
        "its method is no token",
        "it sends data after the end",  # h2 forgets its resets where a GOAWAY follows
        "it sends trailers after the end",
        "its path is none",
        "its host is none",
        "its length is not one number",
        "its body is not as long as it says",  # h2 does not look where a head is the end
        "it is for no host, or for more than one",
        "it is for two hosts",
        "it agrees to settings that were not sent",
        "it sets a window that is too large",  # h2 takes the last of two that are of one kind in one frame
        "it sets a size of frames that cannot be",
        "it sets what it may not set of pushes",
        "it speaks of a stream that has not begun",  # h2 lets credits and resets of even ones pass
        "it speaks of a stream that has ended",
        "it asks for too much at once",
        "it has a header name with an underscore",
        "its body is too large",
        "its trailers say what belongs in its head",
        "its trailers are too large, or not the end",
        "it asks for a tunnel",
        "its scheme is not http",
        "its headers are too large",
        "it does not begin with its settings",
        "it sends too many frames that mean nothing",
    }
)
H2_ALONE = re.compile(
    r"in state ConnectionState\.CLOSED"  # after a GOAWAY of the client, which only says that it begins nothing more
    r"|non-compliant data"  # no credit, for a stream that has ended
    r"|Setting 8 has invalid value"  # of extended CONNECT, which a client has nothing to say about
)

ALTERNATIVES = 10
"""A frame of ALTSVC, which a server ignores whatever is in it (RFC 7838, 4)."""


def _refused_by_h2(sent: bytes) -> str:
    """Why h2 ends the connection, or that it resets a stream; nothing if it takes all."""
    serving = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    serving.initiate_connection()
    try:
        serving.receive_data(f.PREFACE + sent)
    except ProtocolError as error:
        return f"{type(error).__name__}: {error}"
    written, _ = f.FrameReader().feed(serving.data_to_send())
    return "it resets a stream" if any(kind == f.RST_STREAM for kind, _, _, _ in written) else ""


@given(CONVERSATIONS)
def test_what_is_refused_is_refused_by_both_but_for_what_is_named(sent: bytes) -> None:
    serving = Serving(is_open=False)
    serving.feed(f.PREFACE + sent)
    theirs = _refused_by_h2(sent)
    ours = serving.turn.faults

    if theirs and not ours:
        is_amid = serving.codec._reader.is_amid  # h2 looks at the first bytes of a frame, we at a whole one
        kinds = {kind for kind, _, _, _ in f.FrameReader().feed(sent)[0]}
        assert is_amid or ALTERNATIVES in kinds or H2_ALONE.search(theirs), theirs
    if ours and not theirs:
        assert set(ours[:1]) <= WE_ALONE
