# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of a pipeline's documents takes what compiles, and refuses what has another shape."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from tests.probes import requires
from tests.unit.config_cases import MAPS, TABLES, compiled, rows, source
from wirespeed.config.json_schema import schema_of
from wirespeed.errors import BadInput

pytestmark = requires("clang")


@pytest.fixture(scope="module")
def validator() -> Any:
    found = json.loads(json.dumps(schema_of("small", source().manifest.config, source().tables)))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def said(tables: Any) -> Any:
    return {"pipeline": "small", "tables": tables}


def test_it_takes_what_compiles(validator: Any) -> None:
    validator.validate(said(TABLES))


def test_it_takes_what_is_read_back(validator: Any) -> None:
    found = compiled(TABLES)
    validator.validate(said({name: rows(found, name) for name in MAPS}))


def test_it_takes_files_and_empty_tables(validator: Any) -> None:
    validator.validate(said({"deny_v4": {"file": "a.csv"}, "peers": None, "ports": []}))


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("policies", "policy", -1),
        ("policies", "policy", True),
        ("policies", "policy", 1.5),
        ("policies", "burst", 1001),
        ("policies", "action", "dorp"),
        ("policies", "marks", ["port"]),
        ("policies", "limit", "10kbps"),
        ("policies", "timeout", "1 week"),
        ("policies", "ports", [1, 2, 3, 4, 5]),
        ("policies", "ports", [65536]),
        ("policies", "cookie", "123"),
        ("policies", "note", "x" * 16),
        ("policies", "dry_run", "maybe"),
        ("policies", "polcy", 1),
        ("customers", "prefix", 7),
        ("customers", "prefix", "192.0.2.0-24"),
        ("customers", "id", None),
        ("groups", "key", 8),
        ("groups", "servers", [{"port": 1}]),
        ("groups", "word", "middle"),
        ("flows", "protocol", 256),
    ],
)
def test_it_refuses_a_value_that_a_compilation_refuses(validator: Any, table: str, column: str, value: Any) -> None:
    tables = copy.deepcopy(TABLES)
    tables[table][0][column] = value
    with pytest.raises(BadInput):
        compiled(tables)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(said(tables))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"pipeline": "other", "tables": {}},
        {"pipeline": "small", "schema": 2, "tables": {}},
        {"pipeline": "small", "table": {}, "tables": {}},
        said({"deny_v5": []}),
        said({"deny_v4": "192.0.2.0/24"}),
        said({"deny_v4": [{"prefix": 7}]}),
        said({"deny_v4": {"fiel": "a.csv"}}),
        said({"deny_v4": {"file": "a", "format": "xml"}}),
        said({"marks": [{"key": 1}]}),
        said({"marks": [{"key": number, "value": 0} for number in range(17)]}),
    ],
)
def test_it_refuses_another_frame(validator: Any, document: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(document)


def test_words_for_people_are_in_it(validator: Any) -> None:
    column = validator.schema["properties"]["tables"]["properties"]["customers"]["anyOf"][0]["items"]["properties"]
    assert column["policy"]["description"] == "must stand in table policies."
