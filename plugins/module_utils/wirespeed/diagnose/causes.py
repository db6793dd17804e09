# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stage lost the frames: rows that look at the evidence, each a hypothesis with its figures. Pure.

The order of stages is a packet's: wire, MAC, port buffer, PCIe, descriptors, softirq, program, redirect. A counter of
the port's buffer does not tell a late CPU from a slow bus: on mlx5 it rises in both cases (xdp-newbies, 13 April 2023),
so what the CPUs did decides between the two.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..counters.table import Counter
from .evidence import CLOCK_S, Evidence, Pcie

BUSY = 0.9
"""The share of a CPU's time in softirq from which it has none left; the rest is the kernel's own housekeeping."""

STOLEN = 0.1
SURELY = 10
"""So many frames are more than may be under way at the ends of a window."""

HOT = 2.0
"""The busiest queue has so many times the mean, or more: one CPU works, the others wait."""

PROGRAM_SHARE = 0.5
EXPLAINS = 0.5
"""A gap in a CPU's time is named where so much of the loss, or more, fell into such gaps."""

SQUEEZED_EACH_S = 10


ON_PURPOSE = frozenset({"XDP", "NETFILTER_DROP", "TC_INGRESS", "TC_EGRESS", "SOCKET_FILTER", "BPF_CGROUP_EGRESS"})
"""Reasons for which somebody asked."""

REASONS: Mapping[str, str] = {
    "NO_SOCKET": "NO_SOCKET: nobody listens there.",
    "SOCKET_RCVBUFF": "SOCKET_RCVBUFF: the application is too slow, or its buffer too small (net.core.rmem_max).",
    "CPU_BACKLOG": "CPU_BACKLOG: raise net.core.netdev_max_backlog, or take RPS off.",
    "OTHERHOST": "OTHERHOST: frames for another MAC address come in, as on a promiscuous NIC.",
    "UNHANDLED_PROTO": "UNHANDLED_PROTO: nothing on this host takes that protocol.",
    "IP_RPFILTER": "IP_RPFILTER: the way back leads elsewhere (net.ipv4.conf.*.rp_filter).",
    "QDISC_DROP": "QDISC_DROP: the queueing discipline of the sending side was full.",
}


class Stage(str, Enum):
    LINK = "link"
    FLOW_CONTROL = "flow control"
    MAC = "MAC"
    PCIE = "PCIe"
    DESCRIPTORS = "descriptors"
    CPU = "CPU"
    REDIRECT = "redirect"
    PROGRAM = "program"
    STACK = "stack"
    POLICY = "policy"
    NOTHING = "nothing"

    def __str__(self) -> str:
        return self.value


class Confidence(str, Enum):
    """``likely``: the figures speak for it and against the others. ``possible``: they do not speak against it."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Cause:
    """``frames`` that it explains, 0 for none that are lost. ``evidence`` and ``advice`` are sentences. ``gain``: how
    many times as many frames could be taken without it, at most, where that can be said."""

    stage: Stage
    says: str
    confidence: Confidence
    frames: int
    evidence: Tuple[str, ...]
    advice: Tuple[str, ...]
    gain: float = math.inf


Row = Callable[[Evidence], Optional[Cause]]


def causes(seen: Evidence) -> List[Cause]:
    """The likeliest first: what is certain, then what explains most frames, then what would help most, then in the
    order of the rows."""
    found = [cause for cause in (row(seen) for row in ROWS) if cause is not None]
    order = list(Confidence)
    losses = sorted(
        found, key=lambda cause: (not cause.frames, order.index(cause.confidence), -cause.frames, -cause.gain)
    )
    return losses or [_nothing(seen)]


def _link(seen: Evidence) -> Optional[Cause]:
    if not seen.carrier_changes:
        return None
    return Cause(
        Stage.LINK,
        "the carrier came and went: while it is gone nothing arrives, and no counter says what was sent",
        Confidence.CERTAIN,
        max(1, seen.lost),
        (f"the carrier of {seen.nic} changed {seen.carrier_changes} times",),
        ("Look for who set the NIC (dmesg, 'wirespeed plan'), then at the cable and the peer.",),
    )


def _still(seen: Evidence) -> Optional[Cause]:
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


def _unheard(seen: Evidence) -> Optional[Cause]:
    came = seen.count(Counter.DRIVER_PACKETS)
    if seen.program is None or seen.program.runs or came < SURELY:
        return None
    return Cause(
        Stage.PROGRAM,
        "the XDP program is attached, but the driver runs it on no frame: nothing is filtered",
        Confidence.CERTAIN,
        max(1, seen.lost),
        (f"the driver took {came} frames, and the program ran 0 times",),
        (
            "Attach it anew. vmxnet3 forgets it when its rings, its MTU or 'ip link set down' re-create the queues.",
            "'wirespeed plan' shows what else has changed.",
        ),
    )


def _damaged(seen: Evidence) -> Optional[Cause]:
    damaged = seen.count(Counter.ERROR_CRC)
    if not damaged:
        return None
    advice = "Exchange cable and module, compare FEC on both sides ('ethtool --show-fec'); neither ring nor CPU helps."
    evidence = f"{damaged} frames had a bad checksum (FCS)"
    return Cause(Stage.MAC, "frames arrive damaged", Confidence.CERTAIN, damaged, (evidence,), (advice,))


def _length(seen: Evidence) -> Optional[Cause]:
    wrong = seen.count(Counter.ERROR_LENGTH)
    if not wrong:
        return None
    advice = "Bring the peer's MTU and this NIC's together; XDP bounds the MTU ('wirespeed profile explain')."
    evidence = f"{wrong} frames were longer or shorter than the NIC takes"
    return Cause(Stage.MAC, "frames of a wrong length arrive", Confidence.CERTAIN, wrong, (evidence,), (advice,))


def _one_queue(seen: Evidence) -> Optional[Cause]:
    queue, hot = seen.hottest, _hot_cpu(seen)
    if not seen.lost or queue is None or len(seen.queues) < 2 or seen.imbalance < HOT or hot is None:
        return None
    gain = min(seen.imbalance, len(seen.cpus))
    return Cause(
        Stage.CPU,
        f"one core takes it nearly all: queue {queue} is hot",
        Confidence.LIKELY,
        seen.lost,
        (
            *_losses(seen),
            f"queue {queue} got {_share(seen.queues[queue], seen.queues)} of the frames",
            f"that is {seen.imbalance:.1f} times the mean of {len(seen.queues)} queues",
            _cpu(seen, hot),
        ),
        (
            "Spread the flows: an equal indirection table (rss: indirection: equal), ports in the hash (rss_fields).",
            "One flow cannot be spread; let a rule or the peer split it, or redirect to other CPUs (cpumap).",
        ),
        gain,
    )


def _slow_program(seen: Evidence) -> Optional[Cause]:
    hot, program = _hot_cpu(seen), seen.program
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
            *_losses(seen),
            f"a packet costs {program.each:.0f} ns in the program, {share:.0%} of all time in softirq",
            _cpu(seen, hot),
        ),
        (
            "Make it cheaper: switch off features that are not used (constants), prefer hashes to tries, look up less.",
            "Or give it more CPUs: more channels, and interrupts spread over them (irq_affinity: cpus: spread).",
        ),
        1.0 / (1.0 - share) if share < 1.0 else math.inf,
    )


def _busy(seen: Evidence) -> Optional[Cause]:
    hot = _hot_cpu(seen)
    if not seen.lost or hot is None or _one_queue(seen) or _slow_program(seen):
        return None
    return Cause(
        Stage.CPU,
        "the CPUs that serve the NIC have no time left",
        Confidence.LIKELY,
        seen.lost,
        (*_losses(seen), _cpu(seen, hot)),
        (
            "More channels with interrupts on CPUs of their own (channels, irq_affinity: cpus: spread).",
            "See what else runs there: RPS, a busy socket, a governor that clocks down ('wirespeed facts').",
        ),
    )


def _stolen(seen: Evidence) -> Optional[Cause]:
    stolen = {cpu: seen.cpus[cpu].stolen for cpu in seen.serving if seen.cpus[cpu].stolen >= STOLEN}
    if not seen.lost or not stolen:
        return None
    worst = max(stolen, key=lambda cpu: stolen[cpu])
    return Cause(
        Stage.CPU,
        "the hypervisor did not run the CPUs that serve the NIC",
        Confidence.LIKELY,
        seen.lost,
        (*_losses(seen), f"CPU {worst} was kept waiting for {stolen[worst]:.0%} of the time (steal)"),
        ("Give the machine CPUs of its own, or larger rings for the gaps.",),
    )


def _kept(seen: Evidence) -> Optional[Cause]:
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
            *_losses(seen),
            f"it took no interrupt for {stall.longest * 1e3:.0f} ms at one time, {stall.late:.2f} s in all",
            f"meanwhile {seen.explained(cpu)} frames more came, at the mean rate, than its ring of {seen.ring} holds",
        ),
        (
            "On a virtual machine give it CPUs of its own.",
            "Else look for firmware ('rtla hwnoise') and for drivers that hold interrupts off ('rtla timerlat').",
            "A larger ring outlasts short gaps.",
        ),
    )


def _late_polls(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or seen.deep is None or not seen.ring or _hot_cpu(seen) is not None:
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
            *_losses(seen),
            f"its softirq waited up to {late[cpu] * 1e3:g} ms, a half of them {times.below(0.5) * 1e3:g} ms",
            f"the ring of {seen.ring} is full after {seen.ring / seen.arriving(cpu) * 1e3:.1f} ms at the mean rate",
        ),
        (
            "Look for a task of real-time priority there that keeps ksoftirqd waiting, and for other long softirqs.",
            "Threaded NAPI lets the scheduler decide (napi: threaded), busy polling avoids softirqs.",
        ),
    )


def _stack(seen: Evidence) -> Optional[Cause]:
    if seen.deep is None:
        return None
    lost = {reason: count for reason, count in seen.deep.reasons.items() if reason not in ON_PURPOSE and count}
    if not lost:
        return None
    told = sorted(lost, key=lambda reason: -lost[reason])
    return Cause(
        Stage.STACK,
        "the kernel's stack dropped packets that the NIC and the program let through",
        Confidence.CERTAIN,
        sum(lost.values()),
        tuple(f"{lost[reason]} packets: {reason}" for reason in told),
        tuple(REASONS[reason] for reason in told if reason in REASONS)
        or ("'enum skb_drop_reason' in the kernel's include/net/dropreason-core.h says what each reason means.",),
    )


def _pcie(seen: Evidence) -> Optional[Cause]:
    link = seen.pcie
    if not seen.lost or link is None or _hot_cpu(seen) is not None:
        return None
    signs = tuple(_bus_signs(link))
    if not signs:
        return None
    return Cause(
        Stage.PCIE,
        "the NIC cannot bring frames to memory fast enough",
        Confidence.LIKELY if seen.count(Counter.NIC_DROP) else Confidence.POSSIBLE,
        seen.lost,
        (*_losses(seen), *signs, _idle(seen)),
        ("Put it into a slot with its full width and speed; look at 'lspci -vv' LnkSta and at the BIOS.",),
    )


def _bus_signs(link: Pcie) -> Iterator[str]:
    if link.narrowed:
        yield f"its link runs at {link.speed:g} GT/s x{link.width} of {link.max_speed:g} GT/s x{link.max_width}"
    if link.stalled:
        yield f"writes to memory waited for the bus in {link.stalled} seconds of the window"
    if link.errors:
        yield f"it reported {link.errors} errors of its link, corrected ones too (aer_dev_* in sysfs)"


def _short_ring(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or _hot_cpu(seen) is not None:
        return None
    room = seen.ring is not None and seen.ring_most is not None and seen.ring < seen.ring_most
    if not room:
        return None
    return Cause(
        Stage.DESCRIPTORS,
        "bursts are longer than the receive ring, on CPUs that have time",
        Confidence.LIKELY,
        seen.lost,
        (*_losses(seen), f"the ring has {seen.ring} descriptors of {seen.ring_most} that are possible", _idle(seen)),
        (
            f"Make it larger (tuning rings: rx: {seen.ring_most}).",
            "Interrupts sooner (coalesce: rx-usecs), no deep C-states, and memory at hand if alloc counters rise.",
        ),
    )


def _own_limit(seen: Evidence) -> Optional[Cause]:
    if not seen.lost or _hot_cpu(seen) is not None or _short_ring(seen) or _kept(seen) or _pcie(seen):
        return None
    return Cause(
        Stage.DESCRIPTORS,
        "the NIC lost frames while its CPUs had time: a burst, or a limit of its own (packets, rules, firmware)",
        Confidence.POSSIBLE,
        seen.lost,
        (*_losses(seen), _idle(seen)),
        ("Compare with the NIC's data sheet; fewer rules, compressed completions, newer firmware.",),
    )


def _redirects(seen: Evidence) -> Optional[Cause]:
    failed = seen.redirect_errors or {}
    if not failed:
        return None
    told = (f"{count} redirected frames failed: {_reason(number)}" for number, count in failed.items())
    return Cause(
        Stage.REDIRECT,
        "redirects fail: their target does not take the frames",
        Confidence.CERTAIN,
        sum(failed.values()),
        tuple(told),
        (
            "The target must be up, and its MTU hold the frame.",
            "Many drivers take XDP frames only while they carry a program: give the target one (workload: forward).",
        ),
    )


def _exceptions(seen: Evidence) -> Optional[Cause]:
    if not seen.exceptions:
        return None
    return Cause(
        Stage.PROGRAM,
        "the driver could not do what the program said, or the program failed (XDP_ABORTED, failed XDP_TX)",
        Confidence.CERTAIN,
        seen.exceptions,
        (f"the kernel passed xdp_exception {seen.exceptions} times",),
        ("XDP_TX fails where the send rings are full or missing: look at tx counters; XDP_ABORTED is a bug to find.",),
    )


def _backlog(seen: Evidence) -> Optional[Cause]:
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


def _pause(seen: Evidence) -> Optional[Cause]:
    if seen.pause is None or not seen.pause.sent:
        return None
    hot = _hot_cpu(seen)
    return Cause(
        Stage.FLOW_CONTROL,
        "the NIC asked its peer to wait: this host is too slow, and what is lost is lost before it",
        Confidence.CERTAIN,
        0,
        (f"{seen.pause.sent} pause frames were sent", _idle(seen) if hot is None else _cpu(seen, hot)),
        (
            "Cure it as a loss: more CPUs, a cheaper program, larger rings. The peer's counters tell what it dropped.",
            "To have the losses counted here, switch the sending of pause frames off (pause: tx: false).",
        ),
    )


def _paused(seen: Evidence) -> Optional[Cause]:
    if seen.pause is None or not seen.pause.received:
        return None
    return Cause(
        Stage.FLOW_CONTROL,
        "the peer asked this NIC to wait: what it forwards or sends piles up",
        Confidence.POSSIBLE,
        0,
        (f"{seen.pause.received} pause frames were received",),
        ("Look at the peer; or take no pause frames from it (pause: rx: false).",),
    )


def _policy(seen: Evidence) -> Optional[Cause]:
    dropped = seen.actions.get("drop", 0)
    if not dropped:
        return None
    names = sorted(seen.verdicts, key=lambda name: -seen.verdicts[name])
    most = ", ".join(f"{name} {seen.verdicts[name]}" for name in names if seen.verdicts[name])
    advice = "If they are too many: 'wirespeed trace NIC --verdict drop' shows them, with whose they are."
    return Cause(
        Stage.POLICY,
        f"the pipeline dropped {dropped} packets on purpose: no loss",
        Confidence.CERTAIN,
        0,
        (f"verdicts: {most}",),
        (advice,),
    )


ROWS: Sequence[Row] = (
    _link,
    _still,
    _unheard,
    _damaged,
    _length,
    _redirects,
    _exceptions,
    _backlog,
    _stolen,
    _kept,
    _late_polls,
    _one_queue,
    _slow_program,
    _busy,
    _pcie,
    _short_ring,
    _own_limit,
    _pause,
    _stack,
    _policy,
    _paused,
)


def _nothing(seen: Evidence) -> Cause:
    return Cause(Stage.NOTHING, "no loss was seen", Confidence.CERTAIN, 0, (), ())


def _hot_cpu(seen: Evidence) -> Optional[int]:
    """The busiest CPU that serves the NIC, where it has no time left."""
    cpu = seen.busiest
    return cpu if cpu is not None and _worn_out(seen, cpu) else None


def _worn_out(seen: Evidence, cpu: int) -> bool:
    squeezed = seen.cpus[cpu].squeezed > SQUEEZED_EACH_S * seen.seconds
    return seen.busy(cpu) >= (BUSY / 2 if squeezed else BUSY)


def _losses(seen: Evidence) -> Iterator[str]:
    for counter, text in (
        (Counter.HOST_DROP, "frames found no descriptor or no memory (host_drop)"),
        (Counter.NIC_DROP, "frames were lost in the NIC's own buffer (nic_drop)"),
    ):
        if seen.count(counter):
            yield f"{seen.count(counter)} {text}"


def _cpu(seen: Evidence, cpu: int) -> str:
    use = seen.cpus[cpu]
    squeezed = f", and ended with packets left {use.squeezed} times" if use.squeezed else ""
    return f"CPU {cpu} spent {seen.busy(cpu):.0%} of the time in softirq{squeezed}"


def _idle(seen: Evidence) -> str:
    cpu = seen.busiest
    if cpu is None:
        return "how busy the CPUs were is not known"
    return f"the busiest CPU that serves it, {cpu}, spent {seen.busy(cpu):.0%} of the time in softirq"


def _reason(number: int) -> str:
    return f"{os.strerror(number)} (errno {number})" if number else "the target's send ring was full"


def _share(count: int, of: Mapping[int, int]) -> str:
    return f"{count / sum(of.values()):.0%}"
