# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look at a map of a million flows costs: by a walk in the kernel, by its own count, and as others read it."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path
from typing import Callable, Dict, Iterator

from tests.pipelines import support
from wirespeed.kernel import bpf_batch
from wirespeed.kernel.bpf_map import LRU_HASH, BpfMap
from wirespeed.map_health.counts import Counts
from wirespeed.map_health.questions import Expiry, Questions
from wirespeed.map_health.walk import Walk
from wirespeed.pipeline.map_limits import Member

from .paired import seconds
from .series import Series, in_turn

ENTRIES, ROUNDS = 1_000_000, 5
BATCH, BPFTOOL = "a read in batches", "bpftool map dump"
_KEY, _VALUE = struct.Struct("<16sII"), struct.Struct("<QQ")


def report() -> Iterator[str]:
    found = _measured()
    plain = [found.pop(BATCH), found.pop(BPFTOOL)]
    told = ", ".join(f"{each.name} {each.median:.2f} s" for each in plain)
    yield f"health of a map of {ENTRIES:,} entries: {told}"
    for name, series in found.items():
        yield f"health of a map of {ENTRIES:,} entries: {name} {series.median:.3g} s: {series.beside(*plain)}"


def _measured() -> Dict[str, Series]:
    questions = {
        "how many are over": Questions(False, Expiry(0, 0)),
        "and whose": Questions(False, Expiry(0, 0), Member(True, 16, 4)),
        "and which are new": Questions(True, Expiry(0, 0), Member(True, 16, 4)),
    }
    with BpfMap.create(LRU_HASH, "ws_bench", (_KEY.size, _VALUE.size), ENTRIES * 5 // 4) as flows:
        flows.update_many(list(_entries()))
        counts = Counts(support().counts, [flows.info.id])
        walks = {name: Walk(support().walk, flows, asked) for name, asked in questions.items()}
        try:
            ways: Dict[str, Callable[[], float]] = {name: _timed(walk.run) for name, walk in walks.items()}
            ways["the kernel's own count"] = _timed(counts.read)
            ways[BATCH] = _timed(lambda: bpf_batch.read(flows))
            ways[BPFTOOL] = _timed(lambda: _dumped(flows))
            return in_turn(ways, ROUNDS)
        finally:
            counts.close()
            for walk in walks.values():
                walk.close()


def _entries() -> Iterator[tuple[bytes, bytes]]:
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    for number in range(ENTRIES):
        yield _KEY.pack(number.to_bytes(4, "big"), number % 1000, 4), _VALUE.pack(now + number % 3, 1)


def _timed(look: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(look)


def _dumped(flows: BpfMap) -> None:
    with Path("/dev/null").open("wb") as nowhere:
        subprocess.run(["bpftool", "map", "dump", "id", str(flows.info.id)], check=True, stdout=nowhere)
