"""How what is given goes from the parent to its workers."""

from __future__ import annotations

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.material.identity import IdentityMaterial
from meshproof.runtime.net.material.policy import PolicyMaterial
from meshproof.runtime.net.process.frames import Frame, FrameError


def frame_of_policy(material: PolicyMaterial) -> Frame:
    """What gives a policy to a worker."""
    return Frame("policy", {}, (material.bundle, *material.trusted_keys))


def frame_of_identity(material: IdentityMaterial) -> Frame:
    """What gives an identity to a worker."""
    domains = [domain for domain, _ in material.bundles]
    texts = (text for _, text in material.bundles)
    return Frame("identity", {"domains": [*domains]}, (material.certificates, material.key, *texts))


def frame_of_keys(issuer: IssuerName, text: bytes, seconds: float) -> Frame:
    """What gives the keys of an issuer to a worker, for so many seconds."""
    return Frame("keys", {"issuer": issuer, "milliseconds": round(seconds * 1000)}, (text,))


def policy_of_frame(frame: Frame) -> PolicyMaterial:
    """The policy that a frame gives. Raises `FrameError`."""
    bundle, keys = _blobs(frame, 1)
    return PolicyMaterial(bundle[0], keys)


def identity_of_frame(frame: Frame) -> IdentityMaterial:
    """The identity that a frame gives. Raises `FrameError`."""
    own, texts = _blobs(frame, 2)
    domains = frame.texts("domains")
    if len(domains) != len(texts):
        raise FrameError("`identity` has another number of trust domains than of bundles")
    return IdentityMaterial(own[0], own[1], tuple(zip(domains, texts, strict=True)))


def keys_of_frame(frame: Frame) -> tuple[IssuerName, bytes, float]:
    """The issuer, its keys and for how many seconds they are good. Raises `FrameError`."""
    texts, _ = _blobs(frame, 1)
    return IssuerName(frame.text("issuer")), texts[0], frame.number("milliseconds") / 1000


def _blobs(frame: Frame, least: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    if len(frame.blobs) < least:
        raise FrameError(f"`{frame.kind}` has less than {least} blobs")
    return frame.blobs[:least], frame.blobs[least:]
