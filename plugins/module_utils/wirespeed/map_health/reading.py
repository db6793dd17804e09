# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the maps of the generation of a pipeline that runs, again and again, from its pins."""

from __future__ import annotations

from types import TracebackType
from typing import Dict, List, Optional, Tuple, Type

from ..errors import BadInput, KernelRefusal, Place
from ..kernel import libbpf
from ..kernel.bpf_map import BpfMap
from ..model.map_health import MapUse
from ..pipeline import instance, protocol, records
from ..pipeline.map_spec import MapSpec, Role
from ..pipeline.pins import Paths
from ..pipeline.source import PipelineSource
from .counts import Counts
from .judge import Subject
from .questions import questions
from .watched import Watched


class MapWatch:
    """What lies between two readings gives the rates, so the first has none; nor has one of a map that a reload or a
    delivery has put another in the place of.

    ``walk`` False: entries are not looked at one by one where the kernel counts them (a hash: Linux 6.6), so that a
    reading costs the same for a million entries as for ten; what is over, whose it is, and rates that the pipeline
    does not count itself are None then.
    """

    def __init__(self, paths: Paths, pipeline: str, walk: bool = True) -> None:
        self.pipeline = pipeline
        self._paths, self._walk = paths, walk
        self._generation = ""
        self._source: Optional[PipelineSource] = None
        self._maps: Dict[str, Watched] = {}
        self._counters: Dict[str, BpfMap] = {}
        self._counts: Optional[Counts] = None
        self._counted_ids: Tuple[int, ...] = ()

    @classmethod
    def begin(cls, paths: Paths, pipeline: str, walk: bool = True) -> "MapWatch":
        """Raises :class:`BadInput` for a pipeline that does not run here, WirespeedError where its source is lost."""
        watch = cls(paths, pipeline, walk)
        watch._follow()
        return watch

    def read(self) -> Tuple[MapUse, ...]:
        """By name. Raises KernelRefusal, and as :meth:`begin` when the pipeline is gone."""
        self._follow()
        counted = self._counts.read() if self._counts is not None else {}
        return tuple(each.read(counted, self._counters) for each in self._maps.values())

    def _follow(self) -> None:
        """Opens the maps that the live generation has now; those that are the same as before stay open."""
        generation = instance.published(self._paths, self.pipeline)
        if generation is None:
            known = ", ".join(self._paths.pipelines()) or "none"
            problem = f"no pipeline {self.pipeline!r} runs on this node."
            raise BadInput(Place("pipeline"), "name", problem, f"There are: {known}.")
        anew = generation != self._generation or self._source is None
        if anew or self._source is None:
            protocol.check(self._paths)
            self._source = records.stored(self._paths, self.pipeline, generation)
            self._generation = generation
            self._open_counters(self._source)
            for gone in set(self._maps) - {name for name, dummy in _watched(self._source)}:
                self._maps.pop(gone).close()
        for name, spec in _watched(self._source):
            found = instance.open_table(self._paths, self.pipeline, generation, name)
            if self._stays(name, found) and not (anew and self._judged_anew(name, spec, self._source)):
                found.close()
            else:
                self._take(name, spec, found, self._source)
        self._count(self._source)

    def _stays(self, name: str, found: BpfMap) -> bool:
        return name in self._maps and self._maps[name].found.info.id == found.info.id

    def _judged_anew(self, name: str, spec: MapSpec, source: PipelineSource) -> bool:
        """Whether a map that a reload has kept has to be watched from the beginning, for what its manifest asks now."""
        return not self._maps[name].follow(spec.health, questions(source, name))

    def _take(self, name: str, spec: MapSpec, found: BpfMap, source: PipelineSource) -> None:
        if name in self._maps:
            self._maps.pop(name).close()
        info = found.info
        subject = Subject(self.pipeline, name, info.type, info.max_entries, info.flags, libbpf.possible_cpus())
        walked = self._walk and (spec.role is not Role.CONFIG or spec.health.share_of)
        code = source.support.walk if walked else b""
        self._maps[name] = Watched(subject, spec.health, found, code, questions(source, name))

    def _count(self, source: PipelineSource) -> None:
        """Has the kernel count the maps that are here now."""
        ids = tuple(sorted(each.found.info.id for each in self._maps.values()))
        if ids == self._counted_ids:
            return
        if self._counts is not None:
            self._counts.close()
            self._counts = None
        self._counted_ids = ids
        try:
            self._counts = Counts(source.support.counts, ids) if source.support.counts else None
        except KernelRefusal:
            self._counts = None

    def _open_counters(self, source: PipelineSource) -> None:
        for each in self._counters.values():
            each.close()
        limits = [spec.health for spec in source.manifest.maps.values()]
        named = {counter.map for each in limits for counter in (each.made, each.failed) if counter is not None}
        self._counters = {
            name: instance.open_map(self._paths, self.pipeline, self._generation, name) for name in sorted(named)
        }

    def close(self) -> None:
        for watched in self._maps.values():
            watched.close()
        for counter in self._counters.values():
            counter.close()
        if self._counts is not None:
            self._counts.close()
        self._maps, self._counters, self._counts = {}, {}, None

    def __enter__(self) -> "MapWatch":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def _watched(source: PipelineSource) -> List[Tuple[str, MapSpec]]:
    """Maps of the program itself; sections such as .bss have no entries, and scratch is worth nothing."""
    specs = source.manifest.maps.items()
    return [(name, spec) for name, spec in specs if name in source.maps and spec.role is not Role.SCRATCH]
