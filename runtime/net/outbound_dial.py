"""Making connections to servers, and refusing those that are not who the policy says (ADR 0212)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.core.traffic.reaching import Mutual, Outside, Plain, Security
from meshproof.runtime.identity.contexts import external_context
from meshproof.runtime.identity.errors import CredentialsError, PeerError
from meshproof.runtime.identity.holder import Identities

H2, H1 = "h2", "http/1.1"


@dataclass(frozen=True, slots=True)
class DialTimes:
    """Seconds for a connection, and for the handshake on it."""

    connect: float = 5.0
    handshake: float = 10.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection that somebody wants: where to, how, and (in the order of the wish) what it may speak."""

    address: Address
    security: Security
    alpn: tuple[str, ...] = ()
    server_name: str = ""


class Dialer:
    """Dials for all pools of a process. `fault` counts what goes wrong, by a clause from a fixed set."""

    def __init__(self, identities: Identities, times: DialTimes, fault: Callable[[str], None]) -> None:
        self._identities = identities
        self._times = times
        self._fault = fault
        self._outside: dict[tuple[str, ...], ssl.SSLContext] = {}

    def dial(
        self, wanted: Wanted, protocol: Callable[[], asyncio.BaseProtocol], failed: Callable[[], None]
    ) -> asyncio.Task[None]:
        """Begin. `failed` is called if nothing comes of it, unless it is cancelled; `protocol` makes who takes it."""
        return asyncio.get_running_loop().create_task(self._connect(wanted, protocol, failed))

    def proven(self, security: Security, secured: object) -> float | None:
        """That the server is who it should be, and until when that stands (None: for as long as the connection).

        Raises `PeerError`. Nothing may be sent before.
        """
        match security:
            case Mutual(expected):
                if not expected:
                    raise PeerError("identity", "nobody is expected here")
                ends = self._identities.peer(secured, expected).ends
                own = self._identities.own
                return ends if own is None else min(ends, own.ends)
            case Outside():
                if not isinstance(secured, ssl.SSLObject):
                    raise PeerError("no-certificate", "the connection is not over TLS")
                return None
            case Plain():
                return None

    def refused(self, error: PeerError) -> None:
        """Count a server that is not who it should be."""
        self._fault(f"a server was refused: {error.reason}")

    async def _connect(
        self, wanted: Wanted, protocol: Callable[[], asyncio.BaseProtocol], failed: Callable[[], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        times = self._times
        try:
            context = self._context(wanted)
            is_secured = context is not None
            async with asyncio.timeout(times.connect + (times.handshake if is_secured else 0)):
                await loop.create_connection(
                    protocol,
                    wanted.address.host,
                    wanted.address.port,
                    ssl=context,
                    server_hostname=wanted.server_name if is_secured else None,
                    ssl_handshake_timeout=times.handshake if is_secured else None,
                    ssl_shutdown_timeout=times.connect if is_secured else None,
                )
        except CredentialsError:
            self._fault("there is no valid identity of our own to call with")
            failed()
        except ssl.SSLError:
            self._fault("a handshake with a server failed")
            failed()
        except (OSError, TimeoutError):
            failed()

    def _context(self, wanted: Wanted) -> ssl.SSLContext | None:
        match wanted.security:
            case Mutual():
                return self._identities.client_context(wanted.alpn)
            case Outside():
                found = self._outside.get(wanted.alpn)
                if found is None:
                    found = self._outside[wanted.alpn] = external_context(None, wanted.alpn)
                return found
            case Plain():
                return None
