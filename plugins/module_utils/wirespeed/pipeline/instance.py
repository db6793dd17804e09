# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation of a pipeline in the kernel: loaded and pinned whole, or not there at all."""

from __future__ import annotations

import getpass
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..config import live, sides
from ..config.sides import Word
from ..config.tables import Table
from ..errors import Refused, WirespeedError
from ..kernel import bpffs
from ..kernel.bpf_map import ARRAY_OF_MAPS, BpfMap
from ..kernel.bpf_prog import BpfProgram
from ..model.node import RootFacts
from . import carry, history, protocol, records, root, stages
from .going_back import carried_already, carry_back
from .handover import Hand, Way
from .links import move, pinned_links
from .loading import load_into
from .pins import STAGING, Paths
from .records import Record
from .running import program_ids, published
from .source import PipelineSource
from .succession import finish, hands, maps_of, pairs, renew, settle_pins, stale

__all__ = [
    "handed_over",
    "load",
    "open_map",
    "open_table",
    "program_ids",
    "publish",
    "published",
    "rows",
    "sweep",
    "unload",
    "word",
]


def load(paths: Paths, source: PipelineSource, direct: bool = False) -> None:
    """Loads and pins this source's generation beside what runs; a complete one is left as it is.

    Takes over the maps of role state and stats from the published generation. Raises
    :class:`BadInput`, :class:`~wirespeed.kernel.bpf_object.VerifierRejection`, :class:`Refused`
    (a layout that changed) or KernelRefusal, and then leaves no pin of this generation.
    """
    bpffs.require(paths.bpffs)
    manifest, generation = source.manifest, source.generation
    protocol.claim(paths)
    if not direct:
        wanted = RootFacts(manifest.name, 0, False, source.takes_fragments, manifest.empty_slot)
        root.ensure(paths, wanted, source.support)
        with root.program(paths, manifest.name) as program:
            move(paths, manifest.name, program)
    sweep(paths, manifest.name)
    records.store(paths, source)
    finish(paths, manifest.name)
    settle_pins(paths, manifest.name, generation)
    final = paths.generation(manifest.name, generation)
    if final.exists() and lost_pins(paths, manifest.name, generation, source):
        _discard(final)
    if final.exists():
        if records.read(paths, manifest.name, generation) is None:
            records.write(paths, _record(source, ()))
        return
    staging = Path(f"{final}{STAGING}")
    try:
        with ExitStack() as stack:
            running = published(paths, manifest.name)
            taken = maps_of(paths, source, running, stack)
            decided = hands(paths, source, running, taken)
            stage = stages.only_stage_of(paths, source, running) if running else None
            if stage is not None and running is not None:
                stages.load_stage(paths, source, stage, running, staging)
            else:
                carry.require(source.support.handover, decided)
                load_into(source, staging, decided, taken, {})
            bpffs.remove_if_empty(staging / "old")
        records.write(paths, _record(source, decided))
        os.rename(staging, final)
    except BaseException:
        bpffs.remove_tree(staging)
        paths.record(manifest.name, generation).unlink(missing_ok=True)
        raise


def handed_over(paths: Paths, source: PipelineSource) -> Tuple[Hand, ...]:
    """How a load of ``source`` would take over from what runs, for a plan. Raises :class:`Refused`."""
    with ExitStack() as stack:
        running = published(paths, source.manifest.name)
        return hands(paths, source, running, maps_of(paths, source, running, stack))


def _record(source: PipelineSource, decided: Sequence[Hand]) -> Record:
    return Record(
        pipeline=source.manifest.name,
        generation=source.generation,
        digest=source.digest,
        version=source.manifest.version,
        loaded_at=time.time(),
        loaded_by=os.environ.get("SUDO_USER") or getpass.getuser(),
        reused=tuple(sorted(hand.map for hand in decided if hand.way is Way.SHARE)),
        reset=tuple(sorted(hand.map for hand in decided if hand.way is Way.RESET)),
        manifest=source.manifest.to_json(),
    )


def unload(paths: Paths, pipeline: str, generation: str) -> None:
    """Removes a generation, and with the last one the root. Not loaded is no error.

    Raises :class:`Refused` while it is published: its program would run on, known to nobody.
    """
    if published(paths, pipeline) == generation:
        raise Refused(
            f"Generation {generation} of pipeline {pipeline} is the one that runs.", "Publish another, or none, first."
        )
    finish(paths, pipeline)
    sweep(paths, pipeline)
    _discard(paths.generation(pipeline, generation))
    paths.record(pipeline, generation).unlink(missing_ok=True)
    carried = any(link.pipeline == pipeline and link.ifindex for link in pinned_links(paths))
    if not paths.generations(pipeline) and not carried:
        root.remove(paths, pipeline)
        history.forget(paths, pipeline)
        protocol.leave(paths)


def _discard(final: Path) -> None:
    """Renamed first, so that a crash in between leaves something that is known to be incomplete."""
    if final.exists():
        staging = Path(f"{final}{STAGING}")
        os.rename(final, staging)
        bpffs.remove_tree(staging)


def lost_pins(paths: Paths, pipeline: str, generation: str, source: Optional[PipelineSource]) -> Tuple[str, ...]:
    """Names without which a loaded generation cannot be told or configured, and that somebody has removed."""
    if source is None:
        return () if program_ids(paths, pipeline, generation) else ("all programs",)
    entry = source.manifest.entry
    lost = [] if paths.program(pipeline, generation, entry).exists() else [f"program {entry}"]
    lost += [f"map {name}" for name in source.tables if not paths.map(pipeline, generation, name).exists()]
    return tuple(lost)


def sweep(paths: Paths, pipeline: str) -> List[str]:
    """Removes what a killed load or unload of this pipeline left; returns the names."""
    left = [path for path in bpffs.entries(paths.pipeline(pipeline)) if path.name.endswith(STAGING)]
    half_root = Path(f"{paths.pipeline(pipeline)}{STAGING}")
    left += [half_root] if half_root.exists() else []
    for path in left:
        bpffs.remove_tree(path)
    return [path.name for path in left]


def publish(paths: Paths, source: PipelineSource) -> Tuple[str, ...]:
    """Writes the slot and brings the hand-over to its end; returns a sentence for whatever did not come along.

    A generation that has not taken over from the one that runs, as after a rollback, does so first. Where that is
    impossible it goes on with what it knew itself: a rollback to it never fails for that.
    """
    name, generation = source.manifest.name, source.generation
    running = published(paths, name)
    back = running is not None and running != generation and carried_already(paths, name, generation)
    told = () if back else _finish_if_possible(paths, name, running, generation)
    settle_pins(paths, name, generation)
    pin = paths.program(name, generation, source.manifest.entry)
    if not pin.exists():
        raise WirespeedError(f"Generation {generation} of pipeline {name} is not loaded.", "Load it first.")
    if running is not None and running != generation:
        told += (carry_back if back else _take_over)(paths, source, running)
    stages.bring(paths, name, generation)
    with BpfProgram.pinned(str(pin)) as entry:
        root.publish(paths, name, entry)
    present = root.facts(paths, name)
    if present is not None and present.direct:
        return told  # The NICs run on with the one before until each is swapped; then the rest is due.
    return told + finish(paths, name)


def publish_adopted(paths: Paths, pipeline: str, pin: Path) -> None:
    """A program that came without an object: as it is, with what its own maps hold."""
    with BpfProgram.pinned(str(pin)) as entry:
        root.publish(paths, pipeline, entry)


def _finish_if_possible(paths: Paths, pipeline: str, running: Optional[str], wanted: str) -> Tuple[str, ...]:
    """What cannot be brought to its end must not keep a node from going back to another generation."""
    try:
        return finish(paths, pipeline)
    except WirespeedError as error:
        if running == wanted:
            raise
        return (f"What generation {running} of {pipeline} had still to take over stays behind: {error.problem}",)


def _take_over(paths: Paths, source: PipelineSource, running: str) -> Tuple[str, ...]:
    try:
        if stale(paths, source, running):
            renew(paths, source, running)
    except WirespeedError as error:
        name, generation = source.manifest.name, source.generation
        return (f"Generation {generation} of {name} goes on with what it knew itself: {error.problem}",)
    with ExitStack() as stack:
        carry.copy_before(source.support.handover, pairs(paths, source, stack))
    return ()


def open_map(paths: Paths, pipeline: str, generation: str, name: str) -> BpfMap:
    """A map of a loaded generation. Raises KernelRefusal (ENOENT)."""
    return BpfMap.pinned(str(paths.map(pipeline, generation, name)))


def word(paths: Paths, pipeline: str, generation: str) -> Word:
    """Which side of its tables a loaded generation reads; the first where it has no such word."""
    if not paths.map(pipeline, generation, sides.CONFIG_WORD).exists():
        return Word(0, 0)
    with open_map(paths, pipeline, generation, sides.CONFIG_WORD) as found:
        return sides.read_word(found)


def open_table(paths: Paths, pipeline: str, generation: str, name: str, side: Optional[int] = None) -> BpfMap:
    """The map that holds a table's rows: of one with two sides the live one, unless ``side`` says which.

    Raises KernelRefusal (ENOENT).
    """
    found = open_map(paths, pipeline, generation, name)
    if found.info.type != ARRAY_OF_MAPS:
        return found
    with found:
        return sides.opened_side(found, word(paths, pipeline, generation).side if side is None else side)


def rows(paths: Paths, pipeline: str, generation: str, tables: Mapping[str, Table]) -> Dict[str, Tuple[str, ...]]:
    """The live rows of each table."""
    found = {}
    for name, table in tables.items():
        with open_table(paths, pipeline, generation, name) as bpf_map:
            found[name] = live.read(bpf_map, table)
    return found
