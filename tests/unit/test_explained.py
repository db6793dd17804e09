# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded ``ethtool -S`` texts, as people hand them on, in the unified vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_counters_dumps import DUMPS, EXPECTED
from wirespeed import cli
from wirespeed.counters import recorded

IGB = """NIC statistics:
     rx_packets: 1000
     rx_bytes: 64000
     rx_crc_errors: 3
     rx_no_buffer_count: 9
     rx_missed_errors: 5
     rx_long_length_errors: 0
     rx_short_length_errors: 0
     rx_errors: 3
     rx_queue_0_packets: 400
     rx_queue_0_drops: 2
     rx_queue_1_packets: 590
     rx_queue_1_drops: 1
"""
VMXNET3 = """NIC statistics:
     Tx Queue#: 0
       ucast pkts tx: 7
     Rx Queue#: 0
       ucast pkts rx: 10
       mcast pkts rx: 1
       bcast pkts rx: 0
       pkts rx OOB: 2
     Rx Queue#: 1
       ucast pkts rx: 20
       mcast pkts rx: 0
       bcast pkts rx: 0
       pkts rx OOB: 0
"""
Said = Dict[str, Any]


@pytest.fixture
def explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """``wirespeed counters explain`` of a text, with these options."""

    def run(text: str, *options: str, before: str = "") -> Said:
        (tmp_path / "after").write_text(text)
        (tmp_path / "before").write_text(before)
        more = ["--before", str(tmp_path / "before")] if before else []
        words = ["counters", "explain", str(tmp_path / "after"), "--kernel", "6.12", *options, *more]
        code = cli.main([*words, "--json"])
        told = capsys.readouterr()
        return dict(json.loads(told.out)) if code == 0 else {"error": told.err}

    return run


def value(said: Said, counter: str) -> Any:
    return said["counters"][counter]["value"]


def test_a_value_has_its_raw_names_scope_and_confidence(explain: Callable[..., Said]) -> None:
    said = explain(IGB, "--driver", "igb")["counters"]["wire_packets"]
    assert said["value"] == 1005 and said["raw"] == ["ethtool_s:rx_packets", "ethtool_s:rx_missed_errors"]
    assert (said["scope"], said["confidence"], said["includes_xdp_drop"]) == ("port", "source", True)


def test_queues_are_summed_and_told_apart(explain: Callable[..., Said]) -> None:
    said = explain(IGB, "--driver", "igb")["counters"]["driver_packets"]
    assert said["value"] == 990 and said["queues"] == {"0": 400, "1": 590}


def test_what_the_driver_does_not_count_is_null_with_the_reason(explain: Callable[..., Said]) -> None:
    said = explain(IGB, "--driver", "igb")["counters"]["xdp_drop"]
    assert said["value"] is None and "igb counts no XDP actions" in said["why"]


def test_blocks_whose_queue_is_a_value_are_understood(explain: Callable[..., Said]) -> None:
    said = explain(VMXNET3, "--driver", "vmxnet3")
    assert value(said, "driver_packets") == 31 and said["counters"]["driver_packets"]["queues"] == {"0": 11, "1": 20}
    assert value(said, "wire_packets") == 33


@pytest.mark.parametrize(
    "text",
    [
        IGB.partition("\n")[2],
        "\n".join(line.strip() for line in IGB.splitlines()),
        IGB.replace("     ", "\t"),
        IGB.replace("\n", "\r\n"),
        f"# source: a mail\n\n{IGB}\n",
    ],
    ids=["no header", "no margin", "tabs", "CRLF", "comments"],
)
def test_how_a_text_was_handed_on_changes_nothing(explain: Callable[..., Said], text: str) -> None:
    assert explain(text, "--driver", "igb")["counters"] == explain(IGB, "--driver", "igb")["counters"]


def test_lines_that_are_no_counter_are_told_and_cost_nothing_else(explain: Callable[..., Said]) -> None:
    said = explain(IGB + "     tx_errors: 0.1.1\n     ...\n     rx_huge: 99999999999999999999\n", "--driver", "igb")
    assert value(said, "wire_packets") == 1005
    assert [note.partition(":")[0] for note in said["notes"]] == [f"line {n} is no counter" for n in (14, 15, 16)]


def test_names_of_another_driver_are_noticed(explain: Callable[..., Said]) -> None:
    (note,) = explain(VMXNET3, "--driver", "ixgbe")["notes"]
    assert note == "these are not names of ixgbe, but of vmxnet3: say --driver vmxnet3"


def test_without_a_driver_the_likely_ones_are_named(explain: Callable[..., Said]) -> None:
    assert "--driver: is not given. These names are most like those of vmxnet3" in explain(VMXNET3)["error"]


def test_counters_that_the_profile_does_not_speak_of_are_listed_once(explain: Callable[..., Said]) -> None:
    said = explain(IGB + "     tx_queue_0_packets: 5\n     tx_queue_1_packets: 6\n     os2bmc: 0\n", "--driver", "igb")
    assert said["unread"] == ["rx_no_buffer_count", "tx_queue_{n}_packets"]


def test_growth_since_an_earlier_recording(explain: Callable[..., Said]) -> None:
    later = IGB.replace("rx_packets: 1000", "rx_packets: 1500").replace("_0_drops: 2", "_0_drops: 12")
    grown = explain(later, "--driver", "igb", before=IGB)["grown"]
    assert (grown["wire_packets"], grown["host_drop"], grown["error"], grown["xdp_drop"]) == (500, 10, 0, None)


def test_a_counter_that_went_back_is_told_and_not_subtracted(explain: Callable[..., Said]) -> None:
    said = explain(IGB.replace("rx_queue_1_packets: 590", "rx_queue_1_packets: 3"), "--driver", "igb", before=IGB)
    assert said["grown"]["driver_packets"] is None
    assert any("went back from 590 to 3" in note for note in said["notes"])


@pytest.mark.parametrize("text", ["", "NIC statistics:\n", "no counters here\n"])
def test_a_text_without_counters_is_refused(explain: Callable[..., Said], text: str) -> None:
    assert "has no counters" in explain(text, "--driver", "igb")["error"]


@given(st.text(max_size=300))
def test_no_text_gives_a_traceback(text: str) -> None:
    found = recorded.parse(text)
    assert all(0 <= number < 2**64 for dummy, number in found.ethtool)


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z\[\]:. ]*[a-z\]]", fullmatch=True), st.integers(0, 2**64 - 1)), min_size=1)
)
def test_what_ethtool_prints_is_read_back(stats: List[Any]) -> None:
    text = "".join(f"     {name.strip()}: {number}\n" for name, number in stats)
    assert recorded.parse(text).ethtool == tuple((name.strip(), number) for name, number in stats)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_recording_reads_as_by_hand(explain: Callable[..., Said], name: str) -> None:
    dump = DUMPS / f"{name}.txt"
    if not dump.exists():
        pytest.skip(f"no dump {dump}: the collection of recorded ethtool texts is not here")
    said = explain(dump.read_text(), "--driver", name.split("__")[0], "--kernel", "6.1")
    assert {counter: value(said, counter.value) for counter in EXPECTED[name]} == EXPECTED[name]
    assert not any(note.startswith("these are not") for note in said["notes"])


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("*__S__*.txt")) or [DUMPS / "none"], ids=lambda path: path.stem)
def test_each_real_recording_is_known_by_its_driver(explain: Callable[..., Said], dump: Path) -> None:
    if not dump.exists():
        pytest.skip(f"no dumps in {DUMPS}: the collection of recorded ethtool texts is not here")
    said = explain(dump.read_text(), "--driver", dump.name.split("__")[0])
    if "error" in said:
        assert "has no profile" in said["error"]
    else:
        assert not any(note.startswith("these are not") for note in said["notes"]), said["notes"]
