# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a pipeline, as the parts of a scrape need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, FrozenSet, List, Optional

from ..errors import KernelRefusal, WirespeedError
from ..kernel import bpffs
from ..pipeline import instance, records
from ..pipeline.manifest import Manifest
from ..pipeline.pins import Paths

TRIES = 3


@dataclass(frozen=True)
class Live:
    """``pending`` maps wait for entries of the generation before, ``reset`` ones began empty. ``manifest`` is None
    where nobody knows it: of a program that was adopted, or whose record is lost."""

    pipeline: str
    generation: str
    version: str
    digest: str
    loaded_at: float
    pending: FrozenSet[str]
    reset: FrozenSet[str]
    manifest: Optional[Manifest]


def living(paths: Paths, pipeline: str) -> Optional[Live]:
    """None when nothing of it is published. Raises KernelRefusal."""
    generation = instance.published(paths, pipeline)
    if generation is None:
        return None
    record = records.read(paths, pipeline, generation)
    pending = frozenset(bpffs.decode(pin.name) for pin in bpffs.entries(paths.old(pipeline, generation)))
    if record is None:
        return Live(pipeline, generation, "", "", 0.0, pending, frozenset(), None)
    manifest = None if record.version == records.ADOPTED else Manifest.from_json(record.manifest)
    return Live(
        pipeline,
        generation,
        record.version,
        record.digest,
        record.loaded_at,
        pending,
        frozenset(record.reset),
        manifest,
    )


def tried(name: str, read: Callable[[], None]) -> List[str]:
    """What went wrong in the end, in words. A refusal is tried again: a reload may take pins away between two looks."""
    problem = ""
    for dummy in range(TRIES):
        try:
            read()
            return []
        except KernelRefusal as refused:
            problem = str(refused)
        except WirespeedError as error:
            return [f"pipeline {name}: {error}"]
    return [f"pipeline {name}: {problem}"]
