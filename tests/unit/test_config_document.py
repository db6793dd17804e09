# SPDX-License-Identifier: GPL-3.0-or-later
"""A document is compiled whole or refused whole, and says where and why."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipelines import small
from tests.probes import requires
from tests.unit.config_cases import CODE, MAPS, TABLES, compiled, rows, source
from wirespeed.config import bundle, document
from wirespeed.config.compiled import layout_of
from wirespeed.errors import BadInput, Place
from wirespeed.pipeline.source import PipelineSource

pytestmark = requires("clang")
PROPERTY = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def refused(tables: Any, **said: Any) -> str:
    with pytest.raises(BadInput) as error:
        compiled(tables, **said)
    return str(error.value)


def with_maps(**changed: Any) -> PipelineSource:
    return small(CODE, maps={name: {**said, **changed.get(name, {})} for name, said in MAPS.items()})


def test_every_table_is_there_and_one_without_rows_is_empty() -> None:
    found = compiled({"deny_v4": ["192.0.2.0/24"], "peers": None})
    assert {name: packed.count for name, packed in found.tables.items()} == {
        **dict.fromkeys(MAPS, 0),
        "deny_v4": 1,
    }


def test_what_is_read_back_compiles_to_the_same_digest() -> None:
    found = compiled(TABLES)
    assert compiled({name: rows(found, name) for name in MAPS}).digest == found.digest


def test_the_digest_does_not_depend_on_the_order_of_tables_or_rows() -> None:
    turned = {name: list(reversed(each)) for name, each in reversed(list(TABLES.items()))}
    assert compiled(turned).digest == compiled(TABLES).digest


def test_a_table_with_two_sides_is_compiled_as_one_of_them() -> None:
    packed = compiled(TABLES).tables["marks"]
    assert (packed.key_size, packed.value_size, packed.count) == (4, 4, 1)


def test_a_trie_is_in_the_order_of_addresses() -> None:
    found = compiled({"deny_v4": ["10.0.0.0/24", "9.0.0.0/8", "10.0.0.0/8"]})
    assert rows(found, "deny_v4") == ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/24"]


def test_members_before_a_tries_address_count_in_its_length() -> None:
    ((key, dummy),) = compiled(TABLES).tables["blocked"].items()
    assert key == (32 + 25).to_bytes(4, "little") + (12).to_bytes(4, "little") + bytes([192, 0, 2, 0])


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"deny_v5": []}, "tables.deny_v5: 'deny_v5' is not known here. Did you mean 'deny_v6'?"),
        ({"deny_v4": 7}, "tables.deny_v4: is '7', neither a list of rows nor a file"),
        ({"deny_v4": [["a"]]}, "table deny_v4, row 1: ['a'] is no text"),
        ({"deny_v4": [True]}, "table deny_v4, row 1: True is no text"),
        ({"policies": ["12"]}, "table policies, row 1: is no mapping of columns"),
        ({"policies": [{"policy": 1, "policies": 2}]}, "policies: is no column of this table. Did you mean 'policy'?"),
        ({"policies": [{"policy": -1}]}, "row 1, policy: -1 is not from 0 to 4294967295"),
        ({"policies": [{"policy": True}]}, "row 1, policy: True is no whole number"),
        ({"policies": [{"policy": 1.0}]}, "row 1, policy: 1.0 is no whole number"),
        ({"policies": [{"policy": 1, "burst": 0}]}, "row 1, burst: 0 is not from 1 to 1000"),
        ({"policies": [{"policy": 1, "action": "dorp"}]}, "'dorp' is none of pass, drop, limit. Did you mean 'drop'?"),
        ({"policies": [{"policy": 1, "marks": ["port"]}]}, "has 'port', which is none of rate_limit, ports. Did you"),
        ({"policies": [{"policy": 1, "limit": "10kbps"}]}, "'10kbps' is no rate, such as 10kpps or 10pps"),
        ({"policies": [{"policy": 1, "limit": "1/m"}]}, "'1/m' is no whole number of pps, in which the map has it"),
        ({"policies": [{"policy": 1, "timeout": "1 week"}]}, "'1 week' is no duration"),
        ({"policies": [{"policy": 1, "timeout": "0.5ns"}]}, "'0.5ns' is no whole number of ns"),
        ({"policies": [{"policy": 1, "ports": [1, 2, 3, 4, 5]}]}, "has 5 elements; at most 4 fit"),
        ({"policies": [{"policy": 1, "ports": [65536]}]}, "has 65536 as element 0, which is not from 0 to 65535"),
        ({"policies": [{"policy": 1, "cookie": "123"}]}, "'123' is no text of 8 hex digits"),
        ({"policies": [{"policy": 1, "note": "x" * 16}]}, "has 16 bytes; at most 15 fit"),
        ({"policies": [{"policy": 1, "dry_run": "maybe"}]}, "'maybe' is neither true nor false"),
        ({"policies": [{"policy": 1}, {"policy": "1"}]}, 'row 2: {"policy":1} is also the key of row 1 (test)'),
        ({"customers": [{"prefix": "192.0.2.0/24", "id": 1, "policy": 9}]}, "policy: 9 is not in table policies"),
        ({"groups": [{"key": 8, "servers": [], "weights": [], "word": "high"}]}, "key: 8 is not from 0 to 7"),
        (
            {"groups": [{"key": 1, "servers": [{"port": 1}], "weights": [], "word": "high"}]},
            "as element 0, which is no mapping of address, port, mac",
        ),
        ({"deny_v6": ["2001:db8::/32", "2001:db8::/48"]}, "2001:db8::/48 lies within row 1 (test). Remove one of them"),
        ({"flows": [{"source": "1::", "port": 1, "protocol": 256, "value": 0}]}, "256 is not from 0 to 255"),
        ({"flows": [{"source": "192.0.2.1", "port": 1, "protocol": 1, "value": 0}]}, "is an IPv4 address, but"),
        ({"marks": [{"key": number, "value": 0} for number in range(17)]}, "has more than the 16 rows that its map"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(tables: Any, said: str) -> None:
    assert said in refused(tables)


def test_a_row_of_zeros_in_an_array_says_nothing() -> None:
    pipeline = with_maps(groups={"fields": {"word": {"values": {"none": 0}}}})
    row = {"key": 1, "servers": [], "weights": [], "word": "none"}
    assert "is all zero but for its key" in refused({"groups": [row]}, of=pipeline)


def test_a_prefix_within_another_is_taken_where_the_longest_match_is_meant() -> None:
    assert compiled({"deny_v4": ["10.0.0.0/8", "10.0.0.0/24"]}).tables["deny_v4"].count == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "d: is '[]', not a mapping. It has pipeline, schema, tables"),
        ({"pipeline": "small", "table": {}}, "d: table: 'table' is not known here. Did you mean 'tables'"),
        ({"tables": {}}, "d: pipeline: is missing, or no text"),
        ({"pipeline": "smell"}, "d: pipeline: is 'smell', but the manifest is of 'small'"),
        ({"pipeline": "small", "schema": 2}, "d: schema: is 2, but this version of small knows 1 at most"),
        ({"pipeline": "small", "schema": "1"}, "d: schema: is '1'. It is a whole number from 1"),
        ({"pipeline": "small", "schema": True}, "d: schema: is True"),
        ({"pipeline": "small", "tables": []}, None),
        ({"pipeline": "small", "tables": [1]}, "d: tables: is '[1]', not a mapping"),
        ({"pipeline": "small", "tables": {"deny_v4": {}}}, "d: tables.deny_v4: is a file. Give the document as a file"),
        ({"pipeline": "small", "tables": {"deny_v4": {"fiel": 1}}}, "d: tables.deny_v4.fiel: 'fiel' is not known"),
    ],
)
def test_the_frame_of_a_document_is_checked(data: Any, said: Any) -> None:
    def attempt() -> None:
        found = document.given(data, Place("d"))
        document.compile_document(found, "small", source().manifest.config, source().tables)

    if said is None:
        attempt()
        return
    with pytest.raises(BadInput) as error:
        attempt()
    assert said in str(error.value)


def test_a_mistake_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "d.yml"
    path.write_text("pipeline: small\ntables:\n  policies:\n    - {policy: 1}\n    - policy: 2\n      burst: x\n")
    with pytest.raises(BadInput, match=r"d\.yml:5: table policies, row 2, burst: 'x' is no whole number"):
        document.compile_document(document.read(path), "small", source().manifest.config, source().tables)


def test_files_lie_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text("pipeline: small\ntables: {deny_v4: {file: deny.rows, format: plain}}\n")
    (tmp_path / "deny.rows").write_text("192.0.2.0/24\n")
    found = document.read(tmp_path / "d.yml")
    assert document.compile_document(found, "small", source().manifest.config, source().tables).rows == 1


COLUMNS = ["policy", "prefix", "key", "value", "file", "servers", "limit", "x.y"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(COLUMNS), inner, max_size=4),
    max_leaves=12,
)


@PROPERTY
@given(st.dictionaries(st.sampled_from([*MAPS, "x"]), JSON, max_size=4))
def test_a_random_document_is_compiled_or_refused(tables: Any) -> None:
    try:
        found = compiled(tables)
    except BadInput as error:
        assert str(error)
    else:
        assert compiled({name: rows(found, name) for name in MAPS}).digest == found.digest


@PROPERTY
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(TABLES)), JSON)
def test_one_bad_value_in_a_good_document_is_refused_whole(chance: random.Random, table: str, value: Any) -> None:
    changed = list(TABLES[table])
    at = chance.randrange(len(changed))
    changed[at] = {**changed[at], chance.choice(sorted(changed[at])): value} if isinstance(changed[at], dict) else value
    try:
        compiled({**TABLES, table: changed})
    except BadInput as error:
        assert "table " in str(error)


def test_a_bundle_for_another_layout_is_refused(tmp_path: Path) -> None:
    bundle.write(compiled(TABLES), tmp_path / "b")
    found = bundle.read(tmp_path / "b")
    found.check("small", source().tables, Place("b"))
    for other in (
        with_maps(policies={"fields": {**MAPS["policies"]["fields"], "timeout": {"type": "integer", "default": 1}}}),
        with_maps(ports={"order": "host"}),
        small(CODE.replace("__u32 burst;", "__u32 pad; __u32 burst;"), maps=MAPS),
    ):
        with pytest.raises(BadInput, match=r"b: layout: is .* it was compiled for another object or manifest"):
            found.check("small", other.tables, Place("b"))


def test_words_for_people_are_no_part_of_the_layout() -> None:
    fields = {**MAPS["policies"]["fields"], "note": {"type": "text", "default": "-", "description": "for people"}}
    assert layout_of(with_maps(policies={"fields": fields}).tables) == layout_of(source().tables)


def test_a_bundle_for_larger_maps_is_refused(tmp_path: Path) -> None:
    found = compiled({"marks": [{"key": 1, "value": 1}, {"key": 2, "value": 1}], "groups": TABLES["groups"]})
    tables = source().tables
    with pytest.raises(BadInput, match="table marks: has 2 rows, but its map holds 1"):
        found.check("small", {**tables, "marks": replace(tables["marks"], max_entries=1)}, Place("b"))
    with pytest.raises(BadInput, match="table groups: has a row 3, but its map ends with 2"):
        found.check("small", {**tables, "groups": replace(tables["groups"], max_entries=3)}, Place("b"))


def test_a_size_that_waits_for_the_node_bounds_nothing_before() -> None:
    pipeline = with_maps(marks={"max_entries": "{{ node.cpus }}"})
    assert compiled({"marks": [{"key": n, "value": 1} for n in range(99)]}, of=pipeline).tables["marks"].count == 99


def test_a_default_names_no_row_of_another_table() -> None:
    pipeline = with_maps(customers={"fields": {"policy": {"references": "policies", "default": 0}}})
    rows_of_customers = [{"prefix": "192.0.2.0/24", "id": 1}, {"prefix": "192.0.3.0/24", "id": 1, "policy": 9}]
    assert compiled({"customers": rows_of_customers[:1]}, of=pipeline).rows == 1
    assert "row 2, policy: 9 is not in table policies" in refused({"customers": rows_of_customers}, of=pipeline)


def test_every_element_of_an_array_must_be_there() -> None:
    pipeline = with_maps(policies={"fields": {**MAPS["policies"]["fields"], "ports": {"references": "marks.value"}}})
    tables = {"policies": [{"policy": 1, "ports": [80, 443]}], "marks": [{"key": 1, "value": 80}]}
    assert "row 1, ports: 443 is not in table marks.value" in refused(tables, of=pipeline)
    tables["marks"].append({"key": 2, "value": 443})
    assert compiled(tables, of=pipeline).rows == 3


def test_a_row_of_a_set_can_be_named() -> None:
    pipeline = with_maps(flows={"fields": {"source": {"references": "peers"}}})
    flow = {"source": "2001:db8::2", "port": 1, "protocol": 6, "value": 1}
    assert "source: '2001:db8::2' is not in table peers" in refused({"flows": [flow]}, of=pipeline)
    assert compiled({"flows": [flow], "peers": ["2001:DB8::2"]}, of=pipeline).rows == 2
