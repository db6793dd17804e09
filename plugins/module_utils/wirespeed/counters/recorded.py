# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded ``ethtool -S`` text, in whatever state it was handed on. Pure.

ethtool prints a header, then five blanks, the name, ``: `` and the value (ethtool 6.1, common.c and ethtool.c); names
may have blanks, colons and brackets of their own, and vmxnet3's tell by two blanks more what belongs to a queue. People
cut the header off, turn blanks into tabs and leave lines out; what is no counter is told by its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Tuple

from .rawstats import RawStats
from .table import Source

MAX_BYTES = 4 << 20
_LARGEST = 2**64 - 1
_COUNTER = re.compile(r"^(\s*)(\S.*?)\s*:\s*([0-9]+)\s*$")
_HEADER = re.compile(r"^\s*NIC statistics:\s*$")
_ONLY = "a recorded ethtool -S has no others"


@dataclass(frozen=True)
class Recorded:
    """``ethtool`` as the kernel gave it: names with the blanks that belong to them, in order, also repeated ones.

    ``strange`` are lines that are no counter, with their numbers from 1.
    """

    ethtool: Tuple[Tuple[str, int], ...]
    strange: Tuple[Tuple[int, str], ...] = ()

    @property
    def raw(self) -> RawStats:
        return RawStats(self.ethtool, unread={Source.QSTATS: _ONLY, Source.GROUPS: _ONLY, Source.RTNL: _ONLY})


def parse(text: str) -> Recorded:
    found: List[Tuple[str, str, int]] = []
    strange: List[Tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#") or _HEADER.match(line):
            continue
        counter = _COUNTER.match(line)
        if counter and int(counter[3]) <= _LARGEST:
            found.append((counter[1], counter[2], int(counter[3])))
        else:
            strange.append((number, line.strip()))
    margin = min((len(blanks) for blanks, dummy, dummy2 in found), default=0)
    return Recorded(tuple((blanks[margin:] + name, value) for blanks, name, value in found), tuple(strange))
