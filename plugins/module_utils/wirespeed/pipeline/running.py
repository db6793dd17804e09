# SPDX-License-Identifier: GPL-3.0-or-later
"""Which generation of a pipeline runs, as the root's slot and the pins say."""

from __future__ import annotations

from typing import Dict, Optional

from . import root, stages
from .pins import Paths


def published(paths: Paths, pipeline: str) -> Optional[str]:
    """The generation whose program is in the root's slot; None when it is empty or of none of ours."""
    running = root.published(paths, pipeline)
    if running is None:
        return None
    found = []
    for generation in paths.generations(pipeline):
        own = paths.generation(pipeline, generation)
        for home in (own, paths.renewed(pipeline, generation), paths.traced(pipeline, generation)):
            if running in stages.ids(home / "progs").values():
                found.append((generation, home))
    # Those that differ in one stage share their entry: the slot of that stage says which of them it is.
    for generation, home in found if len(found) > 1 else ():
        if stages.in_arrays(home) <= set(stages.ids(home / "progs").values()):
            return generation
    return found[0][0] if found else None


def program_ids(paths: Paths, pipeline: str, generation: str) -> Dict[str, int]:
    """Of the programs of a generation, by name."""
    return stages.ids(paths.generation(pipeline, generation) / "progs")
