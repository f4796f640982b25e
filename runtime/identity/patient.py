"""TLS that does not ask OpenSSL for what cannot be there, and goes no way round to it.

Event loops read until nothing more comes, so half of all reads end with `SSLWantReadError`. OpenSSL takes long to find
that out, and Python to tell it: most of what a read costs. Here it is told where no bytes have come that were not read.
uvloop looks for itself before it reads, and is handed what reads and writes in C.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

_WANT = ssl.SSLWantReadError


class PatientObject(ssl.SSLObject):
    """`incoming` is what it reads from; None: as in `ssl`."""

    incoming: ssl.MemoryBIO | None = None

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> bytes:  # noqa: A002  as in `ssl`
        """As in `ssl`: a number where there is a buffer."""
        inner = self._sslobj  # type: ignore[attr-defined]
        incoming = self.incoming
        if incoming is not None and not incoming.pending and not incoming.eof and not inner.pending():
            raise _WANT
        found: bytes = inner.read(len) if buffer is None else inner.read(len, buffer)
        return found


class PatientContext(ssl.SSLContext):
    """Makes such objects."""

    sslobject_class = PatientObject

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002  the signature is that of `ssl`
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As in `ssl`."""
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(made, PatientObject):
            made.incoming = incoming
            _shorten(made)
        return made


def _shorten(made: PatientObject) -> None:
    """Put what `ssl` calls in C in the place of what calls it. Its signatures are the same but for names."""
    inner = made._sslobj  # type: ignore[attr-defined]  # noqa: SLF001  as `read` does
    for name in ("pending", "write", "read") if _is_looked_first() else ("pending", "write"):
        setattr(made, name, getattr(inner, name))


def _is_looked_first() -> bool:
    """Whether the loop reads only where something has come."""
    loop = asyncio._get_running_loop()  # noqa: SLF001  the documented way raises where there is none
    return type(loop).__module__.startswith("uvloop")
