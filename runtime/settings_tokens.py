"""Where the keys of issuers are, as the settings of all commands say it."""

from __future__ import annotations

from pathlib import Path

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.settings_run import TokenKeys
from meshproof.runtime.settings_run_telemetry import url
from meshproof.runtime.tables import SettingError, Table


def token_keys(root: Table, folder: Path) -> tuple[TokenKeys, ...]:
    """The tables `[[tokens]]`, one for each issuer. Raises `SettingError`."""
    found = tuple(_keys(table, folder) for table in root.tables("tokens")) if root.has("tokens") else ()
    issuers = [one.issuer for one in found]
    for index, issuer in enumerate(issuers):
        if issuer in issuers[:index]:
            raise SettingError(f"tokens[{index}].issuer", f"the keys of `{issuer}` are said already")
    return found


def _keys(table: Table, folder: Path) -> TokenKeys:
    issuer = IssuerName(table.text("issuer"))
    file = folder / table.text("jwks_file") if table.has("jwks_file") else None
    address = url(table, "jwks_url", is_trusted=True) if table.has("jwks_url") else None
    if (file is None) is (address is None):
        raise table.refuse("jwks_file", "either it is expected, or `jwks_url`")
    table.end()
    return TokenKeys(issuer, file, address)
