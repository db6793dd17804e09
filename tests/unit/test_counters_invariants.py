# SPDX-License-Identifier: GPL-3.0-or-later
"""Each invariant holds on numbers that agree, and is broken once by the number that it watches."""

from __future__ import annotations

from typing import Dict, Mapping, Optional

import pytest

from tests.unit import counter_cases as cases
from wirespeed.counters.invariants import INVARIANTS
from wirespeed.counters.judge import NAPI_BUDGET, Check, Facts, Status, judge
from wirespeed.counters.merge import merged
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.report import sentence
from wirespeed.counters.sandwich import Sandwich, Window, window
from wirespeed.counters.verdicts import VerdictReading
from wirespeed.model.nic import XdpMode

NATIVE = Facts(XdpMode.NATIVE, rx_queues=2, ring=256)
GENERIC = Facts(XdpMode.GENERIC, rx_queues=1, ring=256)


def over(
    driver: str, end: RawStats, start: RawStats, verdicts: Optional[VerdictReading] = None, quiet: bool = True
) -> Window:
    ends = []
    for raw, judged in ((start, cases.verdicts()), (end, verdicts)):
        read = cases.unified(driver, raw)
        ends.append(Sandwich(read, read, judged if verdicts else None, {}, 0, 10**9, quiet))
    return window(ends[0], ends[1])


def statuses(found: Window, facts: Facts = NATIVE) -> Dict[str, Check]:
    return {check.invariant.name: check for check in judge(found, facts)}


def broken(checks: Mapping[str, Check]) -> "list[str]":
    return [name for name, check in checks.items() if check.status is Status.BROKEN]


def igb(verdicts: Optional[VerdictReading] = None, facts: Facts = NATIVE, **change: int) -> Dict[str, Check]:
    """100 frames at the MAC, 3 missed, 2 without descriptor, 98 in the ring, judged 60 + 38."""
    queue = {"packets": change.pop("packets", 98), "drops": change.pop("drops", 2)}
    mac = {"rx_packets": 100, "rx_missed_errors": 3, **change}
    agreed = verdicts or cases.verdicts(**{"pass": 60, "denied": 38})
    return statuses(over("igb", cases.igb([queue], **mac), cases.igb([{}]), agreed), facts)


def vmxnet3(verdicts: Optional[VerdictReading] = None, **change: int) -> Dict[str, Check]:
    """10 frames: 4 dropped, 1 aborted, 5 passed."""
    queue = {"ucast pkts rx": 10, "xdp packets": 10, "xdp drops": 4, "xdp aborted": 1, **change}
    agreed = verdicts or cases.verdicts(**{"pass": 5, "denied": 4, "failed": 1})
    return statuses(over("vmxnet3", cases.vmxnet3([queue]), cases.vmxnet3([{}]), agreed))


def virtio(verdicts: VerdictReading, **change: int) -> Dict[str, Check]:
    queue = {"packets": 10, "xdp_packets": 10, "xdp_drops": 5, "drops": 5, **change}
    return statuses(over("virtio_net", cases.virtio_612([queue]), cases.virtio_612([{}]), verdicts))


def test_numbers_that_agree_break_nothing_on_igb() -> None:
    checks = igb()
    holding = [name for name, check in checks.items() if check.status is Status.HOLDS]
    assert (holding, broken(checks)) == (["every-frame-judged", "wire-explained", "nothing-lost-silently"], [])


def test_numbers_that_agree_break_nothing_on_vmxnet3() -> None:
    checks = vmxnet3()
    silent = [name for name, check in checks.items() if check.status is Status.NOT_APPLICABLE]
    assert (silent, broken(checks)) == (["drops-and-aborts-agree", "drops-cover-verdicts", "sent-accounted"], [])


def test_a_frame_that_met_no_program_breaks_every_frame_judged() -> None:
    assert "every-frame-judged" in broken(igb(packets=99))


def test_a_run_without_a_verdict_breaks_every_run_judged() -> None:
    assert "every-run-judged" in broken(vmxnet3(**{"xdp packets": 11, "ucast pkts rx": 11}))


def test_a_frame_that_the_program_did_not_see_breaks_every_frame_ran() -> None:
    assert "every-frame-ran" in broken(vmxnet3(**{"ucast pkts rx": 12}))


def test_a_drop_that_the_pipeline_did_not_decide_breaks_drops_agree() -> None:
    assert "drops-agree" in broken(vmxnet3(**{"xdp drops": 5}))


def test_aborts_count_as_drops_where_the_driver_folds_them() -> None:
    agreed = cases.verdicts(**{"pass": 5, "denied": 3, "failed": 2})
    assert virtio(agreed)["drops-and-aborts-agree"].status is Status.HOLDS


def test_a_drop_too_many_breaks_drops_and_aborts_agree() -> None:
    agreed = cases.verdicts(**{"pass": 5, "denied": 3, "failed": 2})
    assert "drops-and-aborts-agree" in broken(virtio(agreed, xdp_drops=6, drops=6))


def test_a_failed_transmission_may_be_among_the_drops() -> None:
    agreed = cases.verdicts(denied=4, reflected=6)
    checks = virtio(agreed, xdp_drops=5, drops=5, xdp_tx=6)
    assert (checks["drops-cover-verdicts"].status, broken(checks)) == (Status.HOLDS, [])


def test_a_verdict_beyond_the_drops_breaks_drops_cover_verdicts() -> None:
    agreed = cases.verdicts(denied=6, reflected=4)
    assert "drops-cover-verdicts" in broken(virtio(agreed, xdp_drops=5, drops=5, xdp_tx=4))


def test_an_abort_that_the_pipeline_did_not_count_breaks_aborts_agree() -> None:
    assert "aborts-agree" in broken(vmxnet3(**{"xdp aborted": 2}))


def test_a_pass_that_the_driver_did_not_make_breaks_passes_agree() -> None:
    assert "passes-agree" in broken(vmxnet3(**{"xdp redirects": 1}))


def test_a_passed_frame_that_the_driver_lost_breaks_passes_delivered() -> None:
    assert "passes-delivered" in broken(vmxnet3(**{"drv dropped rx total": 1}))


def test_a_frame_lost_between_wire_and_ring_breaks_wire_explained() -> None:
    assert "wire-explained" in broken(igb(rx_packets=101))


def test_a_loss_that_nothing_counts_breaks_nothing_lost_silently() -> None:
    assert "nothing-lost-silently" in broken(igb(drops=1))


def test_a_frame_sent_but_not_accounted_breaks_sent_accounted() -> None:
    sent = Facts(XdpMode.NATIVE, 1, 256, sent=104)
    assert "sent-accounted" in broken(igb(facts=sent))


def test_more_frames_than_the_caller_sent_are_no_loss() -> None:
    sent = Facts(XdpMode.NATIVE, 1, 256, sent=90)
    assert igb(facts=sent)["sent-accounted"].status is Status.HOLDS


def test_every_invariant_is_broken_by_a_test_of_its_name() -> None:
    told = [name for name in globals() if name.startswith("test_")]
    silent = [
        i.name for i in INVARIANTS if not any(name.endswith("breaks_" + i.name.replace("-", "_")) for name in told)
    ]
    also = {"drops-cover-verdicts"}  # "break", plural
    assert set(silent) <= also


def test_without_a_program_only_the_wire_is_judged() -> None:
    checks = igb(facts=Facts(None, 2, 256))
    judged = [name for name, check in checks.items() if check.status is not Status.NOT_APPLICABLE]
    assert judged == ["wire-explained"]


def test_under_generic_xdp_the_driver_s_own_xdp_counters_prove_nothing() -> None:
    checks = igb(facts=GENERIC)
    judged = [name for name, check in checks.items() if check.status is not Status.NOT_APPLICABLE]
    assert judged == ["every-frame-judged", "wire-explained", "nothing-lost-silently"]


def test_an_unknown_driver_s_packets_are_not_compared_under_native_xdp() -> None:
    start, end = (RawStats((), {}, cases.link(rx_packets=n)) for n in (0, 10))
    check = statuses(over("generic", end, start, cases.verdicts(denied=10)))["every-frame-judged"]
    assert (check.status, "may leave out" in check.why) == (Status.NOT_APPLICABLE, True)


def test_the_counters_of_a_port_that_virtual_functions_share_are_not_compared() -> None:
    checks = igb(facts=Facts(XdpMode.NATIVE, 2, 256, functions=3))
    assert "which 3 virtual functions share" in checks["wire-explained"].why
    assert checks["every-frame-judged"].status is Status.HOLDS


def test_an_invalid_window_judges_nothing() -> None:
    checks = statuses(over("igb", cases.igb([{"packets": 1}]), cases.igb([{"packets": 9}]), cases.verdicts()))
    assert {check.status for check in checks.values()} == {Status.NOT_APPLICABLE}


def test_a_silent_window_tells_nothing() -> None:
    checks = statuses(over("igb", cases.igb([{}]), cases.igb([{}]), cases.verdicts(denied=0)))
    assert checks["every-frame-judged"].status is Status.TOO_LITTLE


def test_a_busy_edge_allows_what_may_be_under_way() -> None:
    end = cases.igb([{"packets": 5000}], rx_packets=5000)
    judged = cases.verdicts(denied=5000 + 2 * NAPI_BUDGET)
    checks = statuses(over("igb", end, cases.igb([{}]), judged, quiet=False))
    assert (checks["every-frame-judged"].status, broken(checks)) == (Status.HOLDS, [])


def test_a_busy_edge_allows_no_more_than_that() -> None:
    end = cases.igb([{"packets": 5000}], rx_packets=5000)
    judged = cases.verdicts(denied=5001 + 2 * NAPI_BUDGET)
    assert "every-frame-judged" in broken(statuses(over("igb", end, cases.igb([{}]), judged, quiet=False)))


def test_a_broken_invariant_names_the_pair_and_the_gap() -> None:
    text = sentence(igb(packets=99)["every-frame-judged"])
    assert "driver_packets == verdict total + host_drop does not hold: 99 against 98, 1 frames apart" in text


@pytest.mark.parametrize("second, expected", [(10, []), (9, ["every-frame-judged", "wire-explained"])])
def test_two_nics_of_one_pipeline_are_judged_by_their_sum(second: int, expected: "list[str]") -> None:
    verdicts = cases.verdicts(denied=30)
    first = over("igb", cases.igb([{"packets": 20}], rx_packets=20), cases.igb([{}]), verdicts)
    other = over("igb", cases.igb([{"packets": second}], rx_packets=10), cases.igb([{}]), verdicts)
    assert broken(statuses(merged({"a": first, "b": other}))) == expected


def test_a_counter_that_one_nic_does_not_tell_is_absent_in_the_sum() -> None:
    verdicts = cases.verdicts(denied=30)
    first = over("igb", cases.igb([{"packets": 20}], rx_packets=20), cases.igb([{}]), verdicts)
    other = over("veth", cases.veth([{"xdp_packets": 10}], rx_packets=10), cases.veth([{}]), verdicts)
    check = statuses(merged({"a": first, "b": other}))["wire-explained"]
    assert (check.status, "b: a veth has no wire" in check.why) == (Status.NOT_APPLICABLE, True)
