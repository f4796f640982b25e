"""Rotation by files: what changed on disk is taken whole, or the last good credentials stay and one is told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.files import SvidContent
from meshproof.runtime.identity.holder import Identities


class Source(Protocol):
    """Where credentials come from: `SvidFiles` or `SvidFolder`."""

    def read(self) -> SvidContent:
        """What is there now. Raises `CredentialsError`."""


class Watch:
    """Looks, whenever it is asked to, whether there are other credentials than those in use.

    Contents are compared, and neither times nor inodes: so links that are swapped, files that are replaced or written
    over, and changes within one tick of a clock are all seen. Certificate and key cannot be read in one step; a pair
    that does not fit is read again at the next look, and told only if it is still refused then.
    """

    def __init__(
        self,
        source: Source,
        identities: Identities,
        tell: Callable[[str, str], None],
        expected: SpiffeId | None = None,
    ) -> None:
        """`tell` gets an event (`identity-taken`, `identity-refused`, `identity-over`) and a sentence about it."""
        self._source = source
        self._identities = identities
        self._tell = tell
        self._expected = expected
        self._content: SvidContent | None = None
        self._trouble: str | None = None
        self._is_told = False
        self._is_over = False

    def start(self) -> None:
        """Take what is there. Raises `CredentialsError`: a process does not start as nobody."""
        self._take(self._source.read())

    def look(self) -> bool:
        """Whether other credentials were taken. Whatever is wrong with those on disk, what is in use stays."""
        try:
            content = self._source.read()
            is_new = content != self._content
            if is_new:
                self._take(content)
            self._trouble, self._is_told = None, False
        except CredentialsError as error:
            is_new = False
            self._refused(str(error))
        self._look_at_the_clock()
        return is_new

    def _take(self, content: SvidContent) -> None:
        taken = content.credentials(self._expected)
        self._identities.take(taken)
        self._content = content
        self._is_over = False
        self._tell("identity-taken", f"`{taken.identity.uri}`, serial {taken.serial:x}")

    def _refused(self, why: str) -> None:
        is_again = self._trouble is not None
        if why != self._trouble:
            self._trouble, self._is_told = why, False
        if is_again and not self._is_told:
            self._is_told = True
            self._tell("identity-refused", why)

    def _look_at_the_clock(self) -> None:
        left = self._identities.expires_in()
        is_over = left is not None and left < 0
        if is_over and not self._is_over:
            self._tell("identity-over", "the own certificate is not valid any more, so no handshake succeeds")
        self._is_over = is_over
