"""Loading a bundle: whatever it holds, there is an engine that keeps all of it, or one typed error and no engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.bundle import Bundle, load
from meshproof.compiler.ir.json_text import JsonError
from meshproof.runtime.engine.audits import audits
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.signature import SignatureError, verified

MOST_BYTES = 64 * 1024 * 1024


class BundleError(Exception):
    """The bundle is not loaded. The message is one lower-case sentence that says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bundle and the engine that keeps it. `audits` names the audited rules that are met, if there are any.

    `digest` is the SHA-256 of the bundle as it was written (without its envelope), in hexadecimal.
    """

    bundle: Bundle
    engine: Engine
    audits: Engine | None = None
    digest: str = ""


def load_bundle(data: bytes, *, trusted_keys: Sequence[bytes] = (), most_bytes: int = MOST_BYTES) -> Loaded:
    """The bundle of a file, and its engine. Raises `BundleError` alone.

    With trusted keys (Ed25519 in PEM) the file must be an envelope that one of them has signed; without any it must be
    the bundle itself, so that a signature is never there and looked at by nobody.
    """
    if len(data) > most_bytes:
        raise BundleError(f"the bundle has {len(data)} bytes, more than {most_bytes}")
    try:
        text = verified(data, trusted_keys) if trusted_keys else data
        bundle = load(text)
        return Loaded(bundle, Engine(bundle.mesh), audits(bundle.mesh), hashlib.sha256(text).hexdigest())
    except SignatureError as error:
        raise BundleError(f"the signature is refused: {error}") from None
    except JsonError as error:
        raise BundleError(str(error)) from None
    except EngineError as error:
        raise BundleError(f"the policy is refused: {error}") from None
    except RecursionError:
        raise BundleError("the bundle is nested too deeply") from None
