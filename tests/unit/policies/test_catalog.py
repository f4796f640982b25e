"""The packs that are shipped: found by name, and by nothing but a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.dsl.loader import load_texts
from meshproof.policies.catalog import pack_names, read_pack

PACKS = Path(__file__).parents[3] / "policies" / "packs"


def test_every_file_of_the_folder_is_a_pack_and_is_read_as_it_is() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in PACKS.iterdir()}

    assert files == {f"{name}.mesh": read_pack(name) for name in pack_names()}
    assert "zero-trust-baseline" in pack_names()


@pytest.mark.parametrize(
    "name",
    [
        *("nothing-like-it", "", ".", "..", "-", "a/b", "../catalog", "../examples/first-page/tea", "/etc/passwd"),
        *("zero-trust-baseline.mesh", "Zero-Trust-Baseline", "zero-trust-baseline/", "zero\\trust", "a\0b", "a\n"),
    ],
)
def test_what_is_no_name_of_a_pack_reads_nothing(name: str) -> None:
    assert read_pack(name) is None


def test_the_loader_takes_a_pack_in_by_its_name() -> None:
    loaded = load_texts({"p.mesh": 'use pack "zero-trust-baseline" { doors = all }'}, packs=read_pack)

    assert loaded.diagnostics == ()
    assert loaded.packs == (("zero-trust-baseline", "pack/zero-trust-baseline.mesh"),)
    assert [document.source.text for document in loaded.documents][1] == read_pack("zero-trust-baseline")


def test_an_unknown_pack_is_a_finding_at_its_name() -> None:
    (found,) = load_texts({"p.mesh": 'use pack "zero-trust" {}'}, packs=read_pack).diagnostics

    assert found.code == "MP011"
    assert found.primary is not None
    assert (found.primary.start, found.primary.end) == (9, 21)
