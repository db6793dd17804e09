# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order generations of a pipeline were published: where a rollback without a name goes.

``<run>/published/<PIPELINE>.json``, newest last; it dies with a reboot as the pins do. Without it the order in which
the programs were loaded has to do.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import List, Optional, Sequence

from .pins import Paths
from .records import write_file

KEPT = 32


@dataclass(frozen=True)
class Publication:
    """``at`` in seconds since 1970; ``rollback``: somebody went back to it, rather than forward. ``number`` counts the
    publications from 1; 0 in a file of a version that did not count."""

    generation: str
    at: float
    rollback: bool = False
    number: int = 0


def read(paths: Paths, pipeline: str) -> List[Publication]:
    """Empty when it is missing or damaged."""
    try:
        data = json.loads(_path(paths, pipeline).read_text(encoding="utf-8"))
        return [Publication(**each) for each in data]
    except (OSError, ValueError, TypeError):
        return []


def note(paths: Paths, pipeline: str, generation: str) -> None:
    """A publication; the same again is none."""
    found = read(paths, pipeline)
    if not found or found[-1].generation != generation:
        _write(paths, pipeline, [*found, Publication(generation, time.time(), number=epoch(found) + 1)])


def mark_rollback(paths: Paths, pipeline: str) -> None:
    """Of the last publication."""
    found = read(paths, pipeline)
    if found:
        _write(paths, pipeline, [*found[:-1], replace(found[-1], rollback=True)])


def epoch(publications: Sequence[Publication]) -> int:
    """How often the pipeline was published since the boot: who meets another number knows of a reload between."""
    return max((each.number or place for place, each in enumerate(publications, 1)), default=0)


def previous(publications: Sequence[Publication], live: Optional[str], loaded: Sequence[str]) -> Optional[str]:
    """The generation that was published before the one that is live and is still there to go back to.

    ``loaded`` are the others, newest first: what counts where no publication is on record.
    """
    for found in reversed(publications):
        if found.generation != live and found.generation in loaded:
            return found.generation
    return next((each for each in loaded if each != live), None)


def rolled_back(publications: Sequence[Publication], live: Optional[str]) -> bool:
    """Whether what is live was gone back to last."""
    return bool(publications) and publications[-1].rollback and publications[-1].generation == live


def forget(paths: Paths, pipeline: str) -> None:
    _path(paths, pipeline).unlink(missing_ok=True)


def _path(paths: Paths, pipeline: str) -> Path:
    return paths.run / "published" / f"{pipeline}.json"


def _write(paths: Paths, pipeline: str, publications: Sequence[Publication]) -> None:
    data = [asdict(each) for each in publications[-KEPT:]]
    write_file(_path(paths, pipeline), json.dumps(data, indent=1).encode())
