# SPDX-License-Identifier: GPL-3.0-or-later
"""What was foretold is kept over the reboot, and the node is held against it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wirespeed import upgrade_engine
from wirespeed.errors import BadInput
from wirespeed.pipeline.pins import Paths
from wirespeed.upgrade import expectation, text
from wirespeed.upgrade.expectation import Difference, Expectation, NicExpectation

NIC = NicExpectation(
    driver="virtio_net",
    mode="native",
    settings=("rings", "rss"),
    tuning={"rings.rx": 256},
    costs={"swap": "pause/pause"},
    flags=("stays",),
    may=("new",),
    counters={"xdp_drop": ("rx{q}_xdp_drops",), "wire_packets": ("rx{q}_hw_packets", ""), "error_crc": ()},
)
FORETOLD = Expectation("6.1.0-1", "6.12.0-1", {"eth1": NIC}, ({"subject": "eth1"},))
REAL = replace(NIC, may=None, counters={"xdp_drop": ("rx{q}_xdp_drops",), "wire_packets": (), "error_crc": ()})


def differences(**changes: Any) -> "list[Difference]":
    return expectation.differences(FORETOLD, {"eth1": replace(REAL, **changes)})


def test_a_record_reads_back_as_it_was() -> None:
    assert Expectation.from_json(json.loads(json.dumps(FORETOLD.to_json()))) == FORETOLD


def test_what_came_as_foretold_differs_in_nothing() -> None:
    assert differences() == []


@pytest.mark.parametrize(
    ("changes", "key", "foretold", "real"),
    [
        ({"mode": "generic"}, "xdp", "native", "generic"),
        ({"driver": "other"}, "driver", "virtio_net", "other"),
        ({"tuning": {"rings.rx": 512}}, "tuning rings.rx", 256, 512),
        ({"tuning": {"rings.rx": 256, "rss.key": "host"}}, "tuning rss.key", None, "host"),
        ({"costs": {"swap": "bounce/bounce"}}, "cost swap", "pause/pause", "bounce/bounce"),
        ({"flags": ()}, "private flag stays", "stays", "gone"),
        ({"flags": ("stays", "odd")}, "private flag odd", None, "new"),
        ({"counters": {**REAL.counters, "xdp_drop": ()}}, "counter xdp_drop", "rx{q}_xdp_drops", None),
        ({"counters": {**REAL.counters, "error_crc": ("crc",)}}, "counter error_crc", None, "crc"),
    ],
)
def test_what_came_otherwise_is_told(changes: Any, key: str, foretold: Any, real: Any) -> None:
    assert differences(**changes) == [Difference("eth1", key, foretold, real)]


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": ("stays", "new")},
        {"counters": {**REAL.counters, "wire_packets": ("rx{q}_hw_packets",)}},
        {"costs": {"swap": "pause/pause", "queue_coalesce": "none/none"}},
    ],
)
def test_what_could_come_or_not_is_no_difference(changes: Any) -> None:
    assert differences(**changes) == []


def test_a_value_of_a_setting_that_the_nic_did_not_tell_is_told_apart() -> None:
    found = {"eth1": replace(REAL, tuning={**REAL.tuning, "irq_affinity.cpus": "spread"})}
    assert expectation.differences(FORETOLD, found) == []
    assert expectation.untold(FORETOLD, found) == [Difference("eth1", "tuning irq_affinity.cpus", None, "spread")]


def test_an_interface_that_did_not_come_is_told() -> None:
    (found,) = expectation.differences(FORETOLD, {"enp1s0": REAL})
    assert (found.nic, found.key) == ("eth1", "interface")


def test_a_record_of_the_same_is_written_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "bpf", tmp_path / "run", tmp_path / "state")
    written = [upgrade_engine._keep(paths, FORETOLD, how) for how in ("leave", "pretend", "keep", "keep", "pretend")]
    assert written == [False, True, True, False, False]
    assert upgrade_engine.read_record(paths) == FORETOLD
    assert upgrade_engine.record_path(paths).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}', '{"format": 1, "kernel": "6.1"}'])
def test_a_damaged_record_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    paths = Paths(state=tmp_path)
    upgrade_engine.record_path(paths).write_text(content)
    with pytest.raises(BadInput, match=r"upgrade\.json: is damaged.*Remove it"):
        upgrade_engine.read_record(paths)


@pytest.mark.parametrize(("severity", "code"), [("breaks", 1), ("changes", 2), ("informs", 0), (None, 0)])
def test_the_exit_code_goes_by_the_worst(severity: Any, code: int) -> None:
    assert upgrade_engine.exit_code(severity) == code


def test_the_report_groups_by_nic_and_wraps() -> None:
    change = {"subject": "eth1", "aspect": "cost", "key": "swap", "severity": "changes", "before": "bounce",
              "after": "none", "why": "a pointer is exchanged " * 8}  # fmt: skip
    data = {"kernel": "6.12", "target": "7.2", "phase": "before", "severity": "changes", "changes": [change],
            "steps": [], "refusals": [], "notes": []}  # fmt: skip
    lines = "\n".join(text.foretold(data)).splitlines()
    assert lines[:4] == ["6.12 -> 7.2: something changes.", "", "eth1", "  changes  cost swap: bounce -> none"]
    assert all(len(line) <= 116 for line in lines) and lines[5].startswith("           ")


def test_the_report_says_what_a_run_would_be_refused_for() -> None:
    data = {"kernel": "6.12", "target": "6.1", "phase": "before", "severity": "breaks", "changes": [], "notes": [],
            "steps": [{"text": "eth1: attach"}], "refusals": [{"text": "eth1: xdp: no native XDP"}]}  # fmt: skip
    assert "  eth1: xdp: no native XDP" in text.foretold(data) and "eth1: attach" not in str(text.foretold(data))


def test_the_comparison_says_in_a_line_that_all_came() -> None:
    data = {"kernel": "6.12", "foretold": "6.1", "differences": [], "untold": [], "left": []}
    assert text.compared(data) == ["6.1 -> 6.12: all is as foretold."]
