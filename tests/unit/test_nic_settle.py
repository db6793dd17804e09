# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted values to the values that a NIC will hold, without a NIC."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from wirespeed.errors import OutOfRange
from wirespeed.kernel.ethtool_netlink import Features
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.nic import channels, features, host, mtu, rfs, rings, rss

TABLE = SettingFacts({"indirection": tuple(bucket % 4 for bucket in range(8))}, {"indirection": 3})
IGB_CHANNELS = SettingFacts({"combined": 2, "other": 1}, {"combined": 8, "other": 1})
VETH_CHANNELS = SettingFacts({"rx": 4, "tx": 4}, {"rx": 4, "tx": 4})
RINGS = SettingFacts({"rx": 256, "tx": 256}, {"rx": 4096, "tx": 4096})
FEATURES = SettingFacts(
    {
        "rx-lro": True,
        "rx-gro": True,
        "rx-gro-hw": False,
        "tx-tcp-segmentation": True,
        "tx-tcp6-segmentation": True,
        "tx-tcp-mangleid-segmentation": False,
    },
    fixed=frozenset({"rx-gro-hw", "tx-tcp-mangleid-segmentation"}),
)


def table(want: Any, planned: Dict[Setting, Dict[str, Any]], facts: SettingFacts = TABLE) -> Any:
    return rss.settle(facts, {"indirection": want}, planned)["indirection"]


def test_equal_spreads_over_the_planned_channels_not_the_present_ones() -> None:
    assert table("equal", {Setting.CHANNELS: {"combined": 3, "other": 1}}) == (0, 1, 2, 0, 1, 2, 0, 1)


def test_receive_and_combined_channels_both_receive() -> None:
    assert table("equal", {Setting.CHANNELS: {"combined": 1, "rx": 1, "tx": 5}}) == (0, 1, 0, 1, 0, 1, 0, 1)


def test_without_channels_the_rings_that_the_driver_states_count() -> None:
    assert table("equal", {}) == (0, 1, 2, 3, 0, 1, 2, 3)


def test_equal_over_the_first_queues() -> None:
    assert table("equal 2", {}) == (0, 1, 0, 1, 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        # What `ethtool -X IF weight ...` (6.1) writes into a table of 8.
        ("1 0 2", (0, 0, 2, 2, 2, 2, 2, 2)),
        ("1 1", (0, 0, 0, 0, 1, 1, 1, 1)),
        ("0 1", (1, 1, 1, 1, 1, 1, 1, 1)),
        ("1 2 3 2", (0, 1, 1, 2, 2, 2, 3, 3)),
        ("1 1 1", (0, 0, 1, 1, 1, 2, 2, 2)),
    ],
)
def test_weights_give_each_queue_its_share(weights: str, expected: Any) -> None:
    assert table(f"weights {weights}", {}) == expected


def test_table_is_taken_as_it_is() -> None:
    assert table([3, 2, 1, 0, 3, 2, 1, 0], {}) == (3, 2, 1, 0, 3, 2, 1, 0)


@pytest.mark.parametrize(
    ("want", "allowed"),
    [
        ("equal 5", "1 to 4 queues"),
        ("equal 0", "1 to 4 queues"),
        ("weights 1 1 1 1 1", "each of the 4 queues"),
        ("weights 0 0", "sum is 1 to 8"),
        ("weights 5 5", "sum is 1 to 8"),
        ("weights", "'equal N'"),
        ("weights 1 x", "'equal N'"),
        ("weights -1 2", "'equal N'"),
        ("even", "'equal N'"),
        ("", "'equal N'"),
        (4, "'equal N'"),
        ((0, 1, 2), "table of 8"),
        ((0, 1, 2, 3, 4, 0, 0, 0), "0 to 3"),
        ((0, 1, 2, True, 0, 0, 0, 0), "0 to 3"),
    ],
)
def test_impossible_table_says_what_is_allowed(want: Any, allowed: str) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        table(want, {})


def test_table_beyond_the_planned_channels_is_refused_before_the_kernel_does() -> None:
    with pytest.raises(OutOfRange, match="0 to 1"):
        table((0, 1, 2, 3, 0, 1, 2, 3), {Setting.CHANNELS: {"combined": 2}})


def test_channel_count_is_taken_as_asked() -> None:
    assert channels.settle(IGB_CHANNELS, {"combined": 8}, {}) == {"combined": 8}


@pytest.mark.parametrize(
    ("want", "allowed"),
    [
        ({"combined": 9}, "0 to 8"),
        ({"combined": -1}, "0 to 8"),
        ({"combined": True}, "0 to 8"),
        ({"combined": "4"}, "0 to 8"),
        ({"rx": 2}, "only combined, other"),
        ({"combined": 0}, "at least one rx or combined"),
    ],
)
def test_impossible_channels_say_what_is_allowed(want: Dict[str, Any], allowed: str) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        channels.settle(IGB_CHANNELS, want, {})


def test_sending_needs_a_channel_too() -> None:
    with pytest.raises(OutOfRange, match="at least one tx or combined"):
        channels.settle(VETH_CHANNELS, {"tx": 0}, {})


def test_rings_are_left_to_the_profiles_rounding() -> None:
    assert rings.settle(RINGS, {"rx": 1001}, {}) == {"rx": 1001}


@pytest.mark.parametrize(
    ("want", "allowed"), [({"rx": 8192}, "1 to 4096"), ({"rx": 0}, "1 to 4096"), ({"rx-jumbo": 8}, "only rx, tx")]
)
def test_impossible_rings_say_what_is_allowed(want: Dict[str, Any], allowed: str) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        rings.settle(RINGS, want, {})


def test_mtu_beyond_the_drivers_maximum_is_out_of_range() -> None:
    with pytest.raises(OutOfRange, match="68 to 9000"):
        mtu.settle(SettingFacts({"mtu": 1500}, {"mtu": 9000}), {"mtu": 9001}, {})


def test_mtu_of_a_driver_that_states_no_maximum_is_taken() -> None:
    assert mtu.settle(SettingFacts({"mtu": 1500}), {"mtu": 60000}, {}) == {"mtu": 60000}


def test_feature_is_changeable_when_the_hardware_has_it_and_nothing_forbids_it() -> None:
    names = ("rx-lro", "rx-gro", "rx-hashing", "vlan-challenged")
    facts = features.facts_of(
        Features(
            names,
            hardware=frozenset({"rx-lro", "rx-gro", "vlan-challenged"}),
            wanted=frozenset({"rx-lro", "rx-hashing", "vlan-challenged"}),
            active=frozenset({"rx-gro"}),
            nochange=frozenset({"vlan-challenged"}),
        )
    )
    assert facts.values == {"rx-lro": False, "rx-gro": True, "rx-hashing": False, "vlan-challenged": False}
    assert facts.fixed == {"rx-hashing", "vlan-challenged"}
    assert facts.requested == {"rx-lro": True, "rx-gro": False}


def test_name_that_ethtool_prints_becomes_the_kernels() -> None:
    assert features.settle(FEATURES, {"large-receive-offload": False, "gro": True}, {}) == {
        "rx-lro": False,
        "rx-gro": True,
    }


def test_group_stands_for_those_of_its_features_that_can_change() -> None:
    assert features.settle(FEATURES, {"tcp-segmentation-offload": False}, {}) == {
        "tx-tcp-segmentation": False,
        "tx-tcp6-segmentation": False,
    }


def test_fixed_feature_is_left_to_the_planner_which_knows_whether_it_matters() -> None:
    assert features.settle(FEATURES, {"rx-gro-hw": True}, {}) == {"rx-gro-hw": True}


def test_misspelt_feature_gets_the_nearest_name() -> None:
    with pytest.raises(OutOfRange, match="did you mean 'rx-lro'"):
        features.settle(FEATURES, {"rx-lor": False}, {})


def test_feature_is_on_or_off() -> None:
    with pytest.raises(OutOfRange, match="true or false"):
        features.settle(FEATURES, {"rx-lro": 0}, {})


HOST = SettingFacts(
    {"busy-poll": 0, "rps-sock-flow-entries": 0}, {"busy-poll": 2**31 - 1, "rps-sock-flow-entries": 1 << 29}
)


@pytest.mark.parametrize(("want", "settled"), [(0, 0), (1, 1), (3, 4), (4096, 4096), (32769, 65536)])
def test_tables_of_flows_are_planned_as_the_kernel_rounds_them(want: int, settled: int) -> None:
    assert rfs.settle(SettingFacts({"flows-per-queue": 0}), {"flows-per-queue": want}, {}) == {
        "flows-per-queue": settled
    }
    assert host.settle(HOST, {"rps-sock-flow-entries": want}, {}) == {"rps-sock-flow-entries": settled}


def test_number_is_for_all_queues_also_where_they_differ_now() -> None:
    differ = SettingFacts({"flows-per-queue": "4096 0"})
    assert rfs.settle(differ, {"flows-per-queue": "3000"}, {}) == {"flows-per-queue": 4096}


def test_busy_polling_is_in_microseconds_and_not_rounded() -> None:
    assert host.settle(HOST, {"busy-poll": 50}, {}) == {"busy-poll": 50}


@pytest.mark.parametrize(
    ("facts", "want"),
    [
        (HOST, {"busy-poll": -1}),
        (HOST, {"busy-poll": 2**31}),
        (HOST, {"rps-sock-flow-entries": (1 << 29) + 1}),
        (HOST, {"busy-read": 1}),
        (HOST, {"busy-poll": True}),
    ],
)
def test_host_value_that_the_kernel_would_refuse_is_refused_before(facts: SettingFacts, want: Dict[str, Any]) -> None:
    with pytest.raises(OutOfRange):
        host.settle(facts, want, {})


@pytest.mark.parametrize("want", ["4096 0", "many", "-1", -1, True])
def test_flows_are_one_number(want: Any) -> None:
    with pytest.raises(OutOfRange):
        rfs.settle(SettingFacts({"flows-per-queue": 0}), {"flows-per-queue": want}, {})
