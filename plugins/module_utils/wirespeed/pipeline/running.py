# SPDX-License-Identifier: GPL-3.0-or-later
"""Which generation of a pipeline runs, as the root's slot and the pins say."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional

from ..kernel import bpffs
from ..kernel.bpf_prog import BpfProgram
from . import root
from .pins import Paths


def published(paths: Paths, pipeline: str) -> Optional[str]:
    """The generation whose program is in the root's slot; None when it is empty or of none of ours."""
    running = root.published(paths, pipeline)
    if running is None:
        return None
    for generation in paths.generations(pipeline):
        for home in (paths.generation(pipeline, generation), paths.renewed(pipeline, generation)):
            if running in ids(home / "progs").values():
                return generation
    return None


def program_ids(paths: Paths, pipeline: str, generation: str) -> Dict[str, int]:
    """Of the programs of a generation, by name."""
    return ids(paths.generation(pipeline, generation) / "progs")


def ids(folder: Path) -> Dict[str, int]:
    found = {}
    for pin in bpffs.entries(folder):
        with BpfProgram.pinned(str(pin)) as program:
            found[bpffs.decode(pin.name)] = program.info.id
    return found
