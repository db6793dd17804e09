# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loaded programs are ours: by the kernel's id, what of which pipeline each one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Set

from ..errors import Refused
from ..kernel import bpffs
from ..kernel.bpf_prog import BpfProgram
from ..model.nic import FORMER_ROOT, ROOT
from . import metadata, stages
from .pins import Paths


@dataclass(frozen=True)
class Known:
    """``runs`` is :data:`~..model.nic.ROOT`, :data:`~..model.nic.FORMER_ROOT`, a generation, or empty when the
    program says whose it is but has lost its pin."""

    pipeline: str
    runs: str


def known(paths: Paths) -> Mapping[int, Known]:
    """Program id -> what it is, of everything that is pinned. With direct attach the entry is its generation's."""
    found: Dict[int, Known] = {}
    for pipeline in paths.pipelines():
        roots = ((FORMER_ROOT, paths.former_root(pipeline) / "root"), (ROOT, paths.root(pipeline)))
        found.update({_id(pin): Known(pipeline, word) for word, pin in roots if pin.exists()})
        for generation, ids in _in_doubt_last(paths, pipeline).items():
            found.update({number: Known(pipeline, generation) for number in ids})
    return found


def _in_doubt_last(paths: Paths, pipeline: str) -> Dict[str, Set[int]]:
    """Generation -> ids of its programs. Of those that share programs, what the program arrays hold comes last."""
    homes = {each: paths.generation(pipeline, each) for each in paths.generations(pipeline)}
    ids = {each: {_id(pin) for pin in bpffs.entries(home / "progs")} for each, home in homes.items()}
    if sum(map(len, ids.values())) == len(set().union(*ids.values())):
        return ids
    return {each: ids[each] for each in sorted(ids, key=lambda each: stages.in_arrays(homes[each]) <= ids[each])}


def of(program_id: int, by_id: Mapping[int, Known]) -> Known:
    """A program that is not pinned any more may still say whose it is; a foreign one says nothing."""
    if program_id in by_id:
        return by_id[program_id]
    with BpfProgram.by_id(program_id) as program:
        return Known(str(metadata.read(program).get(metadata.PREFIX + "pipeline", "")), "")


def pin_of(paths: Paths, pipeline: str, runs: str, entry: str) -> Path:
    """The pin of what ``runs`` names; ``entry`` is the program that a generation is entered by.

    Raises :class:`Refused` when it is not there any more.
    """
    places = {ROOT: paths.root(pipeline), FORMER_ROOT: paths.former_root(pipeline) / "root"}
    pin = places.get(runs) or paths.program(pipeline, runs, entry)
    if not pin.exists():
        raise Refused(f"The {runs} of pipeline {pipeline} is not pinned any more ({pin}).", "Load it first.")
    return pin


def _id(pin: Path) -> int:
    with BpfProgram.pinned(str(pin)) as program:
        return program.info.id
