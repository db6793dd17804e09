# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receive softirq tells of each CPU: /proc/net/softnet_stat (net/core/net-procfs.c softnet_seq_show, 6.12).

Columns are hexadecimal and wrap at 32 bits. Rows stand for online CPUs only, so column 13 says which; kernels before
5.12 lack it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from .netdev_sysfs import read

_FILE = Path("/proc/net/softnet_stat")
_PROCESSED, _DROPPED, _SQUEEZED, _CPU = 0, 1, 2, 12
WIDTH = 32


@dataclass(frozen=True)
class Softnet:
    """``squeezed``: how often net_rx_action ended with work left. ``dropped``: packets for which the CPU's backlog had
    no room (RPS, veth); a NIC with NAPI never comes there."""

    processed: int
    dropped: int
    squeezed: int


def softnet() -> Dict[int, Softnet]:
    """By CPU, since boot."""
    return parse(read(_FILE))


def parse(text: str) -> Dict[int, Softnet]:
    found = {}
    for row, line in enumerate(text.splitlines()):
        columns = [int(column, 16) for column in line.split()]
        cpu = columns[_CPU] if len(columns) > _CPU else row
        found[cpu] = Softnet(columns[_PROCESSED], columns[_DROPPED], columns[_SQUEEZED])
    return found
