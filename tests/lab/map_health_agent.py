# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: makes a map of each kind, fills it and looks at it as `wirespeed maps` does; one JSON line each.

{"walk": OBJECT, "counts": OBJECT}    in base64
    -> {"kernel": RELEASE, "counted": {KIND: ENTRIES or null},
        "walked": {KIND: [ENTRIES, EXPIRED, FRESH, {OWNER: ENTRIES}]}}
"""

from __future__ import annotations

import base64
import json
import platform
import struct
import sys
import time
from typing import Any, Dict, List, Optional

from wirespeed.kernel.bpf_map import HASH, LPM_TRIE, LRU_HASH, PERCPU_HASH, BpfMap
from wirespeed.map_health.counts import Counts
from wirespeed.map_health.questions import Expiry, Questions
from wirespeed.map_health.walk import Walk
from wirespeed.pipeline.map_limits import Member

KINDS = {"hash": (HASH, 0), "lru_hash": (LRU_HASH, 0), "percpu_hash": (PERCPU_HASH, 0), "lpm_trie": (LPM_TRIE, 1)}
FIRST, MORE = 4000, 1000
OVER = 10
_NS = 1_000_000_000
_PREFIX = 32


def entries(found: BpfMap, start: int, end: int) -> None:
    """Keys of 12 bytes: the length of a prefix, a number, the number by 7; every tenth one is over."""
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    for number in range(start, end):
        seen = now + 3600 * _NS if number % OVER else 0
        found.update(struct.pack("<I", _PREFIX) + struct.pack(">II", number, 0), found.spread(struct.pack("<Q", seen)))


def counted(code: bytes, found: BpfMap) -> Optional[int]:
    """None where this kernel does not count such a map."""
    counter = Counts(code, [found.info.id])
    try:
        return counter.read().get(found.info.id)
    finally:
        counter.close()


def walked(code: bytes, found: BpfMap) -> List[Any]:
    expires = None if found.info.percpu else Expiry(0, 0)
    walk = Walk(code, found, Questions(True, expires, Member(True, 0, 4)))
    try:
        walk.run()
        entries(found, FIRST, FIRST + MORE)
        second = walk.run()
        return [second.entries, second.expired, second.fresh, dict(second.owners)]
    finally:
        walk.close()


def run(asked: Dict[str, str]) -> Dict[str, Any]:
    walk, counts = (base64.b64decode(asked[name]) for name in ("walk", "counts"))
    told: Dict[str, Any] = {"kernel": platform.release(), "counted": {}, "walked": {}}
    for name, (kind, flags) in KINDS.items():
        with BpfMap.create(kind, name, (12, 8), 4 * (FIRST + MORE), flags=flags) as found:
            entries(found, 0, FIRST)
            told["counted"][name] = counted(counts, found)
            if kind != LPM_TRIE:
                told["walked"][name] = walked(walk, found)
    return told


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
