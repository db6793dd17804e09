# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle is read whole or refused: cut short, damaged, random, or made for another layout."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wirespeed.config import bundle
from wirespeed.config.compiled import Compiled
from wirespeed.config.packed import Packed
from wirespeed.errors import BadInput, Place, WirespeedError

COMPILED = Compiled("p", 2, "ab" * 32, {"b": Packed(4, 1, b"abcdefgh", b"xy"), "a": Packed(8, 4)})
SHARED = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    bundle.write(COMPILED, tmp_path / "p.bundle")
    return tmp_path / "p.bundle"


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BadInput) as error:
        bundle.read(path)
    return str(error.value)


def made(header: Any, body: bytes = b"") -> bytes:
    """With a header that is intact, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<8sII32s", b"WSCONFIG", 1, len(text), hashlib.sha256(text).digest()) + text + body


def header(**said: Any) -> Dict[str, Any]:
    tables = [["a", 8, 4, 0], ["b", 4, 1, 2]]
    return {"pipeline": "p", "schema": 2, "layout": "ab", "digest": COMPILED.digest, "tables": tables, **said}


BODY = b"abcdefghxy"


def test_what_was_written_is_read(path: Path) -> None:
    found = bundle.read(path)
    assert (found.pipeline, found.schema, found.layout, found.digest) == ("p", 2, "ab" * 32, COMPILED.digest)
    assert {name: list(packed.items()) for name, packed in found.tables.items()} == {
        "a": [],
        "b": [(b"abcd", b"x"), (b"efgh", b"y")],
    }


def test_it_is_readable_by_its_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(WirespeedError, match="Cannot write"):
        bundle.write(COMPILED, tmp_path / "taken")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_a_truncated_bundle_is_refused_wherever_it_ends(path: Path) -> None:
    data = path.read_bytes()
    for end in range(len(data)):
        refused(path, data[:end])


def test_a_byte_that_was_flipped_is_found_wherever_it_is(path: Path) -> None:
    data = path.read_bytes()
    for at in range(len(data)):
        refused(path, data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])


@SHARED
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_are_refused(tmp_path: Path, data: bytes, magic: bool) -> None:
    refused(tmp_path / "random", (b"WSCONFIG" if magic else b"") + data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@SHARED
@given(st.sampled_from(["pipeline", "schema", "layout", "digest", "tables"]), JSON)
def test_a_header_that_is_intact_but_wrong_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    path = tmp_path / "odd"
    path.write_bytes(made(header(**{key: value}), BODY))
    try:
        found = bundle.read(path)
    except BadInput:
        return
    assert found.digest == COMPILED.digest


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (made(header(), BODY + b"z"), "1 bytes follow the last table"),
        (made(header(tables=[["b", 4, 1, 1 << 60]]), BODY), "no number from 0 to 10"),
        (made(header(tables=[["b", 4, 1, 2], ["b", 4, 1, 0]]), BODY), "table 'b' stands twice"),
        (made(header(tables=[["b", 0, 1, 2]]), BODY), "0 is no number from 1"),
        (made(header(tables=[["b", 4, 1, 2.0]]), BODY), "2.0 is no number"),
        (made(header(schema=True), BODY), "True is no number"),
        (made(header(digest="0" * 64), BODY), "is not that of the rows"),
        (made([], BODY), "is no mapping"),
        (made(b"[" * 100_000, BODY), "is not JSON"),
        (made({"pipeline": "p"}), "'tables'"),
    ],
)
def test_the_reason_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    told = refused(tmp_path / "odd", data)
    assert said in told
    assert told.startswith(str(tmp_path / "odd"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        bundle.read(tmp_path / "none")


def test_the_digest_is_of_the_rows_and_not_of_their_tables_order() -> None:
    turned = replace(COMPILED, tables=dict(reversed(list(COMPILED.tables.items()))))
    assert turned.digest == COMPILED.digest
    assert replace(COMPILED, tables={**COMPILED.tables, "b": Packed(4, 1, b"abcd", b"x")}).digest != COMPILED.digest


def test_bytes_that_are_no_whole_rows_are_no_packed_rows() -> None:
    with pytest.raises(ValueError, match="are no rows"):
        Packed(4, 1, b"abcde", b"x")


def test_a_bundle_of_another_pipeline_is_refused() -> None:
    with pytest.raises(BadInput, match="place: pipeline: is 'p', not 'q'"):
        COMPILED.check("q", {}, Place("place"))
