# SPDX-License-Identifier: GPL-3.0-or-later
"""From each driver's own names to the vocabulary, on synthetic readings."""

from __future__ import annotations

import pytest

from tests.unit import counter_cases as cases
from tests.unit.counter_cases import unified, value
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.table import Counter, Source


def test_igb_counts_missed_frames_as_on_the_wire() -> None:
    raw = cases.igb([{"packets": 60}, {"packets": 38}], rx_packets=100, rx_missed_errors=5)
    assert (value("igb", raw, "wire_packets"), value("igb", raw, "nic_drop")) == (105, 5)


def test_igb_takes_the_driver_s_count_from_its_queues() -> None:
    raw = cases.igb([{"packets": 60, "drops": 2}, {"packets": 38}], rx_packets=100)
    found = unified("igb", raw).readings[Counter.DRIVER_PACKETS]
    assert (found.value, dict(found.queues)) == (98, {0: 60, 1: 38})


def test_igb_signs_of_pressure_are_no_drops() -> None:
    raw = cases.igb([{"packets": 10, "alloc_failed": 4}], rx_packets=10, rx_no_buffer_count=9)
    assert (value("igb", raw, "host_drop"), value("igb", raw, "nic_drop")) == (0, 0)


def test_a_counter_that_the_driver_lacks_is_absent_with_the_reason() -> None:
    found = unified("igb", cases.igb([{}])).readings[Counter.XDP_DROP]
    assert (found.value, "counts no XDP actions" in found.why) == (None, True)


def test_a_raw_name_that_is_missing_makes_the_counter_absent_not_zero() -> None:
    raw = cases.igb([{"packets": 3}], rx_packets=3)
    partial = RawStats(tuple(line for line in raw.ethtool if line[0] != "rx_missed_errors"), {}, raw.link)
    found = unified("igb", partial).readings[Counter.WIRE_PACKETS]
    assert (found.value, found.why) == (None, "the driver shows no ethtool_s:rx_missed_errors")


def test_a_source_that_could_not_be_read_is_the_reason() -> None:
    raw = RawStats((), {}, cases.link(), {Source.ETHTOOL_S: "GSTATS eth1: EOPNOTSUPP"})
    assert "could not be read: GSTATS eth1" in unified("igb", raw).readings[Counter.DRIVER_PACKETS].why


def test_virtio_s_older_names_are_found() -> None:
    raw = cases.virtio_61([{"packets": 10, "drops": 4, "xdp_packets": 10, "xdp_drops": 4}, {"packets": 1}])
    found = unified("virtio_net", raw, (6, 1)).readings[Counter.DRIVER_PACKETS]
    assert (found.value, dict(found.queues), found.why) == (11, {0: 10, 1: 1}, "")


def test_virtio_s_newer_packets_come_from_queue_stats() -> None:
    found = unified("virtio_net", cases.virtio_612([{"packets": 10}, {"packets": 1}])).readings[Counter.DRIVER_PACKETS]
    assert [str(name) for name in found.way.plus] == ["qstats:rx-packets"]  # type: ignore[union-attr]
    assert (found.value, dict(found.queues)) == (11, {0: 10, 1: 1})


def test_virtio_s_newer_names_do_not_match_their_own_totals() -> None:
    raw = cases.virtio_612([{"xdp_drops": 4}, {"xdp_drops": 2}])
    assert value("virtio_net", raw, "xdp_drop") == 6


def test_the_names_decide_even_on_a_kernel_that_should_not_have_them() -> None:
    found = unified("virtio_net", cases.virtio_61([{"xdp_drops": 4}]), (6, 12)).readings[Counter.XDP_DROP]
    assert (found.value, "the names are those of kernels <6.12" in found.why) == (4, True)


@pytest.mark.parametrize("make", [cases.virtio_61, cases.virtio_612])
def test_virtio_s_xdp_drops_are_no_host_drops(make: object) -> None:
    raw = make([{"packets": 100, "drops": 31, "xdp_packets": 99, "xdp_drops": 30}], rx_dropped=31)  # type: ignore[operator]
    assert [value("virtio_net", raw, name) for name in ("host_drop", "xdp_drop", "delivered")] == [1, 30, 69]


def test_virtio_without_device_statistics_has_no_wire() -> None:
    found = unified("virtio_net", cases.virtio_612([{"packets": 3}]))
    assert (found.value(Counter.WIRE_PACKETS), found.value(Counter.NIC_DROP)) == (None, None)


def test_virtio_with_device_statistics_has_one() -> None:
    raw = cases.virtio_612([{"packets": 90}])
    told = {("rx", 0): {"rx-packets": 90, "rx-hw-drops": 10, "rx-hw-drop-overruns": 7}}
    raw = RawStats((*raw.ethtool, ("rx0_hw_packets", 100)), told, raw.link)
    assert [value("virtio_net", raw, name) for name in ("wire_packets", "nic_drop", "host_drop")] == [100, 3, 7]


def test_names_that_cover_different_queues_are_not_added_up() -> None:
    raw = cases.virtio_612([{"packets": 1}, {"packets": 2}])
    fewer = RawStats(raw.ethtool, {("rx", 0): {"rx-packets": 1}}, raw.link)
    assert unified("virtio_net", fewer).readings[Counter.DELIVERED].value is None


def test_vmxnet3_s_repeated_names_are_told_apart_by_position() -> None:
    raw = cases.vmxnet3([{"ucast pkts rx": 5, "bcast pkts rx": 1}, {"ucast pkts rx": 2, "pkts rx OOB": 3}])
    found = unified("vmxnet3", raw)
    assert dict(found.readings[Counter.DRIVER_PACKETS].queues) == {0: 6, 1: 2}
    assert (found.value(Counter.WIRE_PACKETS), found.value(Counter.HOST_DROP)) == (11, 3)


def test_vmxnet3_s_transmit_blocks_take_no_part() -> None:
    assert value("vmxnet3", cases.vmxnet3([{}]), "error") == 0


def test_vmxnet3_counts_aborted_frames_apart() -> None:
    queue = {"ucast pkts rx": 10, "xdp packets": 10, "xdp drops": 4, "xdp aborted": 1, "xdp tx": 2, "xdp redirects": 1}
    raw = cases.vmxnet3([queue])
    told = [value("vmxnet3", raw, name) for name in ("xdp_drop", "xdp_aborted", "xdp_pass", "delivered")]
    assert told == [4, 1, 2, 2]


def test_vmxnet3_before_native_xdp_says_so() -> None:
    found = unified("vmxnet3", cases.vmxnet3([{"ucast pkts rx": 5}], xdp=False), (6, 1))
    assert "no native XDP" in found.readings[Counter.XDP_PACKETS].why
    assert found.value(Counter.DELIVERED) == 5


def test_veth_counts_what_left_before_the_stack() -> None:
    queue = {"xdp_packets": 10, "xdp_drops": 4, "xdp_tx": 1, "xdp_redirect": 1}
    raw = cases.veth([queue, {"xdp_packets": 1}], rx_packets=11)
    assert [value("veth", raw, name) for name in ("driver_packets", "xdp_pass", "delivered")] == [11, 5, 5]


def test_an_unknown_driver_has_rtnl_and_says_that_drivers_differ() -> None:
    found = unified("generic", RawStats((), {}, cases.link(rx_packets=9))).readings[Counter.DRIVER_PACKETS]
    assert found.way is not None
    assert (found.value, found.way.confidence.value, found.way.includes_xdp_drop) == (9, "documented", None)
