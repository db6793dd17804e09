# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stage lost the frames: rows that look at the evidence, each a hypothesis with its figures. Pure.

The order of stages is a packet's: wire, MAC, port buffer, PCIe, descriptors, softirq, program, redirect.
"""

from __future__ import annotations

from typing import List, Sequence

from . import host_causes, nic_causes, program_causes
from .cause import Cause, Confidence, Row, Stage
from .evidence import Evidence

__all__ = ["Cause", "Confidence", "Stage", "causes"]

ROWS: Sequence[Row] = (
    nic_causes.link,
    host_causes.still,
    program_causes.unheard,
    nic_causes.damaged,
    nic_causes.length,
    program_causes.redirects,
    program_causes.exceptions,
    host_causes.backlog,
    host_causes.stolen,
    host_causes.kept,
    host_causes.late_polls,
    host_causes.one_queue,
    host_causes.slow_program,
    host_causes.busy,
    nic_causes.pcie,
    host_causes.short_ring,
    host_causes.own_limit,
    nic_causes.pause,
    program_causes.stack,
    program_causes.policy,
    nic_causes.paused,
)


def causes(seen: Evidence) -> List[Cause]:
    """The likeliest first: what is certain, then what explains most frames, then what would help most, then in the
    order of the rows."""
    found = [cause for cause in (row(seen) for row in ROWS) if cause is not None]
    order = list(Confidence)
    losses = sorted(
        found, key=lambda cause: (not cause.frames, order.index(cause.confidence), -cause.frames, -cause.gain)
    )
    return losses or [_nothing(seen)]


def _nothing(seen: Evidence) -> Cause:
    return Cause(Stage.NOTHING, "no loss was seen", Confidence.CERTAIN, 0, (), ())
