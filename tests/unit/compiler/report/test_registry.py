"""Formats and schemas: each can be loaded, and each is one that others can read."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from tests.unit.compiler.report.samples import everything

from meshproof.compiler.report.look import Look
from meshproof.compiler.report.registry import FORMATS, find_format
from meshproof.compiler.report.schema import schema_names, schema_text
from meshproof.dsl.diagnostic import Severity


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
def test_every_format_renders_and_is_found_by_its_name(name: str) -> None:
    found = find_format(name)
    assert found is not None

    text = found.load()(everything(), Look(), Severity.ERROR)

    assert text.endswith("\n")
    assert text == found.load()(everything(), Look(), Severity.ERROR)


def test_a_format_that_is_none_is_not_found() -> None:
    assert find_format("xml") is None


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_is_one_and_has_a_name_of_its_own(name: str) -> None:
    schema = json.loads(schema_text(name))

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:meshproof:{name.rpartition('-')[0]}:{name.rpartition('-')[2]}"
    assert schema["title"]
