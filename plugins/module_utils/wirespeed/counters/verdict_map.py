# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the verdict counters of the published instance of a pipeline from its pins."""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Dict, Optional, Tuple, Type

from ..errors import WirespeedError
from ..kernel.bpf_map import BpfMap
from ..pipeline import instance, records, root
from ..pipeline.manifest import VERDICT_MAP, Manifest
from ..pipeline.pins import Paths
from .verdicts import VerdictCount, VerdictName, VerdictReading, summed

_COUNT = struct.Struct("=QQ")
"""``struct ws_count`` of bpf/include/wirespeed.h: packets, bytes."""


class VerdictMap:
    """The open maps of one pipeline, so that a reading between two NIC readings is short.

    Raises WirespeedError when nothing is published, when the pipeline keeps no verdicts, or when
    the record that names them is gone.
    """

    def __init__(self, paths: Paths, pipeline: str) -> None:
        self.pipeline = pipeline
        generation, manifest = _published(paths, pipeline)
        self.names = tuple(VerdictName(i, v.name, v.action) for i, v in enumerate(manifest.verdicts))
        pin = paths.map(pipeline, generation, VERDICT_MAP)
        if not self.names or not pin.exists():
            raise WirespeedError(
                f"Pipeline {pipeline} keeps no verdict counters: its manifest names {len(self.names)} verdicts, and "
                f"{pin} {'exists' if pin.exists() else 'does not exist'}.",
                "Count verdicts with the SDK header (WS_VERDICTS) and name them in the manifest.",
            )
        self._map = instance.open_map(paths, pipeline, generation, VERDICT_MAP)
        empty = paths.empty_slot(pipeline)
        self._empty: Optional[BpfMap] = BpfMap.pinned(str(empty)) if empty.exists() else None

    def read(self) -> VerdictReading:
        """Counts by verdict, summed over CPUs."""
        cells: Dict[int, Tuple[VerdictCount, ...]] = {name.index: _cells(self._map, name.index) for name in self.names}
        unseen = sum(cell.packets for cell in _cells(self._empty, 0)) if self._empty else 0
        return VerdictReading(self.pipeline, self._map.info.id, self.names, summed(self.names, cells), unseen)

    def close(self) -> None:
        self._map.close()
        if self._empty:
            self._empty.close()

    def __enter__(self) -> "VerdictMap":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def root_program(paths: Paths, pipeline: str) -> int:
    """The id of the root that a NIC of this pipeline must carry."""
    with root.program(paths, pipeline) as program:
        return program.info.id


def _cells(counters: BpfMap, index: int) -> Tuple[VerdictCount, ...]:
    values = counters.lookup_percpu(index.to_bytes(4, "little"))
    return tuple(VerdictCount(*_COUNT.unpack_from(value)) for value in values)


def _published(paths: Paths, pipeline: str) -> Tuple[str, Manifest]:
    generation = instance.published(paths, pipeline)
    if generation is None:
        raise WirespeedError(
            f"Pipeline {pipeline} has no published instance of ours below {paths.pipeline(pipeline)}.",
            "Run the playbook: it loads and publishes one.",
        )
    record = records.read(paths, pipeline, generation)
    if record is None:
        raise WirespeedError(
            f"Generation {generation} of pipeline {pipeline} runs, but its record {paths.record(pipeline, generation)} "
            "is missing or damaged: its verdicts have no names.",
            "Run the playbook again: it loads the pipeline with its record.",
        )
    return generation, Manifest.from_json(record.manifest)
