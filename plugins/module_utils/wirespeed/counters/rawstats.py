# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw counters of one NIC at one reading, as the kernel's interfaces give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Tuple

from .table import Source


@dataclass(frozen=True)
class RawStats:
    """``ethtool`` keeps order, blanks and repeated names (vmxnet3 tells its queues by position).

    ``groups`` are the standard statistics of ethtool, ``eth-mac-FramesReceivedOK`` for instance.
    ``queues`` is ``(direction, queue) -> name -> value``. ``unread`` says per source why it is empty.
    ``began``, ``ended`` are monotonic nanoseconds.
    """

    ethtool: Tuple[Tuple[str, int], ...] = ()
    queues: Mapping[Tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    link: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[Source, str] = field(default_factory=dict)
    began: int = 0
    ended: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)
