"""`meshproof-proxy sign` and `verify`: who has made a bundle."""

from __future__ import annotations

import argparse
import stat
import sys
from pathlib import Path

from meshproof.runtime.cli.command import Command, refused

_MODE = 0o644
_MOST_KEY = 65_536
_PUBLIC = b"PUBLIC KEY"
"""Of the PEM of a key that others may read; it signs nothing, and says so itself."""


def _sign_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what `meshproof compile --target native` wrote")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key, of `keygen`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write; may be BUNDLE itself")


def _verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a signed bundle")
    said = "a public key that is trusted; may be given more than once"
    parser.add_argument("--key", type=Path, required=True, action="append", metavar="FILE", help=said)


def _sign(given: argparse.Namespace) -> int:
    from meshproof.runtime.bundle import BundleError, load_bundle  # noqa: PLC0415  `--help` waits for none of these
    from meshproof.runtime.new_files import write_over  # noqa: PLC0415
    from meshproof.runtime.signature import SignatureError, sign  # noqa: PLC0415

    try:
        if given.key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and _PUBLIC not in _key(given.key):
            return refused(f"others may read `{given.key}`, so it is nobody's signature any more; `chmod 600` it")
        data = _content(given.bundle)
        policy = load_bundle(data).bundle.policy
        write_over(given.out, sign(data, _key(given.key)), _MODE)
    except OSError as error:
        return refused(f"`{error.filename}`: {error.strerror}")
    except BundleError as error:
        return refused(f"`{given.bundle}` is not signed: {error}")
    except SignatureError as error:
        return refused(f"`{given.key}`: {error}")
    sys.stdout.write(f"{policy}\n")
    return 0


def _verify(given: argparse.Namespace) -> int:
    from meshproof.runtime.bundle import BundleError, load_bundle  # noqa: PLC0415  `--help` waits for none of these

    try:
        loaded = load_bundle(_content(given.bundle), trusted_keys=[_key(path) for path in given.key])
    except OSError as error:
        return refused(f"`{error.filename}` cannot be read: {error.strerror}")
    except BundleError as error:
        return refused(f"`{given.bundle}`: {error}")
    sys.stdout.write(f"{loaded.bundle.policy}\n")
    return 0


def _content(path: Path) -> bytes:
    from meshproof.runtime.bundle import MOST_BYTES  # noqa: PLC0415

    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _key(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_KEY)


SIGN = Command(
    "sign",
    "sign a bundle (Ed25519, in a DSSE envelope)",
    _sign_options,
    _sign,
    "It tells the digest of the policy. What is no bundle, or could not be loaded, is not signed.",
)

VERIFY = Command(
    "verify",
    "tell whether somebody who is trusted has signed a bundle, and whether it can be loaded",
    _verify_options,
    _verify,
    "It tells the digest of the policy.",
)
