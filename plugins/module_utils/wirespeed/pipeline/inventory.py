# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in bpffs: every complete generation with its live tables, and every pinned link."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..errors import MissingPrerequisite, WirespeedError
from ..kernel import bpffs, libbpf
from ..model.node import InstanceFacts
from . import instance, records, root
from .links import PinnedLink, pinned_links
from .pins import Paths
from .source import PipelineSource

__all__ = ["Inventory", "PinnedLink", "inventory"]


@dataclass(frozen=True)
class Inventory:
    """``libbpf`` is its version, empty when it is missing; ``notes`` say what could not be seen and why."""

    instances: Tuple[InstanceFacts, ...] = ()
    links: Tuple[PinnedLink, ...] = ()
    libbpf: str = ""
    notes: Tuple[str, ...] = ()


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
    found: List[InstanceFacts] = []
    notes: List[str] = []
    for pipeline in paths.pipelines():
        if not paths.root(pipeline).exists():
            notes.append(f"Pipeline {pipeline} has lost its root: it counts as not loaded.")
            continue
        root.check_protocol(paths, pipeline)
        live = instance.published(paths, pipeline)
        found += [_facts(paths, pipeline, each, each == live, notes) for each in paths.generations(pipeline)]
    return Inventory(tuple(found), pinned_links(paths), version, tuple(notes))


def _facts(paths: Paths, pipeline: str, generation: str, live: bool, notes: List[str]) -> InstanceFacts:
    record = records.read(paths, pipeline, generation)
    source = _source(paths, pipeline, generation)
    programs = instance.program_ids(paths, pipeline, generation)
    if source is None:
        notes.append(f"Generation {generation} of pipeline {pipeline} is not in the store: its tables cannot be read.")
        return InstanceFacts(pipeline, generation, record.digest if record else "", min(programs.values()), live)
    tables = instance.rows(paths, pipeline, generation, source.tables)
    return InstanceFacts(pipeline, generation, source.digest, programs[source.manifest.entry], live, tables)


def _source(paths: Paths, pipeline: str, generation: str) -> Optional[PipelineSource]:
    try:
        return records.stored(paths, pipeline, generation)
    except WirespeedError:
        return None
