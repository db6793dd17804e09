# SPDX-License-Identifier: GPL-3.0-or-later
"""A million entries handed to the next generation, beside a plain read and write of them in batches from Python.

Each way has a pipeline of its own, whose generations follow each other; the entries are made once and go on and on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator

from tests.kernel.handover_cases import MEMBERS, flows
from tests.pipelines import renamed
from wirespeed.kernel.bpf_map import HASH, BpfMap
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .cabled import cabled
from .paired import seconds
from .series import Series, in_turn

ENTRIES, ROUNDS = 1_000_000, 3
ROOM = 1 << 20
LAYOUTS = (MEMBERS, f"{MEMBERS} __u64 mark;")
PLAIN = "read and write in batches"
_VALUE = struct.Struct("<QQQ")


@dataclass
class Succession:
    """``pipeline`` is the name, ``source`` makes the generation of a number."""

    pipeline: str
    source: Callable[[int], PipelineSource]
    number: int = 0
    paths: Paths = field(default_factory=Paths.from_environment)

    def begin(self) -> None:
        self._reload(self._generation(0))
        with self.flows() as made:
            made.update_many([(key.to_bytes(4, "little"), _VALUE.pack(1, 60, key)) for key in range(ENTRIES)])

    def step(self) -> float:
        """Seconds of load and publish; the one before is unloaded when the time is taken."""
        before, self.number = self._generation(self.number), self.number + 1
        after = self._generation(self.number)
        taken = seconds(lambda: self._reload(after))
        instance.unload(self.paths, self.pipeline, before.generation)
        return taken

    def _reload(self, source: PipelineSource) -> None:
        instance.load(self.paths, source)
        instance.publish(self.paths, source)

    def entries(self) -> int:
        with self.flows() as found:
            return sum(1 for dummy in found.items())

    def _generation(self, number: int) -> PipelineSource:
        return renamed(self.source(number), self.pipeline)

    def flows(self) -> BpfMap:
        return instance.open_map(self.paths, self.pipeline, self._generation(self.number).generation, "flows")


def report() -> Iterator[str]:
    with cabled("ws0") as made:
        found: Dict[str, Series] = made.node.run(_measured, timeout=300.0)
    plain = found.pop(PLAIN)
    yield f"hand-over of {ENTRIES:,} entries: {PLAIN} {plain.median:.2f} s"
    for name, series in found.items():
        yield f"hand-over of {ENTRIES:,} entries: {name} {series.median:.3g} s: {series.beside(plain)}"


def _measured() -> Dict[str, Series]:
    ways = {
        "shared": Succession("shared", lambda at: flows(entries=ROOM, version=str(at))),
        "fetched, then swept": Succession("fetched", lambda at: _other_layout(at, sdk=True)),
        "copied before the publish (newest)": Succession("newest", lambda at: _other_layout(at, merge="newest")),
        "copied after the publish (keep_new)": Succession("kept", lambda at: _other_layout(at, merge="keep_new")),
    }
    for way in ways.values():
        way.begin()
    found = in_turn({**{name: way.step for name, way in ways.items()}, PLAIN: _plain(ways["shared"])}, ROUNDS)
    for name, way in ways.items():
        assert way.entries() == ENTRIES, f"{name}: entries are missing"
    return found


def _other_layout(number: int, sdk: bool = False, **spec: str) -> PipelineSource:
    return flows(members=LAYOUTS[number % 2], entries=ROOM, sdk=sdk, version=str(number), **spec)


def _plain(shared: Succession) -> Callable[[], float]:
    """From one map into another one of the same kind and size, which is made when the time is not taken yet."""

    def measure() -> float:
        with shared.flows() as source, BpfMap.create(HASH, "plain", (4, _VALUE.size), ROOM) as target:
            return seconds(lambda: target.update_many(list(source.items())))

    return measure
