"""The bundle, who must have signed it and how old it may be, as the settings of all commands say it."""

from __future__ import annotations

from pathlib import Path

from meshproof.compiler.ir.bundle import MOST_REVISION
from meshproof.runtime.settings_run import PolicyFiles
from meshproof.runtime.tables import Table


def policy_files(table: Table, folder: Path) -> PolicyFiles:
    """The table `[policy]`. Raises `SettingError`."""
    keys = tuple(folder / key for key in table.texts("trusted_keys"))
    found = PolicyFiles(
        folder / table.text("bundle"),
        keys,
        table.number("minimum_revision", (1, MOST_REVISION), 0),
        folder / table.text("revision_file") if table.has("revision_file") else None,
    )
    if table.has("trusted_keys") and not keys:
        raise table.refuse("trusted_keys", "an empty list trusts nobody; leave it out to take an unsigned bundle")
    for key in ("minimum_revision", "revision_file"):
        if table.has(key) and not keys:
            raise table.refuse(key, "without `trusted_keys` anybody writes what revision he likes into a bundle")
    table.end()
    return found
