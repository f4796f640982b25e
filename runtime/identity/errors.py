"""What keeps an identity from being used. Messages are one lower-case sentence for the log, never for a peer."""

from __future__ import annotations


class IdentityError(Exception):
    """Something that says who somebody is, or is needed to say it, is refused."""


class CertificateError(IdentityError):
    """A certificate is no X.509-SVID, or does not lead to whom we trust."""


class CredentialsError(IdentityError):
    """Own certificate, key and trust bundles are not there, do not fit together, or are over."""


class PeerError(IdentityError):
    """The other side of a finished handshake is nobody whom we talk to. `reason` is a short word for a metric."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
