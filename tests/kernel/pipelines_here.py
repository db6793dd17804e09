# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives pipelines the way the engine does, by steps, and reads their counters."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Action, Step
from wirespeed.pipeline import instance
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

Count = Tuple[int, int]  # packets, bytes


def step(action: Action, target: str, resource: str, before: object, after: object) -> Step:
    return Step(target, action, resource, before, after, "test", "test")  # type: ignore[arg-type]


def load_step(source: PipelineSource) -> Step:
    after = {"generation": source.generation, "digest": source.digest}
    return step(Action.LOAD, source.manifest.name, "instance", {}, after)


def configure_step(source: PipelineSource, table: str, add: Sequence[str], remove: Sequence[str] = ()) -> Step:
    before = {"generation": source.generation, "rows": list(remove)}
    return step(
        Action.CONFIGURE, source.manifest.name, table, before, {"generation": source.generation, "rows": list(add)}
    )


def publish_step(pipeline: str, before: Optional[str], after: Optional[str]) -> Step:
    return step(Action.PUBLISH, pipeline, "slot", {"generation": before}, {"generation": after})


def attach_step(nic: str, pipeline: str, mode: XdpMode = XdpMode.NATIVE) -> Step:
    return step(Action.ATTACH, nic, "xdp", {}, {"mode": mode.value, "pipeline": pipeline})


class Node:
    """One node's pipelines, by the default paths of the environment."""

    def __init__(self, *sources: PipelineSource) -> None:
        self.paths = Paths.from_environment()
        self.actuator = PipelineActuator(self.paths, {source.manifest.name: source for source in sources})

    def do(self, *steps: Step) -> None:
        """Applies each step and holds it to its read-back."""
        for each in steps:
            self.actuator.apply(each)
            assert self.actuator.deviation(each) == ""

    def run(self, source: PipelineSource, deny_v4: Sequence[str] = (), deny_v6: Sequence[str] = ()) -> None:
        """Loads, fills the tables, publishes."""
        live = instance.published(self.paths, source.manifest.name)
        self.do(load_step(source))
        for table, rows in (("deny_v4", deny_v4), ("deny_v6", deny_v6)):
            if rows:
                self.do(configure_step(source, table, rows))
        self.do(publish_step(source.manifest.name, live, source.generation))

    def root(self, pipeline: str = "scrubber") -> BpfProgram:
        return BpfProgram.pinned(str(self.paths.root(pipeline)))

    def verdicts(self, source: PipelineSource) -> List[Count]:
        """Packets and bytes of each verdict, all CPUs together."""
        with instance.open_map(self.paths, source.manifest.name, source.generation, "verdicts") as found:
            return [_sum(found, number) for number in range(len(source.manifest.verdicts))]

    def unfiltered(self, pipeline: str = "scrubber") -> Count:
        """What met an empty slot."""
        with BpfMap.pinned(str(self.paths.empty_slot(pipeline))) as found:
            return _sum(found, 0)


def _sum(found: BpfMap, number: int) -> Count:
    values = found.lookup_percpu(number.to_bytes(4, "little"))
    return (
        sum(int.from_bytes(value[:8], "little") for value in values),
        sum(int.from_bytes(value[8:], "little") for value in values),
    )
