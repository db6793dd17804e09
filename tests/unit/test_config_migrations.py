# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of an older schema are turned into the current one, whether their rows are inline or in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines import compiled as object_of
from tests.probes import requires
from tests.unit.config_cases import CODE, MAPS, compiled
from wirespeed.errors import BadInput
from wirespeed.pipeline.lint import read_source
from wirespeed.pipeline.manifest import Manifest, load_manifest
from wirespeed.pipeline.source import PipelineSource

pytestmark = requires("clang")

MIGRATIONS = [
    {
        "name": "shorter_names",
        "from": 2,
        "steps": [
            {"rename_field": {"table": "policies", "from": "rate", "to": "limit"}},
            {"map_values": {"table": "policies", "field": "action", "values": {"block": "drop", "1": "pass"}}},
            {"set_default": {"table": "policies", "field": "burst", "value": 9}},
        ],
    },
    {
        "name": "one_table_of_rules",
        "from": 1,
        "steps": [
            {"rename_table": {"from": "rules", "to": "policies"}},
            {"drop_field": {"table": "policies", "field": "owner"}},
        ],
    },
]
CONFIG = {"schema": 3, "migrations": MIGRATIONS}


@pytest.fixture
def pipeline() -> PipelineSource:
    said = {"manifest": 1, "name": "small", "version": "1", "entry": "small", "maps": MAPS, "config": CONFIG}
    return PipelineSource(Manifest.from_json(said), object_of(CODE))


def refused(*asked: Any, **said: Any) -> str:
    with pytest.raises(BadInput) as error:
        compiled(*asked, **said)
    return str(error.value)


def policies(pipeline: PipelineSource, *asked: Any, **said: Any) -> Any:
    table = pipeline.tables["policies"]
    rows = table.unpack(compiled(*asked, of=pipeline, **said).tables["policies"])
    return [(row["policy"], row["limit"], row["action"], row["burst"]) for row in rows]


def test_all_migrations_from_its_schema_on_are_applied(pipeline: PipelineSource) -> None:
    row = {"policy": 1, "rate": "5pps", "owner": "us", "action": "block"}
    assert policies(pipeline, {"rules": [row]}) == [(1, "5pps", "drop", 9)]


def test_a_file_of_an_older_schema_is_migrated(pipeline: PipelineSource, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("policy,rate,owner,action,burst\n1,5pps,us,block,\n2,,me,1,3\n")
    found = policies(pipeline, {"rules": {"file": "r.csv"}}, relative_to=tmp_path)
    assert found == [(1, "5pps", "drop", 9), (2, "0pps", "pass", 3)]


def test_only_later_migrations_are_applied_to_a_later_document(pipeline: PipelineSource) -> None:
    assert policies(pipeline, {"policies": [{"policy": 1, "rate": "5pps"}]}, schema=2) == [(1, "5pps", "pass", 9)]
    assert "tables.rules: 'rules' is not known" in refused({"rules": []}, schema=2, of=pipeline)


def test_the_current_schema_is_taken_as_it_is(pipeline: PipelineSource) -> None:
    assert policies(pipeline, {"policies": [{"policy": 1, "limit": 7}]}, schema=3) == [(1, "7pps", "pass", 1)]
    assert "rate: is no column of this table" in refused({"policies": [{"rate": 1}]}, schema=3, of=pipeline)


def test_a_newer_document_is_refused(pipeline: PipelineSource) -> None:
    assert "schema: is 4, but this version of small knows 3 at most" in refused({}, schema=4, of=pipeline)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"rules": [], "policies": []}, "migration one_table_of_rules renames table 'rules' to 'policies', but both"),
        ({"rules": [{"rate": 1, "limit": 1}]}, "migration shorter_names renames column 'rate' to 'limit', but both"),
    ],
)
def test_what_cannot_be_migrated_names_the_migration(pipeline: PipelineSource, tables: Any, said: str) -> None:
    assert said in refused(tables, of=pipeline)


def test_a_mistake_in_a_migrated_file_keeps_its_line(pipeline: PipelineSource, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("policy,rate\n1,5pps\n2,x\n")
    said = refused({"rules": {"file": "r.csv"}}, relative_to=tmp_path, of=pipeline)
    assert "r.csv:3: table policies, row 2, limit: 'x' is no rate" in said


def test_the_manifest_says_the_same_after_it_travelled(pipeline: PipelineSource) -> None:
    assert Manifest.from_json(pipeline.manifest.to_json()) == pipeline.manifest


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"config": {"schema": 2}}, "config.schema: is 2, but no migration is from 1"),
        ({"config": {"migrations": [MIGRATIONS[1]]}}, "migrations[0].from: is 1, but the schema is 1"),
        (
            {"config": {"schema": 2, "migrations": [MIGRATIONS[1], MIGRATIONS[1]]}},
            "config.migrations[1].name: 'one_table_of_rules' is the name of another one",
        ),
        ({"maps": {"peers": {"role": "config", "table": "address_set", "overlap": "refuse"}}}, "maps.peers.overlap"),
        ({"maps": {"peers": {"role": "config", "table": "address_set", "fields": {}}}}, "maps.peers.fields: stands on"),
        (
            {"maps": {"marks": {"role": "config", "table": "records", "value": 1}}},
            "maps.marks.value: stands on",
        ),
        ({"config": {"migrations": [{"name": "x", "from": 1, "steps": [{"rename": {}}]}]}}, "'rename' is not known"),
        (
            {"maps": {"marks": {"role": "config", "table": "records", "fields": {"key": {"type": "int"}}}}},
            "'int' is not",
        ),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path: Path, changed: Any, said: str) -> None:
    path = tmp_path / "small.pipeline.yml"
    data = {"manifest": 1, "name": "small", "version": "1", "entry": "small", **changed}
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(BadInput) as error:
        load_manifest(path)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"x": {}}, "maps.customers.fields.x: 'x' is not known here"),
        ({"x": {"member": "idd"}}, "fields.x.member: 'idd' is not known here. Did you mean 'id'"),
        ({"x": {"member": "id"}, "id": {}}, "is member id, and so is column id"),
        ({"policy": {"member": "id"}}, "'policy' is the name of two columns"),
        ({"id": {"type": "mac"}}, "fields.id: cannot be of type mac: it is a number of 4 bytes"),
        ({"id": {"type": "enum"}}, "fields.id: is of type enum, but nothing says its names"),
        ({"id": {"type": "rate", "unit": "ns"}}, "fields.id: has the unit 'ns'; a rate has one of pps"),
        ({"id": {"default": -1}}, "fields.id.default: -1 is not from 0"),
        ({"id": {"references": "polices"}}, "fields.id.references: 'polices' is not known here"),
        ({"id": {"references": "policies.polcy"}}, "'policies.polcy' is not known here"),
        ({"id": {"references": "flows"}}, "is flows, whose key has several columns. Name one"),
        ({"prefix": {"type": "hex"}}, "is the prefix of a trie, and cannot be of type hex"),
    ],
)
def test_fields_that_do_not_fit_the_object_are_refused(tmp_path: Path, fields: Any, said: str) -> None:
    maps = {**MAPS, "customers": {"role": "config", "table": "records", "fields": fields}}
    path = tmp_path / "small.pipeline.yml"
    path.write_text(yaml.safe_dump({"manifest": 1, "name": "small", "version": "1", "entry": "small", "maps": maps}))
    (tmp_path / "small.bpf.o").write_bytes(object_of(CODE))
    with pytest.raises(BadInput) as error:
        read_source(path, load_manifest(path))
    assert said in str(error.value)
