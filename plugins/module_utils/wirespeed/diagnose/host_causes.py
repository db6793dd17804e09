# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes in the host: a CPU that is late, or was kept from its work, and rings that do not bridge it. Pure.

A counter of the port's buffer does not tell a late CPU from a slow bus: on mlx5 it rises in both cases (xdp-newbies,
13 April 2023), so what the CPUs did decides between the two.
"""

from __future__ import annotations

import math
from typing import Mapping, Optional

from .busy import cpu_words, hot_cpu, idle_words, losses
from .cause import Cause, Confidence, Stage
from .evidence import CLOCK_S, Evidence
from .nic_causes import pcie

STOLEN = 0.1

HOT = 2.0
"""The busiest queue has so many times the mean, or more: one CPU works, the others wait."""

PROGRAM_SHARE = 0.5

EXPLAINS = 0.5
"""A gap in a CPU's time is named where so much of the loss, or more, fell into such gaps."""


def still(seen: Evidence) -> Optional[Cause]:
    if seen.stood_still is None or seen.stood_still < CLOCK_S:
        return None
    return Cause(
        Stage.CPU,
        "the whole machine was paused: meanwhile nothing was taken, and what came is counted outside of it, if at all",
        Confidence.CERTAIN,
        max(1, seen.lost),
        (f"its hardware clock went on for {seen.stood_still:.0f} s without it",),
        ("Look on its hypervisor: a snapshot, a migration, a host that suspends.",),
    )


def stolen(seen: Evidence) -> Optional[Cause]:
    stolen = {cpu: seen.cpus[cpu].stolen for cpu in seen.serving if seen.cpus[cpu].stolen >= STOLEN}
    if not seen.lost or not stolen:
        return None
    worst = max(stolen, key=lambda cpu: stolen[cpu])
    return Cause(
        Stage.CPU,
        "the hypervisor did not run the CPUs that serve the NIC",
        Confidence.LIKELY,
        seen.lost,
        (*losses(seen), f"CPU {worst} was kept waiting for {stolen[worst]:.0%} of the time (steal)"),
        ("Give the machine CPUs of its own, or larger rings for the gaps.",),
    )


def kept(seen: Evidence) -> Optional[Cause]:
    cpu = seen.kept
    if not seen.lost or cpu is None or seen.stalls is None or seen.explained(cpu) < EXPLAINS * seen.lost:
        return None
    stall = seen.stalls[cpu]
    return Cause(
        Stage.CPU,
        f"CPU {cpu}, which serves the NIC, was kept from running",
        Confidence.LIKELY,
        seen.lost,
        (
            *losses(seen),
            f"it took no interrupt for {stall.longest * 1e3:.0f} ms at one time, {stall.late:.2f} s in all",
            f"meanwhile {seen.explained(cpu)} frames more came, at the mean rate, than its ring of {seen.ring} holds",
        ),
        (
            "On a virtual machine give it CPUs of its own.",
            "Else look for firmware ('rtla hwnoise') and for drivers that hold interrupts off ('rtla timerlat').",
            "A larger ring outlasts short gaps.",
        ),
    )


def late_polls(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or seen.deep is None or not seen.ring or hot_cpu(seen) is not None:
        return None
    waits = {cpu: each.below(1.0) for cpu, each in seen.deep.waits.items() if cpu in seen.serving}
    late = {cpu: longest for cpu, longest in waits.items() if longest * seen.arriving(cpu) > seen.ring}
    if not late:
        return None
    cpu = max(late, key=lambda each: late[each])
    times = seen.deep.waits[cpu]
    return Cause(
        Stage.CPU,
        f"CPU {cpu} had time, and came late to the ring all the same",
        Confidence.LIKELY,
        seen.lost,
        (
            *losses(seen),
            f"its softirq waited up to {late[cpu] * 1e3:g} ms, a half of them {times.below(0.5) * 1e3:g} ms",
            f"the ring of {seen.ring} is full after {seen.ring / seen.arriving(cpu) * 1e3:.1f} ms at the mean rate",
        ),
        (
            "Look for a task of real-time priority there that keeps ksoftirqd waiting, and for other long softirqs.",
            "Threaded NAPI lets the scheduler decide (napi: threaded), busy polling avoids softirqs.",
        ),
    )


def one_queue(seen: Evidence) -> Optional[Cause]:
    queue, hot = seen.hottest, hot_cpu(seen)
    if not seen.lost or queue is None or len(seen.queues) < 2 or seen.imbalance < HOT or hot is None:
        return None
    gain = min(seen.imbalance, len(seen.cpus))
    return Cause(
        Stage.CPU,
        f"one core takes it nearly all: queue {queue} is hot",
        Confidence.LIKELY,
        seen.lost,
        (
            *losses(seen),
            f"queue {queue} got {_share(seen.queues[queue], seen.queues)} of the frames",
            f"that is {seen.imbalance:.1f} times the mean of {len(seen.queues)} queues",
            cpu_words(seen, hot),
        ),
        (
            "Spread the flows: an equal indirection table (rss: indirection: equal), ports in the hash (rss_fields).",
            "One flow cannot be spread; let a rule or the peer split it, or redirect to other CPUs (cpumap).",
        ),
        gain,
    )


def slow_program(seen: Evidence) -> Optional[Cause]:
    hot, program = hot_cpu(seen), seen.program
    if not seen.lost or hot is None or program is None or not program.runs:
        return None
    working = sum(seen.busy(cpu) for cpu in seen.serving) * seen.seconds * 1e9
    share = program.nanoseconds / working if working else 0.0
    if share < PROGRAM_SHARE:
        return None
    return Cause(
        Stage.PROGRAM,
        "the XDP program takes the CPU's time",
        Confidence.LIKELY,
        seen.lost,
        (
            *losses(seen),
            f"a packet costs {program.each:.0f} ns in the program, {share:.0%} of all time in softirq",
            cpu_words(seen, hot),
        ),
        (
            "Make it cheaper: switch off features that are not used (constants), prefer hashes to tries, look up less.",
            "Or give it more CPUs: more channels, and interrupts spread over them (irq_affinity: cpus: spread).",
        ),
        1.0 / (1.0 - share) if share < 1.0 else math.inf,
    )


def busy(seen: Evidence) -> Optional[Cause]:
    hot = hot_cpu(seen)
    if not seen.lost or hot is None or one_queue(seen) or slow_program(seen):
        return None
    return Cause(
        Stage.CPU,
        "the CPUs that serve the NIC have no time left",
        Confidence.LIKELY,
        seen.lost,
        (*losses(seen), cpu_words(seen, hot)),
        (
            "More channels with interrupts on CPUs of their own (channels, irq_affinity: cpus: spread).",
            "See what else runs there: RPS, a busy socket, a governor that clocks down ('wirespeed facts').",
        ),
    )


def short_ring(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or hot_cpu(seen) is not None:
        return None
    room = seen.ring is not None and seen.ring_most is not None and seen.ring < seen.ring_most
    if not room:
        return None
    return Cause(
        Stage.DESCRIPTORS,
        "bursts are longer than the receive ring, on CPUs that have time",
        Confidence.LIKELY,
        seen.lost,
        (
            *losses(seen),
            f"the ring has {seen.ring} descriptors of {seen.ring_most} that are possible",
            idle_words(seen),
        ),
        (
            f"Make it larger (tuning rings: rx: {seen.ring_most}).",
            "Interrupts sooner (coalesce: rx-usecs), no deep C-states, and memory at hand if alloc counters rise.",
        ),
    )


def own_limit(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or hot_cpu(seen) is not None or short_ring(seen) or kept(seen) or pcie(seen):
        return None
    return Cause(
        Stage.DESCRIPTORS,
        "the NIC lost frames while its CPUs had time: a burst, or a limit of its own (packets, rules, firmware)",
        Confidence.POSSIBLE,
        seen.lost,
        (*losses(seen), idle_words(seen)),
        ("Compare with the NIC's data sheet; fewer rules, compressed completions, newer firmware.",),
    )


def backlog(seen: Evidence) -> Optional[Cause]:
    dropped = sum(use.backlog_dropped for use in seen.cpus.values())
    if not dropped:
        return None
    return Cause(
        Stage.CPU,
        "the backlog of a CPU had no room, behind the NIC (RPS, veth and other virtual devices)",
        Confidence.CERTAIN,
        dropped,
        (f"{dropped} packets were dropped there (softnet_stat, second column)",),
        ("Take RPS off NICs with queues of their own, or raise net.core.netdev_max_backlog.",),
    )


def _share(count: int, of: Mapping[int, int]) -> str:
    return f"{count / sum(of.values()):.0%}"
