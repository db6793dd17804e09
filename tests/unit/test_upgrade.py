# SPDX-License-Identifier: GPL-3.0-or-later
"""What another kernel changes for a NIC: the comparisons, without any kernel's files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.unify import unify
from wirespeed.kernel.module_options import ModuleOption
from wirespeed.upgrade import counter_ways, of_files, of_intent
from wirespeed.upgrade.change import Aspect, Severity
from wirespeed.upgrade.compare import worst
from wirespeed.upgrade.evidence import Presence

from . import counter_cases
from .upgrade_cases import Upgrade, absent, driver, kernel

VIRTIO_61 = [f"rx_queue_{{q}}_{name}" for name in counter_cases.QUEUE_61]
VIRTIO_612 = ["rx{q}_hw_packets", "rx{q}_hw_bytes", *(f"rx{{q}}_{name}" for name in counter_cases.QUEUE_612)]


def test_between_equal_kernels_nothing_changes() -> None:
    assert Upgrade("igb/fresh", "6.12", "6.12").changes() == []


# --- costs, modes and conditions, by the profiles' kernel ranges -------------------------------------------------


def test_a_swap_that_becomes_free_is_told() -> None:
    assert Upgrade("igc/fresh", "6.12", "7.2").told(Aspect.COST)["swap"] == ("changes", "bounce", "none")


def test_a_swap_that_becomes_an_outage_is_told() -> None:
    assert Upgrade("mana/fresh", "6.12", "7.2").told(Aspect.COST)["swap"] == ("changes", "none", "bounce")


def test_a_driver_that_gets_native_xdp_is_attached_otherwise_from_then_on() -> None:
    before = driver("vmxnet3", native=False)
    upgrade = Upgrade("vmxnet3/fresh", "6.1", "6.12", before, driver("vmxnet3"), mode="auto")
    change = next(each for each in upgrade.changes(Aspect.XDP) if each.key == "attach")
    assert (change.severity, change.before, change.after) == (Severity.CHANGES, "generic", "native")
    assert change.why.endswith("the attach costs bounce then")


def test_an_intent_that_asks_for_native_xdp_breaks_where_the_kernel_has_none() -> None:
    told = Upgrade("gve/fresh", "6.12", "6.1", after=driver("gve", native=False), mode="native").told(Aspect.PLAN)
    assert told["xdp"] == ("breaks", "planned", "refused")


def test_a_condition_that_holds_no_longer_breaks_the_intent() -> None:
    upgrade = Upgrade("i40e/fresh", "6.12", "6.1", frags=True, tuning={"mtu": {"mtu": 9000}})
    (change,) = [each for each in upgrade.changes() if each.severity is Severity.BREAKS]
    assert (change.aspect, change.key) == (Aspect.PLAN, "xdp (mtu)") and "9000" in change.why


def test_a_condition_that_a_detach_asks_for_too_informs() -> None:
    told = Upgrade("ice/fresh", "6.12", "6.1").told(Aspect.CONDITION)
    assert told["mtu"] == ("informs", "at the attach", "at a detach too")


def test_the_module_has_the_last_word_on_native_xdp() -> None:
    told = Upgrade("igb/fresh", "6.1", "6.12", after=driver("igb", native=False)).told(Aspect.XDP)
    assert told["native XDP by the profile"] == ("changes", None, "profile: native, module: none")


def test_a_value_that_the_profile_wants_from_then_on_is_told() -> None:
    told = Upgrade("virtio_net/fresh", "6.1", "6.12").told(Aspect.TUNING)
    assert told["rss.indirection"] == ("changes", None, "equal")


# --- what the files tell -----------------------------------------------------------------------------------------


def test_a_nic_whose_driver_is_gone_breaks() -> None:
    told = Upgrade("igb/fresh", "6.1", "6.12", after=absent("igb")).told(Aspect.DRIVER)
    assert told["igb"] == ("breaks", "a module", "absent")


def test_a_device_that_the_driver_does_not_take_any_more_breaks() -> None:
    taken = driver("igb", modalias="pci:v00008086d00001533sv0", aliases=("pci:v00008086d00001533sv*",))
    refused = driver("igb", modalias="pci:v00008086d00001533sv0", aliases=("pci:v00008086d0000FFFFsv*",))
    assert Upgrade("igb/fresh", "6.1", "6.12", taken, refused).told(Aspect.DRIVER)["igb"][0] == "breaks"


def test_a_driver_of_the_maker_s_that_gives_way_to_the_kernel_s_is_told() -> None:
    told = Upgrade("ice/fresh", "6.1", "6.12", driver("ice", in_tree=False, version="1.16"), driver("ice"))
    assert told.told(Aspect.DRIVER)["ice"] == ("changes", "of the maker 1.16", "of the kernel")


def test_a_driver_that_becomes_built_in_is_told() -> None:
    after = driver("igb", presence=Presence.BUILT_IN, names=None)
    assert Upgrade("igb/fresh", "6.1", "6.12", after=after).told(Aspect.DRIVER)["igb"][0] == "changes"


@pytest.mark.parametrize(("value", "severity"), [(True, "changes"), (False, "informs")])
def test_a_private_flag_that_goes_matters_where_it_is_on(value: bool, severity: str) -> None:
    flags = {"legacy-rx": value, "fw-lldp-agent": False}
    upgrade = Upgrade("ice/fresh", "6.12", "7.2", driver("ice", *flags), driver("ice", "fw-lldp-agent"),
                      nic={"private_flags": flags})  # fmt: skip
    told = upgrade.told(Aspect.PRIVATE_FLAG)
    assert told == {"legacy-rx": (severity, "on" if value else "off", None)}


def test_a_private_flag_that_no_table_but_the_code_holds_stays() -> None:
    after = driver("igb", "legacy-rx", private_flags=None)
    before = driver("igb", "legacy-rx", private_flags=("legacy-rx",))
    upgrade = Upgrade("igb/fresh", "6.1", "6.12", before, after, nic={"private_flags": {"legacy-rx": True}})
    assert upgrade.told(Aspect.PRIVATE_FLAG) == {}


def test_a_new_private_flag_informs() -> None:
    before, after = driver("e1000e", "s0ix-enabled"), driver("e1000e", private_flags=("s0ix-enabled", "disable-k1"))
    upgrade = Upgrade("e1000e/fresh", "6.12", "7.2", before, after, nic={"private_flags": {"s0ix-enabled": False}})
    assert upgrade.told(Aspect.PRIVATE_FLAG) == {"disable-k1": ("informs", None, "there")}


def test_an_intent_that_asks_for_a_flag_that_goes_breaks() -> None:
    flags = {"legacy-rx": True, "fw-lldp-agent": False}
    upgrade = Upgrade(
        "ice/fresh", "6.12", "7.2", driver("ice", *flags), driver("ice", "fw-lldp-agent"),
        nic={"private_flags": flags}, tuning={"private_flags": {"legacy-rx": True}},
    )  # fmt: skip
    (change,) = upgrade.changes(Aspect.PLAN)
    assert change.severity is Severity.BREAKS and "legacy-rx" in change.why


def test_what_a_file_does_not_tell_changes_nothing() -> None:
    unknown = driver("igb", native=None, zero_copy=None, hints=None, queue_stats=None, names=None)
    assert Upgrade("igb/fresh", "6.1", "6.12", after=unknown).told(Aspect.DRIVER, Aspect.XDP, Aspect.PRIVATE_FLAG) == {}


def test_a_parameter_that_the_module_loses_is_told_with_its_place() -> None:
    option = ModuleOption("igb", "InterruptThrottleRate", "3000", "/etc/modprobe.d/igb.conf:1")
    other = ModuleOption("nouveau", "modeset", "0", "/etc/modprobe.d/gpu.conf:1")
    before, after = driver("igb", parameters=("InterruptThrottleRate",)), driver("igb", parameters=("debug",))
    told = Upgrade("igb/fresh", "6.1", "6.12", before, after).told(Aspect.PARAMETER, options=[option, other])
    assert told == {"igb.InterruptThrottleRate": ("changes", "3000 (/etc/modprobe.d/igb.conf:1)", None)}


def test_firmware_that_is_new_and_not_here_informs() -> None:
    before, after = driver("ice", firmware=("a.pkg",)), driver("ice", firmware=("a.pkg", "b.pkg", "c.pkg"))
    told = Upgrade("ice/fresh", "6.1", "6.12", before, after).told(Aspect.FIRMWARE, firmware=["b.pkg"])
    assert told == {"ice": ("informs", None, "c.pkg")}


def test_a_kernel_without_bpf_breaks_and_one_without_its_types_changes() -> None:
    before = replace(kernel("6.1"), options={"BPF_SYSCALL": "y", "DEBUG_INFO_BTF": "y"})
    after = replace(kernel("6.12"), options={})
    told = {each.key: each.severity for each in of_files.of_kernel(before, after)}
    assert told == {"CONFIG_BPF_SYSCALL": Severity.BREAKS, "CONFIG_DEBUG_INFO_BTF": Severity.CHANGES}


# --- counters ----------------------------------------------------------------------------------------------------


def ways(device_statistics: bool = False) -> "tuple[counter_ways.Ways, counter_ways.Ways]":
    """virtio_net's, on Linux 6.1 and from there on 6.12."""
    table = counter_cases.table("virtio_net")
    seen = unify(table, counter_cases.virtio_61([{"packets": 1}, {"packets": 1}]), (6, 1))
    old = kernel("6.1", eth1=driver("virtio_net", *VIRTIO_61))
    new = kernel("6.12", eth1=driver("virtio_net", *VIRTIO_612, queue_stats=True))
    return counter_ways.now(seen), counter_ways.then("eth1", table, seen, old, new)


def test_a_counter_that_is_renamed_has_one_candidate() -> None:
    now, then = ways()
    assert (now["xdp_drop"], then["xdp_drop"]) == (("rx_queue_{q}_xdp_drops",), ("rx{q}_xdp_drops",))


def test_a_counter_that_the_device_may_serve_has_the_best_candidate_first() -> None:
    _now, then = ways()
    assert then["host_drop"] == (
        "rx{q}_drops + qstats:rx-hw-drop-overruns - rx{q}_xdp_drops",
        "rx{q}_drops - rx{q}_xdp_drops",
    )
    assert then["wire_packets"] == ("rx{q}_hw_packets", counter_ways.NOT_SERVED)


def test_a_source_that_the_device_does_not_serve_now_is_no_candidate_later() -> None:
    table = counter_cases.table("virtio_net")
    seen = unify(table, counter_cases.virtio_612([{"packets": 1}]), (6, 12))
    facts = driver("virtio_net", *VIRTIO_612, queue_stats=True)
    then = counter_ways.then("eth1", table, seen, kernel("6.12", eth1=facts), kernel("7.2", eth1=facts))
    assert {name: found for name, found in then.items() if found} == {
        name: found for name, found in counter_ways.now(seen).items() if found
    }


def test_queue_statistics_need_the_kernel_s_family_and_the_driver_s_part_in_it() -> None:
    table = counter_cases.table("virtio_net")
    seen = unify(table, RawStats(link=counter_cases.link()), (6, 1))
    old = kernel("6.1", eth1=driver("virtio_net"))
    for new in (
        kernel("6.6", eth1=driver("virtio_net", *VIRTIO_612, queue_stats=True)),
        kernel("6.12", eth1=driver("virtio_net", *VIRTIO_612, queue_stats=False)),
        replace(kernel("6.12", eth1=driver("virtio_net", *VIRTIO_612, queue_stats=True)), types=frozenset()),
    ):
        found = counter_ways.then("eth1", table, seen, old, new)["driver_packets"]
        assert not any("qstats" in way for way in found)


def test_a_moved_counter_changes_and_a_new_one_informs() -> None:
    now, then = ways()
    found = {each.key: each for each in of_intent.of_counters("eth1", counter_cases.table("virtio_net"), now, then)}
    assert (found["xdp_drop"].severity, found["xdp_drop"].why) == (Severity.CHANGES, "moved")
    assert found["wire_packets"].severity is Severity.INFORMS and "error" not in found


def test_a_counter_that_is_lost_changes() -> None:
    table = counter_cases.table("virtio_net")
    changes = of_intent.of_counters("eth1", table, {"xdp_tx": ("rx_queue_{q}_xdp_tx",)}, {"xdp_tx": ()})
    (change,) = changes
    assert (change.severity, change.after) == (Severity.CHANGES, None)


def test_the_worst_is_what_counts() -> None:
    upgrade = Upgrade("igb/fresh", "6.1", "6.12", after=absent("igb"))
    assert worst(upgrade.changes()) is Severity.BREAKS
