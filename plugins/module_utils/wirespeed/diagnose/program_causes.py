# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes in the program and behind it: what it decides, where it fails, where its redirects go, the stack. Pure."""

from __future__ import annotations

import os
from typing import Mapping, Optional

from ..counters.table import Counter
from .cause import Cause, Confidence, Stage
from .evidence import Evidence

SURELY = 10
"""So many frames are more than may be under way at the ends of a window."""

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


def unheard(seen: Evidence) -> Optional[Cause]:
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


def redirects(seen: Evidence) -> Optional[Cause]:
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


def exceptions(seen: Evidence) -> Optional[Cause]:
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


def stack(seen: Evidence) -> Optional[Cause]:
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


def policy(seen: Evidence) -> Optional[Cause]:
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


def _reason(number: int) -> str:
    return f"{os.strerror(number)} (errno {number})" if number else "the target's send ring was full"
