# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause that a diagnosis names first, for evidence as it would be seen."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Optional

import pytest

from wirespeed.counters.table import Counter
from wirespeed.diagnose import report
from wirespeed.diagnose.causes import Confidence, Stage, causes
from wirespeed.diagnose.evidence import Clocks, CpuUse, Deep, Evidence, Pause, Pcie, Program, Stall, Waits
from wirespeed.kernel import cpu_time, softnet

IDLE, FULL = CpuUse(0.05, 0.9, 0.0), CpuUse(0.97, 0.0, 0.0, squeezed=900)
FOUR: Dict[int, FrozenSet[int]] = {queue: frozenset({queue}) for queue in range(4)}
LOST = {Counter.HOST_DROP: 5000}


def seen(**more: Any) -> Evidence:
    """Four queues, each on a CPU of its own that has time; a ring at its largest; nothing lost."""
    usual: Dict[str, Any] = {
        "queues": dict.fromkeys(range(4), 250_000),
        "queue_cpus": FOUR,
        "cpus": dict.fromkeys(range(4), IDLE),
        "ring": 4096,
        "ring_most": 4096,
        "pcie": Pcie(8.0, 8, 8.0, 8),
        "redirect_errors": {},
        "exceptions": 0,
    }
    return Evidence(**{"nic": "eth1", "driver": "ixgbe", "seconds": 10.0, **usual, **more})


ONE_HOT = {0: 990_000, 1: 4_000, 2: 3_000, 3: 3_000}
ONE_FULL = {0: FULL, 1: IDLE, 2: IDLE, 3: IDLE}
KEPT = dict.fromkeys(range(4), Stall(0.002))
LATE = Waits((0, 0, 0, 900, *[0] * 13, 3))
ALL_FULL = dict.fromkeys(range(4), FULL)
SCENES = {
    "nothing": (seen(), Stage.NOTHING, "no loss"),
    "policy drops": (seen(actions={"drop": 7}, verdicts={"denied": 7}), Stage.POLICY, "no loss"),
    "one hot queue": (
        seen(
            grown=LOST, queues={0: 990_000, 1: 4_000, 2: 3_000, 3: 3_000}, cpus={**ALL_FULL, 1: IDLE, 2: IDLE, 3: IDLE}
        ),
        Stage.CPU,
        "queue 0 is hot",
    ),
    "slow program": (
        seen(grown=LOST, cpus=ALL_FULL, program=Program(1_000_000, 30_000_000_000)),
        Stage.PROGRAM,
        "the XDP program takes",
    ),
    "CPUs worn out by something else": (
        seen(grown=LOST, cpus=ALL_FULL, program=Program(1_000_000, 30_000_000)),
        Stage.CPU,
        "no time left",
    ),
    "port buffer full because of the CPU": (
        seen(grown={Counter.NIC_DROP: 9}, cpus=ALL_FULL),
        Stage.CPU,
        "no time left",
    ),
    "stolen CPU": (
        seen(grown=LOST, cpus={**dict.fromkeys(range(4), IDLE), 2: CpuUse(0.3, 0.1, 0.5)}),
        Stage.CPU,
        "hypervisor",
    ),
    "narrow slot": (seen(grown={Counter.NIC_DROP: 9}, pcie=Pcie(2.5, 1, 8.0, 8)), Stage.PCIE, "to memory"),
    "short ring": (seen(grown=LOST, ring=64), Stage.DESCRIPTORS, "longer than the receive ring"),
    "unknown limit": (seen(grown=LOST), Stage.DESCRIPTORS, "a limit of its own"),
    "bus with errors": (seen(grown=LOST, pcie=Pcie(8.0, 8, 8.0, 8, errors=12)), Stage.PCIE, "to memory"),
    "bus that stalls": (seen(grown=LOST, pcie=Pcie(8.0, 8, 8.0, 8, stalled=7)), Stage.PCIE, "to memory"),
    "one hot queue, with a program that costs less than the queue": (
        seen(grown=LOST, queues=ONE_HOT, cpus=ONE_FULL, program=Program(1_000_000, 6_000_000_000)),
        Stage.CPU,
        "queue 0 is hot",
    ),
    "one hot queue, made hot by its program": (
        seen(grown=LOST, queues=ONE_HOT, cpus=ONE_FULL, program=Program(1_000_000, 9_600_000_000)),
        Stage.PROGRAM,
        "the XDP program takes",
    ),
    "program whose time the ticks did not see": (
        seen(grown=LOST, program=Program(1_000_000, 38_000_000_000)),
        Stage.PROGRAM,
        "the XDP program takes",
    ),
    "CPU that was kept from running": (
        seen(grown={Counter.DRIVER_PACKETS: 1_000_000, **LOST}, stalls={**KEPT, 1: Stall(0.5, ((0.5, 1),))}),
        Stage.CPU,
        "CPU 1, which serves the NIC, was kept",
    ),
    "CPU that was kept for less than the ring holds": (
        seen(grown={Counter.DRIVER_PACKETS: 1_000_000, **LOST}, stalls={**KEPT, 1: Stall(0.006, ((2.0, 333),))}),
        Stage.DESCRIPTORS,
        "a limit of its own",
    ),
    "machine that was paused": (seen(stood_still=4.0), Stage.CPU, "the whole machine was paused"),
    "clocks that are a second apart": (seen(stood_still=0.9), Stage.NOTHING, "no loss"),
    "program that is not run": (
        seen(grown={Counter.DRIVER_PACKETS: 500}, program=Program(0, 0)),
        Stage.PROGRAM,
        "runs it on no frame",
    ),
    "pause frames sent": (seen(pause=Pause(sent=3, received=0)), Stage.FLOW_CONTROL, "asked its peer to wait"),
    "pause frames sent, and policy drops": (
        seen(pause=Pause(sent=3, received=0), actions={"drop": 7}, verdicts={"denied": 7}),
        Stage.FLOW_CONTROL,
        "asked its peer to wait",
    ),
    "pause frames received": (seen(pause=Pause(sent=0, received=3)), Stage.FLOW_CONTROL, "the peer asked"),
    "nobody listens": (seen(deep=Deep({"NO_SOCKET": 40, "XDP": 9}, {}, 5, 0)), Stage.STACK, "the kernel's stack"),
    "firewall": (seen(deep=Deep({"NETFILTER_DROP": 40}, {}, 5, 0)), Stage.NOTHING, "no loss"),
    "softirq that begins late": (
        seen(grown={Counter.DRIVER_PACKETS: 1_000_000, **LOST}, ring=1024, deep=Deep({}, {2: LATE}, 5, 0)),
        Stage.CPU,
        "CPU 2 had time, and came late",
    ),
    "bad cable": (seen(grown={Counter.ERROR_CRC: 3}), Stage.MAC, "damaged"),
    "peer's MTU": (seen(grown={Counter.ERROR_LENGTH: 3}), Stage.MAC, "wrong length"),
    "redirect to nowhere": (seen(redirect_errors={95: 40}), Stage.REDIRECT, "redirects fail"),
    "failed program": (seen(exceptions=4), Stage.PROGRAM, "XDP_ABORTED"),
    "carrier": (seen(carrier_changes=2, grown=LOST), Stage.LINK, "carrier"),
    "backlog": (seen(cpus={0: CpuUse(0.2, 0.7, 0.0, 0, 55)}), Stage.CPU, "backlog"),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_first_cause_is_the_one_that_was_made(scene: str) -> None:
    evidence, stage, says = SCENES[scene]
    first = causes(evidence)[0]
    assert (first.stage, says in first.says) == (stage, True), first


@pytest.mark.parametrize("scene", SCENES)
def test_each_cause_but_nothing_has_evidence_and_advice(scene: str) -> None:
    for cause in causes(SCENES[scene][0]):
        assert cause.stage is Stage.NOTHING or (cause.evidence and cause.advice), cause


def test_what_was_dropped_on_purpose_comes_after_every_loss() -> None:
    told = causes(seen(grown=LOST, ring=64, actions={"drop": 10**9}, verdicts={"denied": 10**9}))
    assert told[-1].stage is Stage.POLICY and told[-1].frames == 0


def test_the_cpus_that_do_not_serve_the_nic_are_not_blamed() -> None:
    told = causes(seen(grown=LOST, ring=64, cpus={**dict.fromkeys(range(4), IDLE), 9: FULL}))
    assert told[0].stage is Stage.DESCRIPTORS


def test_lost_frames_are_explained_by_long_gaps_not_by_many_short_ones() -> None:
    gaps = Stall(0.5, ((0.5, 1), (1.0, 200)))
    assert gaps.lost(rate=10_000.0, room=1_000) == 4_000


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        (Clocks(1000, 50.0, 1000.4), Clocks(1014, 60.0, 1010.4), 4.0),
        (Clocks(1000, 50.0, 1000.4), Clocks(1014, 60.0, 1014.2), 4.0),
        (Clocks(4600, 50.0, 1000.4), Clocks(4614, 60.0, 1010.4), 4.0),
        (Clocks(996, 50.0, 1000.4), Clocks(1010, 60.0, 1010.4), None),
        (Clocks(1000, 50.0, 1000.4), Clocks(1010, 60.0, 1010.4), 0.0),
    ],
    ids=["paused", "paused, and the day's time was put right", "local time", "the hardware's clock was set", "ran on"],
)
def test_a_clock_that_is_set_is_no_pause(before: Clocks, after: Clocks, seconds: Optional[float]) -> None:
    assert before.still(after) == seconds


def test_a_wait_is_told_by_the_power_of_two_above_it() -> None:
    waits = Waits((0, 5, 0, 4, 1))
    assert (waits.below(0.5), waits.below(0.9), waits.below(1.0)) == (2e-6, 8e-6, 16e-6)


def test_a_cpu_takes_the_share_of_its_queues() -> None:
    shared = seen(queues={0: 60, 1: 40}, queue_cpus={0: frozenset({0, 1}), 1: frozenset({1})})
    assert [shared.share(cpu) for cpu in (0, 1, 2)] == [0.3, 0.7, 0.0]


def test_where_the_evidence_is_thin_the_confidence_says_so() -> None:
    assert causes(seen(grown=LOST))[0].confidence is Confidence.POSSIBLE


def test_what_was_not_seen_is_null_and_told() -> None:
    bare = Evidence("eth1", "veth", 1.0, unseen=("XDP tracepoints: no BTF",))
    told = report.to_json(bare, causes(bare))
    assert told["evidence"]["redirect_errors"] is None and told["evidence"]["program"] is None
    assert report.lines(bare, causes(bare))[-1] == "not seen: XDP tracepoints: no BTF"


@pytest.mark.parametrize(
    ("row", "cpu"),
    [
        ("0000000a 00000001 00000002" + " 00000000" * 8, 0),
        ("0000000a 00000001 00000002" + " 00000000" * 9 + " 00000005 00000000 00000000", 5),
    ],
    ids=["11 columns", "15 columns"],
)
def test_softnet_rows_of_any_width_are_of_the_right_cpu(row: str, cpu: int) -> None:
    assert softnet.parse(row) == {cpu: softnet.Softnet(10, 1, 2)}


def test_the_time_of_a_cpu_is_taken_apart() -> None:
    found = cpu_time.parse("cpu  9 9 9 9 9 9 9 9 9 9\ncpu3 10 0 20 500 30 1 40 5 7 0\nintr 1\n")
    assert found == {3: cpu_time.CpuTime(softirq=40, idle=530, stolen=5, total=606)}
