# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in bpffs: every complete generation with its live tables, and every pinned link."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import List, Mapping, Optional, Tuple

from ..config import store
from ..errors import MissingPrerequisite, WirespeedError
from ..kernel import bpffs, libbpf
from ..model.node import InstanceFacts, RootFacts
from . import instance, programs, protocol, records, root
from .links import PinnedLink, pinned_links
from .live_rows import LiveRows
from .pins import Paths
from .programs import Known
from .source import PipelineSource

__all__ = ["Inventory", "PinnedLink", "inventory"]


@dataclass(frozen=True)
class Inventory:
    """``libbpf`` is its version, empty when it is missing; ``notes`` say what could not be seen and why."""

    instances: Tuple[InstanceFacts, ...] = ()
    links: Tuple[PinnedLink, ...] = ()
    libbpf: str = ""
    notes: Tuple[str, ...] = ()
    roots: Tuple[RootFacts, ...] = ()
    programs: Mapping[int, Known] = field(default_factory=dict)


def inventory(paths: Paths) -> Inventory:
    """Changes nothing. A node without root, bpffs or libbpf has an empty inventory and a note.

    Raises :class:`~wirespeed.errors.Refused` for pins of a newer protocol.
    """
    try:
        version = libbpf.version()
    except MissingPrerequisite as missing:
        return Inventory(notes=(str(missing),))
    if os.geteuid() != 0:
        return Inventory(libbpf=version, notes=("Without root, pipelines and links are not visible.",))
    if not bpffs.is_bpffs(paths.bpffs):
        return Inventory(libbpf=version, notes=(f"{paths.bpffs} is not a BPF file system: nothing is loaded.",))
    protocol.check(paths)
    found: List[InstanceFacts] = []
    notes: List[str] = []
    roots: List[RootFacts] = []
    for pipeline in paths.pipelines():
        present = root.facts(paths, pipeline)
        if present is None and not paths.generations(pipeline):
            continue
        if present is None:
            notes.append(f"Pipeline {pipeline} has lost its root: it counts as not loaded.")
            continue
        roots.append(present)
        live = instance.published(paths, pipeline)
        for each in paths.generations(pipeline):
            lost = instance.lost_pins(paths, pipeline, each, _source(paths, pipeline, each))
            if lost:
                what = f"Generation {each} of pipeline {pipeline} has lost pins ({', '.join(lost)})"
                notes.append(f"{what}: it counts as not loaded.")
            else:
                found.append(_facts(paths, pipeline, each, each == live, notes))
    links, known = pinned_links(paths), programs.known(paths)
    return Inventory(tuple(found), links, version, tuple(notes), tuple(roots), known)


def _facts(paths: Paths, pipeline: str, generation: str, live: bool, notes: List[str]) -> InstanceFacts:
    record = records.read(paths, pipeline, generation)
    source = _source(paths, pipeline, generation)
    entries = instance.program_ids(paths, pipeline, generation)
    if source is None:
        if record is not None and record.version == records.ADOPTED:
            return InstanceFacts(pipeline, generation, "", min(entries.values()), live)
        notes.append(f"Generation {generation} of pipeline {pipeline} is not in the store: its tables cannot be read.")
        return InstanceFacts(pipeline, generation, record.digest if record else "", min(entries.values()), live)
    version = store.history(paths, pipeline).version or None
    tables: Mapping[str, Tuple[str, ...]]
    if version is None:
        tables = instance.rows(paths, pipeline, generation, source.tables)
    else:
        tables = LiveRows(paths, pipeline, generation, source.tables)
    return InstanceFacts(pipeline, generation, source.digest, entries[source.manifest.entry], live, tables, version)


def _source(paths: Paths, pipeline: str, generation: str) -> Optional[PipelineSource]:
    try:
        return records.stored(paths, pipeline, generation)
    except WirespeedError:
        return None
