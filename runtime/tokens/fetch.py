"""Keys from a file or over HTTPS: bounded in size and in time, from first to last."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from meshproof.runtime.tokens.keys import MOST_BYTES

_MOST_HEAD = 65_536
_PIECE = 65_536
_OK = 200


class FetchError(Exception):
    """Nothing came that could be keys. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where keys are fetched. `context` is None for plain HTTP, which is taken at loopback alone."""

    host: str
    port: int
    target: str
    context: ssl.SSLContext | None

    @property
    def authority(self) -> str:
        """The host as it is asked for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 80 if self.context is None else 443
        return host if self.port == usual else f"{host}:{self.port}"


def address_of(url: str, ca: Path | None = None) -> Address:
    """The address of a URL. `ca` signs the server's certificate, in place of what the system trusts. `FetchError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError(f"`{url}` is no URL") from None
    host = parts.hostname
    if not host or not url.isascii() or any(byte <= " " for byte in url) or "@" in parts.netloc:
        raise FetchError(f"`{url}` is no URL of a server")
    if parts.scheme == "https":
        return Address(host, port or 443, _target(parts), _context(ca))
    if parts.scheme == "http" and _is_loopback(host):
        return Address(host, port or 80, _target(parts), None)
    raise FetchError(f"`{url}` is neither `https` nor at loopback, so anybody on the way could sign tokens")


async def fetch(address: Address, seconds: float) -> bytes:
    """What is there, within so many seconds. Raises `FetchError`.

    Redirects are not followed and proxies are not asked: keys come from where the policy says, or not at all.
    """
    try:
        async with asyncio.timeout(seconds):
            received = await _received(address)
    except TimeoutError:
        raise FetchError(f"`{address.authority}` did not answer within {seconds:g} seconds") from None
    except (OSError, ValueError) as error:
        raise FetchError(f"`{address.authority}` cannot be asked: {_said(error)}") from None
    return _body(received, address.authority)


def read_file(path: Path) -> bytes:
    """The content of a file of keys. Raises `FetchError`."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FetchError(f"`{path}` cannot be read: {error.strerror}") from None


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:
        raise FetchError(f"`{ca}` is no authority: {error.strerror or error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _received(address: Address) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.context)
    try:
        lines = (
            f"GET {address.target} HTTP/1.1",
            f"Host: {address.authority}",
            "Accept: application/jwk-set+json, application/json",
            "Accept-Encoding: identity",
            "User-Agent: meshproof-proxy",
            "Connection: close",
        )
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        received = b""
        while piece := await reader.read(_PIECE):
            received += piece
            if len(received) > MOST_BYTES + _MOST_HEAD:
                raise FetchError(f"`{address.authority}` answers with more than {MOST_BYTES} bytes")
        return received
    finally:
        writer.transport.abort()


class _Received:
    """Bytes that were received, as `HTTPResponse` wants its socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> BytesIO:
        """The bytes."""
        return BytesIO(self._data)


def _body(received: bytes, authority: str) -> bytes:
    response = HTTPResponse(_Received(received), method="GET")  # type: ignore[arg-type]
    try:
        response.begin()
        if response.status != _OK:
            raise FetchError(f"`{authority}` answers {response.status}")
        if response.getheader("content-encoding", "identity").lower() != "identity":
            raise FetchError(f"`{authority}` answers in an encoding that nobody asked for")
        return response.read()
    except (HTTPException, ValueError, OSError):
        raise FetchError(f"`{authority}` answers with what is no whole answer over HTTP") from None


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
