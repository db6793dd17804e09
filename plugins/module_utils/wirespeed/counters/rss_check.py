# SPDX-License-Identifier: GPL-3.0-or-later
"""Does traffic land where the indirection table says? Pure.

A table can read back right while the device no longer uses it (virtio_net after an XDP attach).
Two signs: frames on queues that are not in the table, and many flows on one queue of many.
Frames without a hash (ARP, spanning tree) rightly go to queue 0, so a few strays prove nothing.
Flows are told apart by their addresses alone: igb leaves the ports of UDP out of its hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Sequence

from .judge import Status

FEWEST_PACKETS = 200
FLOWS_PER_QUEUE = 4
STRAY_SHARE = 0.05


@dataclass(frozen=True)
class SpreadCheck:
    """``packets`` is queue -> frames in the window."""

    status: Status
    why: str
    packets: Mapping[int, int] = field(default_factory=dict)


def check(
    packets: Mapping[int, int], table: Optional[Sequence[int]], flows: Optional[int], lacking: str
) -> SpreadCheck:
    """``table`` is the queue of each bucket; ``flows`` how many distinct pairs of
    addresses the caller sent, if it knows.

    ``lacking`` says why ``packets`` is empty, when the driver does not tell per queue.
    """
    if not table:
        return SpreadCheck(Status.NOT_APPLICABLE, "the NIC has no indirection table to compare with", packets)
    if not packets:
        return SpreadCheck(Status.NOT_APPLICABLE, f"no counters per queue: {lacking}")
    total = sum(packets.values())
    listed = sorted(set(table))
    if total < FEWEST_PACKETS:
        why = f"{total} frames in the window, {FEWEST_PACKETS} are needed"
        return SpreadCheck(Status.TOO_LITTLE, why, packets)
    stray = {queue: count for queue, count in packets.items() if count and queue not in listed}
    if sum(stray.values()) > total * STRAY_SHARE:
        why = (
            f"{sum(stray.values())} of {total} frames landed on queues {sorted(stray)}, "
            f"which are not in the indirection table (queues {listed}): "
            "the device does not use the table that reads back"
        )
        return SpreadCheck(Status.BROKEN, why, packets)
    return _evenness(packets, listed, flows)


def _evenness(packets: Mapping[int, int], listed: Sequence[int], flows: Optional[int]) -> SpreadCheck:
    used = sorted(queue for queue, count in packets.items() if count > sum(packets.values()) * STRAY_SHARE)
    if len(listed) == 1:
        return SpreadCheck(Status.HOLDS, f"all frames landed on queue {listed[0]}, the only one in the table", packets)
    needed = FLOWS_PER_QUEUE * len(listed)
    if flows is None or flows < needed:
        known = "of an unknown number of flows" if flows is None else f"of only {flows} flows"
        why = f"frames {known} landed on {len(used)} of {len(listed)} queues; {needed} flows would tell"
        return SpreadCheck(Status.TOO_LITTLE, why, packets)
    if len(used) == 1:
        why = f"{flows} flows all landed on queue {used[0]}, the table spreads them over queues {list(listed)}"
        return SpreadCheck(Status.BROKEN, why, packets)
    return SpreadCheck(Status.HOLDS, f"{flows} flows landed on queues {used} of the table's {list(listed)}", packets)
