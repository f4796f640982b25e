"""`meshproof-proxy keygen`: a key that signs bundles."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from meshproof.runtime.cli.command import Command, refused

_PRIVATE, _PUBLIC = 0o600, 0o644


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stem", type=Path, metavar="STEM", help="what STEM.key and STEM.pub begin with")


def _run(given: argparse.Namespace) -> int:
    from meshproof.runtime.new_files import write_new  # noqa: PLC0415  `--help` waits for none of these
    from meshproof.runtime.signature import SignatureError, generate  # noqa: PLC0415

    key, public = (given.stem.with_name(f"{given.stem.name}.{end}") for end in ("key", "pub"))
    try:
        private_text, public_text = generate()
        for path in (key, public):
            if path.is_symlink() or path.exists():
                return refused(f"`{path}` is there already, and no key is written over")
        write_new(key, private_text, _PRIVATE)
        write_new(public, public_text, _PUBLIC)
    except SignatureError as error:
        return refused(str(error))
    except OSError as error:
        return refused(f"`{error.filename}` cannot be written: {error.strerror}")
    sys.stdout.write(f"{key}\n{public}\n")
    return 0


KEYGEN = Command(
    "keygen",
    "make a key that signs bundles (Ed25519)",
    _options,
    _run,
    "STEM.key is for who signs (0600), STEM.pub for `trusted_keys` of the settings. Nothing is written over.",
)
