# SPDX-License-Identifier: GPL-3.0-or-later
"""Generations that share all but one stage: the slots of their program arrays, which say which of them runs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Optional, Set

from ..errors import WirespeedError
from ..kernel import bpffs
from ..kernel.bpf_map import PROG_ARRAY, BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from ..kernel.elf import without_relocations
from . import records
from .pins import Paths
from .source import RODATA, PipelineSource
from .stage import only_stage


@dataclass(frozen=True)
class Slot:
    """``array`` is the pin of a program array, ``program`` the id of what is at ``key``."""

    array: Path
    key: bytes
    program: int


def load_stage(paths: Paths, source: PipelineSource, stage: str, running: str, staging: Path) -> None:
    """Loads one program over the maps of the generation that runs, and pins it with the rest of that generation.

    libbpf would write the object's own programs into a program array that it reuses (bpf_object_init_prog_arrays),
    and so publish them: the object is loaded without the relocations that say which.
    """
    home = paths.generation(source.manifest.name, running)
    for kind in ("progs", "maps"):
        bpffs.make_directory(staging / kind)
    code = without_relocations(source.object_bytes, ".maps")
    with BpfObject(code, source.manifest.name[:15]) as loaded, ExitStack() as stack:
        loaded.only([stage])
        shared = {bpffs.decode(pin.name): pin for pin in bpffs.entries(home / "maps")}
        opened = {name: stack.enter_context(BpfMap.pinned(str(pin))) for name, pin in shared.items()}
        for name in source.maps:
            if name in opened:
                loaded.reuse(name, opened[name])
        loaded.patch_rodata(source.rodata)
        loaded.load()
        for name, program in loaded.programs():
            with program:
                program.pin(str(staging / "progs" / bpffs.encode(name)))
        for name, found in loaded.maps():
            with found:
                if name.endswith(RODATA):
                    opened[RODATA] = stack.enter_context(BpfMap.by_id(found.info.id))
        for name, found in opened.items():
            found.pin(str(staging / "maps" / bpffs.encode(name)))
    _share_programs(home, staging, stage)


def _share_programs(home: Path, staging: Path, without: str) -> None:
    for pin in bpffs.entries(home / "progs"):
        if bpffs.decode(pin.name) != without:
            with BpfProgram.pinned(str(pin)) as program:
                program.pin(str(staging / "progs" / pin.name))


def in_arrays(home: Path) -> Set[int]:
    """Ids of the programs in the program arrays of a generation."""
    return {slot.program for slot in _slots(home)}


def bring(paths: Paths, pipeline: str, generation: str) -> None:
    """Writes this generation's programs over those of others in its program arrays: one slot for each that differs."""
    names: Dict[int, str] = {}
    for each in paths.generations(pipeline):
        names.update({number: name for name, number in ids(paths.generation(pipeline, each) / "progs").items()})
    home = paths.generation(pipeline, generation)
    own = ids(home / "progs")
    for slot in list(_slots(home)):
        name = names.get(slot.program)
        if name is None or own.get(name, slot.program) == slot.program:
            continue
        with BpfMap.pinned(str(slot.array)) as array:
            with BpfProgram.pinned(str(home / "progs" / bpffs.encode(name))) as program:
                array.update(slot.key, program.fd.to_bytes(4, "little"))


def only_stage_of(paths: Paths, source: PipelineSource, running: str) -> Optional[str]:
    """The stage in which ``source`` alone differs from the generation that runs."""
    try:
        before = records.stored(paths, source.manifest.name, running)
    except WirespeedError:  # adopted, or the store has lost it: then all of it is loaded
        return None
    return only_stage(before, source)


def _slots(home: Path) -> Iterator[Slot]:
    for pin in bpffs.entries(home / "maps"):
        with BpfMap.pinned(str(pin)) as found:
            if found.info.type != PROG_ARRAY:
                continue
            for index in range(found.info.max_entries):
                key = index.to_bytes(4, "little")
                number = found.lookup(key)
                if number is not None:
                    yield Slot(pin, key, int.from_bytes(number, "little"))


def ids(folder: Path) -> Dict[str, int]:
    """Of the pinned programs, by name."""
    found = {}
    for pin in bpffs.entries(folder):
        with BpfProgram.pinned(str(pin)) as program:
            found[bpffs.decode(pin.name)] = program.info.id
    return found
