# SPDX-License-Identifier: GPL-3.0-or-later
"""The counters block of a profile: what it may say, and what an error names."""

from __future__ import annotations

import pytest

from tests.unit import counter_cases as cases
from wirespeed.counters.table import Counter, Source, parse, raw_name
from wirespeed.errors import BadInput, Place

WAY = {"raw": ["rx_packets"], "meaning": "frames", "ref": "here"}


def broken(data: object) -> str:
    with pytest.raises(BadInput) as caught:
        parse(data, Place("site.yml", 7))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("driver", cases.DRIVERS)
def test_each_shipped_table_has_every_word_of_the_vocabulary(driver: str) -> None:
    entries = cases.table(driver).entries
    silent = [entry.counter.value for entry in entries.values() if not entry.alternatives and not entry.absent]
    unsaid = [entry.counter.value for entry in entries.values() if entry.absent.startswith("no profile says")]
    assert (list(entries), silent, unsaid) == (list(Counter), [], [])


@pytest.mark.parametrize("driver", cases.DRIVERS)
def test_each_shipped_counter_says_what_it_means_and_where_that_stands(driver: str) -> None:
    ways = [way for entry in cases.table(driver).entries.values() for way in entry.alternatives]
    assert all(len(way.meaning) > 8 and way.ref for way in ways)


@pytest.mark.parametrize("driver", cases.DRIVERS)
def test_the_page_on_counters_names_each_raw_counter(driver: str) -> None:
    page = (cases.PROFILES.parents[3] / "docs/counters.md").read_text()
    section = page.partition(f"### {driver}\n")[2].partition("\n### ")[0]
    ways = [way for entry in cases.table(driver).entries.values() for way in entry.alternatives]
    names = {name.name for way in ways for name in (*way.plus, *way.minus)}
    assert {name for name in names if f"{name}`" not in section} == set()


def test_an_unknown_counter_is_answered_with_the_nearest_word() -> None:
    assert "Did you mean 'host_drop'" in broken({"host_drops": [WAY]})


def test_an_unknown_key_names_its_place() -> None:
    assert "site.yml:7: counters.nic_drop[0].meening" in broken({"nic_drop": [{**WAY, "meening": "x"}]})


@pytest.mark.parametrize("key", ["raw", "meaning", "ref"])
def test_a_counter_without_its_explanation_is_refused(key: str) -> None:
    assert f"has no '{key}'" in broken({"nic_drop": [{k: v for k, v in WAY.items() if k != key}]})


def test_absent_stands_alone_and_last() -> None:
    assert "comes last" in broken({"nic_drop": [{"absent": "because"}, WAY]})


@pytest.mark.parametrize("text", ["6.12", ">6.1", ">=6", "<6.x", 6.12])
def test_a_kernel_range_of_another_form_is_refused(text: object) -> None:
    assert "is no kernel range" in broken({"nic_drop": [{**WAY, "kernel": text}]})


def test_a_flag_that_is_neither_true_false_nor_null_is_refused() -> None:
    assert "includes_xdp_drop" in broken({"nic_drop": [{**WAY, "includes_xdp_drop": "yes"}]})


def test_a_kernel_range_has_a_lower_and_an_upper_end() -> None:
    way = parse({"nic_drop": [{**WAY, "kernel": ">=6.6 <7.0"}]}, Place("x")).entries[Counter.NIC_DROP].alternatives[0]
    assert [way.kernel.holds(version) for version in ((6, 5), (6, 6), (6, 19), (7, 0))] == [False, True, True, False]


def test_a_queue_pattern_matches_its_own_queues_only() -> None:
    pattern = raw_name("rx{q}_drops", Source.ETHTOOL_S).pattern
    assert pattern is not None
    names = ("rx0_drops", "rx12_drops", "rx_drops", "tx0_drops", "rx0_drops2")
    assert [name for name in names if pattern.match(name)] == ["rx0_drops", "rx12_drops"]


def test_one_name_may_come_from_another_source() -> None:
    assert raw_name("qstats:rx-packets", Source.ETHTOOL_S).source is Source.QSTATS


def test_a_colon_in_a_driver_s_own_name_is_no_source() -> None:
    assert raw_name("[{q}]: rx_bytes", Source.ETHTOOL_S).source is Source.ETHTOOL_S
