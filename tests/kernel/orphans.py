# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed run may leave: pins that are half made, and BPF objects that no pin names."""

from __future__ import annotations

from pathlib import Path
from typing import List, Set

from wirespeed.errors import KernelRefusal
from wirespeed.kernel.bpf_prog import BpfProgram

from . import bpf_objects
from .bpf_objects import BpfObject
from .residue import still_alive

ENDINGS = ("~new", "~old")
UNDER_WAY = {"renewed", "old"}  # docs/pinning.md


def half_made(bpffs: Path) -> List[str]:
    """Paths below ``bpffs`` that only a run under way has."""
    found = (path.relative_to(bpffs) for path in bpffs.glob("**/*"))
    return sorted(str(path) for path in found if path.name.endswith(ENDINGS) or path.name in UNDER_WAY)


class Objects:
    """All programs and maps of a pipeline that were ever seen, by the pins and by a map that its programs share."""

    def __init__(self, bpffs: Path, shared_map: int) -> None:
        self._bpffs = bpffs
        self._shared_map = shared_map
        self._seen: Set[BpfObject] = set()

    def look(self) -> None:
        self._seen |= self._pinned() | self._users()

    def unnamed(self) -> List[BpfObject]:
        """Those that are alive although no pin names them, nor a program that is pinned."""
        self.look()
        pinned = self._pinned()
        used = (_maps(number) for kind, number in pinned if kind == "prog")
        return sorted(still_alive(self._seen - pinned.union(*used)))

    def _pinned(self) -> Set[BpfObject]:
        return set().union(*bpf_objects.pins(self._bpffs).values())

    def _users(self) -> Set[BpfObject]:
        """Programs that use the shared map, pinned or not, with all their maps."""
        found: Set[BpfObject] = set()
        for number in bpf_objects.programs():
            maps = _maps(number)
            if ("map", self._shared_map) in maps:
                found |= {("prog", number), *maps}
        return found


def _maps(program: int) -> Set[BpfObject]:
    """Those that a program uses; none when it is gone meanwhile."""
    try:
        with BpfProgram.by_id(program) as found:
            return {("map", number) for number in found.info.map_ids}
    except KernelRefusal:
        return set()
