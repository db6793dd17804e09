# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows in files: what each format takes, and mistakes with file, line, row and field."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.probes import requires
from tests.unit.config_cases import compiled, from_file, rows
from wirespeed.config import csv_file, files
from wirespeed.config.csv_file import Csv
from wirespeed.config.mistakes import Mistakes
from wirespeed.errors import BadInput

pytestmark = requires("clang")
SHARED = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
ALL = {"policies": [{"policy": 1}, {"policy": 2}]}


def refused(folder: Path, table: str, name: str, text: Any) -> str:
    with pytest.raises(BadInput) as error:
        from_file(folder, table, name, text)
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "192.0.2.0/24\n\n# all of it\n198.51.100.7 # one\n"),
        ("a.list", "198.51.100.7/32\n192.0.2.0/24"),
        ("a.txt", "198.51.100.7/32\r\n192.0.2.0/24\r\n"),
        ("a.csv", "prefix\n192.0.2.0/24\n198.51.100.7\n"),
        ("a.csv", 'prefix\n"192.0.2.0/24"\n198.51.100.7\n'),
        ("a.jsonl", '"192.0.2.0/24"\n{"prefix": "198.51.100.7"}\n'),
    ],
)
def test_a_set_comes_from_each_format(tmp_path: Path, name: str, text: str) -> None:
    assert rows(from_file(tmp_path, "deny_v4", name, text), "deny_v4") == ["192.0.2.0/24", "198.51.100.7/32"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", 'key,ports\n0x10,"80,443"\n5,\n'),
        ("p.csv", "key,ports\r\n16,80 443\r\n\r\n5,\r\n"),
        ("p.csv", "\ufeffports,key\n80 443,16\n,5\n"),
        ("p.jsonl", '{"key": 16, "ports": [80, 443]}\n\n{"key": 5}\n'),
    ],
)
def test_records_come_from_csv_and_json_lines(tmp_path: Path, name: str, text: str) -> None:
    found = from_file(tmp_path, "policies", name, text.replace("key", "policy"))
    assert [(row["policy"], row["ports"]) for row in rows(found, "policies")] == [(5, []), (16, [80, 443])]


def test_a_nested_member_is_a_column_with_a_dot(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"limit\.tokens: is no column of this table\. .*Allowed: action"):
        from_file(tmp_path, "policies", "p.csv", "policy,limit.tokens\n1,2\n")


@pytest.mark.parametrize(
    ("table", "name", "text", "said"),
    [
        ("deny_v4", "a.txt", "192.0.2.0/24\n#\nx\n", "a.txt:3: table deny_v4, row 2: 'x' is no IPv4 prefix"),
        ("deny_v4", "a.txt", "192.0.2.1/24\n", "a.txt:1: table deny_v4, row 1: '192.0.2.1/24' has host bits set"),
        ("deny_v4", "a.txt", "10.0.0.0/33\n", "a.txt:1: table deny_v4, row 1: '10.0.0.0/33' is no IPv4 prefix"),
        ("deny_v4", "a.txt", "010.0.0.0/8\n", "a.txt:1: table deny_v4, row 1: '010.0.0.0/8' is no IPv4 prefix"),
        ("deny_v4", "a.txt", b"\xff\n", r"a.txt:1: table deny_v4, row 1: '\udcff' is no IPv4 prefix"),
        (
            "deny_v4",
            "a.txt",
            "10.0.0.0/8\n\n11.0.0.0/8\n10.0.0.0/8\n",
            "a.txt:4: table deny_v4, row 3: 10.0.0.0/8 is also the key of row 1 (",
        ),
        (
            "deny_v6",
            "a.txt",
            "2001:db8::/32\n2001:db8:1::/48\n",
            "a.txt:2: table deny_v6, row 2: 2001:db8:1::/48",
        ),
        ("policies", "a.txt", "1\n", "a.txt: table policies: is a plain list, but its rows have the columns"),
        ("policies", "a.csv", "", "a.csv: is empty"),
        ("policies", "a.csv", "policy,policy\n1,1\n", "a.csv:1: names column 'policy' twice"),
        ("policies", "a.csv", "policy,burst\n1,2\n3\n", "a.csv:3: has 1 cells, but there are 2 columns: '3'"),
        ("policies", "a.csv", "policy\n1,2\n", "a.csv:2: has 2 cells"),
        ("policies", "a.csv", 'policy\n"1\n', "a.csv:2: is no CSV"),
        (
            "policies",
            "a.csv",
            "policy,burst\n1,5\n2,1001\n",
            "a.csv:3: table policies, row 2, burst: '1001' is not",
        ),
        ("policies", "a.csv", "burst\n1\n", "a.csv:2: table policies, row 1, policy: is missing, and has no default"),
        ("policies", "a.csv", "policy,brust\n1,1\n", "row 1, brust: is no column of this table. Did you mean 'burst'?"),
        ("policies", "a.csv", 'policy,note\n"1","a\nb"\n"x",""\n', "a.csv:4: table policies, row 2, policy: 'x' is no"),
        ("policies", "a.jsonl", '{"policy": 1}\n{"policy": 2,}\n', "a.jsonl:2: is no JSON: "),
        ("policies", "a.jsonl", '{"policy": 1, "policy": 1}\n', "a.jsonl:1: is no JSON: a name is given twice"),
        ("policies", "a.jsonl", '{"policy": NaN}\n', "a.jsonl:1: is no JSON: NaN is no number"),
        ("policies", "a.jsonl", "[" * 100_000 + "\n", "a.jsonl:1: is no JSON: it is nested too deep"),
        ("policies", "a.jsonl", "7\n", "a.jsonl:1: table policies, row 1: is no mapping of columns"),
        ("deny_v4", "a.csv", "address\n10.0.0.0/8\n", "is no mapping of prefix alone"),
        ("deny_v4", "a.rows", "", "test: tables.deny_v4.format: 'a.rows' does not tell its format. Say one of csv"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, table: str, name: str, text: Any, said: str) -> None:
    assert said in refused(tmp_path, table, name, text)


def test_twenty_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Mistakes) as error:
        from_file(tmp_path, "policies", "a.csv", "policy\n" + "x\n" * 30)
    said = str(error.value).splitlines()
    assert len(said) == 21
    assert (":2: table policies, row 1," in said[0], ":21: " in said[19]) == (True, True)
    assert said[20] == "There are more; the first 20 are told."


def test_more_rows_than_the_map_holds_are_refused_before_all_are_read(tmp_path: Path) -> None:
    lines = "".join(f"10.0.{number}.0/24\n" for number in range(65)) + "nonsense\n"
    said = refused(tmp_path, "deny_v4", "a.csv", "prefix\n" + lines)
    assert "nonsense" in said
    said = refused(tmp_path, "deny_v4", "a.txt", lines.replace("nonsense", "11.0.0.0/8"))
    assert "a.txt: table deny_v4: has more than the 64 rows that its map holds. Raise maps.deny_v4.max_entries" in said


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in ("none.txt", "."):
        with pytest.raises(BadInput, match=r"cannot be read|is no file"):
            compiled({"deny_v4": {"file": name, "format": "plain"}}, relative_to=tmp_path)


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 64)
    assert "has a line of more than 64 characters" in refused(tmp_path, "deny_v4", "a.txt", "#\n" + "1" * 80)


CELLS = st.text(st.sampled_from('a,"\n #'), max_size=4)


@SHARED
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_csv_is_read_as_python_reads_it(tmp_path: Path, cells: Any, ending: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending).writerows([["one", "two"], *cells])
    path = tmp_path / "some.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    found = [tuple(row.values()) for chunk in Csv(path).chunks() for row in chunk]
    assert found == [tuple(row) for row in cells]
    places = Csv(path).places(set(range(len(cells))))
    assert sorted(places) == list(range(len(cells)))


@SHARED
@given(st.text(st.sampled_from('1a,"\n\r\0é'), max_size=30))
def test_a_text_that_pretends_to_be_csv_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        widths = {len(row) for chunk in Csv(path).chunks() for row in chunk}
    except BadInput as refused:
        assert str(refused).startswith(str(path))
    else:
        assert len(widths) <= 1


@SHARED
@given(st.binary(max_size=60), st.sampled_from(["a.csv", "a.jsonl", "a.txt"]), st.sampled_from(["deny_v4", "policies"]))
def test_random_bytes_are_rows_or_refused(tmp_path: Path, data: bytes, name: str, table: str) -> None:
    try:
        from_file(tmp_path, table, name, data)
    except BadInput as refused:
        assert str(tmp_path / name) in str(refused)


def test_the_quick_way_through_a_csv_is_taken_only_where_it_is_the_same() -> None:
    assert csv_file._columns("1,2\n3,4\n", 2) == (["1", "3"], ["2", "4"])
    assert csv_file._columns("1,2\n3,4", 2) == (["1", "3"], ["2", "4"])
    for block in ("1\n2,3,4\n", "1,2\n\n", '1,"2"\n', "1,2\r3,4\n", "1,2,\n"):
        assert csv_file._columns(block, 2) is None
