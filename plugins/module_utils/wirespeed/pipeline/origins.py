# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a step's pipeline comes from: what this run brought along, else the node's store."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from ..kernel import bpffs
from ..model.nic import FORMER_ROOT, ROOT
from . import records
from .pins import Paths
from .source import PipelineSource
from .support import Support


class Origins:
    def __init__(self, paths: Paths, sources: Mapping[str, PipelineSource]) -> None:
        self.paths = paths
        self._sources = sources

    def source(self, pipeline: str, generation: str) -> PipelineSource:
        """Raises :class:`~..errors.WirespeedError` when neither has it."""
        brought = self._sources.get(pipeline)
        if brought is not None and brought.generation == generation:
            return brought
        return records.stored(self.paths, pipeline, generation)

    def adopted(self, pipeline: str, generation: str) -> bool:
        """Whether this is a program that someone else had attached: there is no object of it."""
        record = records.read(self.paths, pipeline, generation)
        return record is not None and record.version == records.ADOPTED

    def brought(self, pipeline: str) -> "PipelineSource | None":
        return self._sources.get(pipeline)

    def support(self, pipeline: str, generation: str) -> Support:
        """Alike in every source, so that an adopted program, which has none, can take any."""
        brought = self._sources.get(pipeline)
        return brought.support if brought is not None else self.source(pipeline, generation).support

    def entry(self, pipeline: str, generation: str) -> Path:
        """The pin of the program that a generation is entered by."""
        record = records.read(self.paths, pipeline, generation)
        name = record.manifest["entry"] if record is not None else self.source(pipeline, generation).manifest.entry
        return self.paths.program(pipeline, generation, name)

    def entry_name(self, pipeline: str, runs: str) -> str:
        """Empty for a root (:class:`~..model.nic.XdpAttachment`)."""
        return "" if runs in (ROOT, FORMER_ROOT) else bpffs.decode(self.entry(pipeline, runs).name)
