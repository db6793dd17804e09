# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delivery and the kernel's rows are told as: bounded text, plain data, and a document again."""

from __future__ import annotations

import io
import json
from typing import Any, Dict, List

import pytest
import yaml

from tests.probes import requires
from wirespeed import config_show, progress
from wirespeed.config import written
from wirespeed.config.difference import Difference, compare
from wirespeed.config.history import Delivery
from wirespeed.config.spelled import spelled
from wirespeed.config_engine import Delivered, Shown, Told

from .config_cases import TABLES, compiled, source

pytestmark = requires("clang")


def differing(table: str, live: List[Any], wanted: List[Any]) -> Dict[str, Difference]:
    now, then = compiled({table: live}).tables[table], compiled({table: wanted}).tables[table]
    return {table: compare(now, then, by_key=source().tables[table].counts)}


def told(changed: bool = True, **more: Any) -> Delivered:
    found = {"version": 2, "before": 1, "digest": "d" * 64, "strategy": "entry", "why": "it was asked for"}
    return Delivered(changed, **{**found, "operations": 1, "tables": {}, "codecs": source().tables, **more})


def test_rows_are_marked_by_what_becomes_of_them() -> None:
    found = differing(
        "marks", [{"key": 1, "value": 1}, {"key": 2, "value": 2}], [{"key": 1, "value": 9}, {"key": 3, "value": 3}]
    )
    (each,) = spelled(found, source().tables)
    assert list(each.lines()) == [
        "marks: 1 added, 1 changed, 1 removed",
        '  - {"key":2,"value":2}',
        '  ~ {"key":1,"value":1} -> {"key":1,"value":9}',
        '  + {"key":3,"value":3}',
    ]


def test_more_rows_than_are_shown_are_counted() -> None:
    (each,) = spelled(differing("ports", [], list(range(1, 31))), source().tables, 3)
    assert list(each.lines()) == ["ports: 30 added", "  + 1", "  + 2", "  + 3", "  + and 27 more"]
    assert each.halves() == ([], ["ports: 1", "ports: 2", "ports: 3", "ports: and 27 more"])
    assert each.to_json()["added"] == 30 and each.to_json()["rows"]["added"] == ["1", "2", "3"]


def test_a_modules_diff_has_both_versions() -> None:
    done = config_show.answered("small", told(differences=differing("ports", [1, 2], [2, 3])))
    assert done["diff"]["before"] == "version: 1\nports: 1\n"
    assert done["diff"]["after"] == "version: 2\nports: 3\n"
    assert "diff" not in config_show.answered("small", told(False))


def test_a_delivery_says_versions_strategy_and_reason() -> None:
    text = config_show.delivery(told(differences=differing("ports", [], [3])), check=True)
    assert text.splitlines()[:3] == [
        "ports: 1 added",
        "  + 3",
        "Version 2 would be live after version 1 (entry, 1 operation(s): it was asked for).",
    ]


def test_drift_is_what_others_did_not_what_would_undo_it() -> None:
    drift = differing("ports", [1, 9], [1])  # 9 is in the kernel and was not delivered
    shown = Shown("small", 1, "0123456789ab", 1, "d" * 64, compiled({}).tables, source().tables, drift)
    assert config_show.standing(shown)["drift"]["ports"]["rows"] == {"added": ["9"], "changed": [], "removed": []}
    assert config_show.summary(shown).endswith("puts it back:\nports: 1 added\n  + 9")


def test_a_history_is_newest_first_and_marks_what_is_live() -> None:
    deliveries = [Delivery(n, f"{n}" * 64, "entry", 1, 2, 0.0, "root", "it was asked for") for n in (1, 2)]
    lines = config_show.history(Told(2, deliveries, ["2" * 64])).splitlines()
    assert [line[:6] for line in lines[::2]] == ["*    2", "     1"]
    assert [line.endswith(", kept") for line in lines[::2]] == [True, False]


def test_rows_written_as_a_document_say_the_same() -> None:
    whole = compiled(TABLES)
    text = "".join(written.inline("small", 1, whole.tables, source().tables))
    assert compiled(yaml.safe_load(text)["tables"]).digest == whole.digest


@pytest.mark.parametrize(
    "note", ["yes", "0x1f", "1e3", "a: b", 'q"q', "\x7f\u0085\u2028", "\ufeffx", "-", "\U0001f600", "1:2"]
)
def test_a_text_that_yaml_would_read_otherwise_survives(note: str) -> None:
    whole = compiled({"policies": [{"policy": 1, "note": note}]})
    text = "".join(written.inline("small", 1, whole.tables, source().tables))
    assert yaml.safe_load(text)["tables"]["policies"][0]["note"] == note


def test_json_is_one_object_with_all_rows() -> None:
    whole = compiled({"ports": [53, 80]})
    found = json.loads("".join(written.as_json({"version": 3}, whole.tables, source().tables)))
    assert (found["version"], found["tables"]["ports"], found["tables"]["peers"]) == (3, ["53", "80"], [])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_goes_away() -> None:
    stream = Terminal()
    with progress.shown_on(stream) as show:
        for done in range(1000):
            show(done, 1000, "writing hosts")
    lines = stream.getvalue().split("\r\x1b[K")
    assert lines[1] == "writing hosts: 0 % of 1000" and lines[-1] == "" and len(lines) == 102


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with progress.shown_on(stream) as show:
        show(1, 2, "writing hosts")
    assert stream.getvalue() == ""
