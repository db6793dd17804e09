# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads everything at once, as often as somebody asks, and no oftener than is allowed."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

from .. import __version__
from ..errors import WirespeedError
from ..pipeline.pins import Paths
from ..profiles.document import ProfileSet
from . import metrics
from .entity_part import EntityPart
from .map_part import MapPart
from .metrics import Part
from .nic_part import NicPart
from .pipeline_part import PipelinePart
from .samples import Scrape

ENTITIES = 1000
"""Entities of a pipeline that have series, where nobody says: each has two by verdict, packets and bytes."""


@dataclass(frozen=True)
class Wanted:
    """What is read. ``nics``: virtual ones too, by name. ``entities``: how many of each pipeline, 0 for none.
    ``every``: seconds for which a reading is good, so that many who ask cost what one does."""

    nics: Tuple[str, ...] = ()
    queues: bool = False
    entities: int = 0
    walk: bool = False
    every: float = 1.0


class Reader:
    """Keeps maps open and remembers what counters read, so that they can be continuous. For several threads."""

    def __init__(self, paths: Paths, profiles: ProfileSet, wanted: Wanted) -> None:
        self._wanted = wanted
        self._nics = NicPart(paths, profiles, wanted.nics, wanted.queues)
        self._pipelines = PipelinePart(paths)
        self._maps = MapPart(paths, wanted.walk)
        self._entities = EntityPart(paths, wanted.entities) if wanted.entities else None
        self._lock = threading.Lock()
        self._last: Optional[Scrape] = None
        self._at = 0.0
        self._cpu, self._number = 0.0, 0
        self._build = (__version__, os.uname().release, os.uname().nodename)

    def read(self) -> Scrape:
        """Never raises for what cannot be read: the part is reported as failed, with the reason."""
        with self._lock:
            if self._last is None or time.monotonic() - self._at >= self._wanted.every:
                self._last = self._scrape()
                self._at = time.monotonic()
            return self._last

    def _scrape(self) -> Scrape:
        scrape, began = Scrape(), time.thread_time()
        self._number += 1
        for part, read in self._parts(scrape).items():
            start = time.monotonic()
            scrape.failed[part] = _tried(read)
            scrape.seconds[part] = time.monotonic() - start
        self._cpu += time.thread_time() - began
        self._of_itself(scrape)
        return scrape

    def _parts(self, scrape: Scrape) -> Dict[Part, Callable[[], List[str]]]:
        samples = scrape.samples
        found: Dict[Part, Callable[[], List[str]]] = {
            Part.NICS: lambda: self._nics.read(samples),
            Part.PIPELINES: lambda: self._pipelines.read(samples),
            Part.MAPS: lambda: self._maps.read(samples),
        }
        if self._entities is not None:
            found[Part.ENTITIES] = lambda: self._entity_counts(scrape)
        return found

    def _entity_counts(self, scrape: Scrape) -> List[str]:
        if self._entities is None:
            return []
        scrape.entities, failed = self._entities.read()
        left_out = sum(each.left_out for each in scrape.entities)
        scrape.samples.add(metrics.SCRAPE_CAPPED, [Part.ENTITIES.value], left_out)
        return failed

    def _of_itself(self, scrape: Scrape) -> None:
        samples = scrape.samples
        samples.add(metrics.BUILD, self._build, 1)
        for part, failed in scrape.failed.items():
            samples.add(metrics.SCRAPE_SUCCESS, [part.value], int(not failed))
            samples.add(metrics.SCRAPE_SECONDS, [part.value], scrape.seconds[part])
        samples.add(metrics.SCRAPE_CPU, (), self._cpu)
        samples.add(metrics.SCRAPES, (), self._number)

    def close(self) -> None:
        self._maps.close()


def _tried(read: Callable[[], List[str]]) -> List[str]:
    try:
        return read()
    except WirespeedError as error:
        return [str(error)]
    except OSError as error:
        return [f"{error.filename or 'the kernel'}: {error.strerror or error}"]
