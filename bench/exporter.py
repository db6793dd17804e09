# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scrape costs of eight NICs with 64 queues each and 10,000 policies, beside the tools that tell it raw."""

from __future__ import annotations

import struct
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

from tests.kernel.pipelines_here import Node, attach_step
from tests.pipelines import scrubber
from wirespeed.exporter import exposition
from wirespeed.exporter.reader import Reader, Wanted
from wirespeed.gather import BUILT_IN_PROFILES
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.profiles.load import load

from .cabled import cabled
from .series import Series, in_turn

NICS, QUEUES, POLICIES, ROUNDS = [f"ws{number}" for number in range(8)], 64, 10_000, 7
VERDICTS = (7, 11)
RAW = "ethtool -S of each and bpftool map dump"
_ENTITY = struct.Struct("=IIHH")


def report() -> Iterator[str]:
    with cabled(*NICS, queues=QUEUES) as made:
        found, sizes, cpu = made.node.run(_measured, timeout=900.0)
    raw: Series = found.pop(RAW)
    yield f"a scrape of {len(NICS)} NICs, {QUEUES} queues, {POLICIES:,} policies: {raw.milliseconds}"
    for name, series in found.items():
        series_count, kilobytes = sizes[name]
        yield (
            f"a scrape of {len(NICS)} NICs, {QUEUES} queues, {POLICIES:,} policies: {series.milliseconds}, "
            f"CPU {cpu[name].median * 1e3:.3g} ms: {series.beside(raw)}; {series_count:,} series, {kilobytes:,} kB"
        )


def _measured() -> Tuple[Dict[str, Series], Dict[str, Tuple[int, int]], Dict[str, Series]]:
    source = scrubber()
    sized = {**source.manifest.maps, "entities": replace(source.manifest.maps["entities"], max_entries=1 << 16)}
    source = replace(source, manifest=replace(source.manifest, maps=sized), loaded_as="")
    node = Node(source)
    node.run(source, deny_v4=["192.0.2.0/24"])
    for nic in NICS:
        node.do(attach_step(nic, "scrubber"))
    _fill(node.paths, source.generation)
    profiles = load([BUILT_IN_PROFILES])
    wanted = {
        "NICs, verdicts and maps": Wanted(every=0),
        "and queues": Wanted(queues=True, every=0),
        "and entities": Wanted(queues=True, entities=POLICIES, every=0),
    }
    readers = {name: Reader(node.paths, profiles, each) for name, each in wanted.items()}
    cpu = {name: Series(name) for name in readers}
    sizes: Dict[str, Tuple[int, int]] = {}
    ways: Dict[str, Callable[[], float]] = {
        name: _scrape(name, reader, cpu[name], sizes) for name, reader in readers.items()
    }
    ways[RAW] = lambda: _raw(node.paths, source.generation)
    found = in_turn(ways, ROUNDS)
    for reader in readers.values():
        with closing(reader):
            pass
    return found, sizes, {name: Series(name, each.values[1:]) for name, each in cpu.items()}


def _fill(paths: Paths, generation: str) -> None:
    with instance.open_map(paths, "scrubber", generation, "entities") as entities:
        entries: List[Tuple[bytes, bytes]] = []
        for policy in range(1, POLICIES + 1):
            for verdict in VERDICTS:
                value = entities.spread(struct.pack("=QQ", policy, policy * 64))
                entries.append((_ENTITY.pack(policy // 4, policy, verdict, 0), value))
        entities.update_many(entries)


def _scrape(name: str, reader: Reader, cpu: Series, sizes: Dict[str, Tuple[int, int]]) -> Callable[[], float]:
    def once() -> float:
        started, used = time.perf_counter(), time.process_time()
        text = exposition.text(reader)
        took = time.perf_counter() - started
        cpu.values.append(time.process_time() - used)
        sizes[name] = (sum(not line.startswith(b"#") for line in text.splitlines()), len(text) // 1000)
        return took

    return once


def _raw(paths: Paths, generation: str) -> float:
    pin = str(paths.map("scrubber", generation, "entities"))
    started = time.perf_counter()
    with Path("/dev/null").open("wb") as nowhere:
        for nic in NICS:
            subprocess.run(["ethtool", "-S", nic], check=True, stdout=nowhere)
        subprocess.run(["bpftool", "-j", "map", "dump", "pinned", pin], check=True, stdout=nowhere)
    return time.perf_counter() - started
