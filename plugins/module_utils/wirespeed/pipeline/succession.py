# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation follows another: what it takes over, and the hand-over brought to its end, also after a kill.

The pins alone say how far it has come (docs/pinning.md): ``old/`` holds each map whose entries are not all in the new
one, ``renewed/`` the same generation loaded once more, whose pins are about to take their places.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import WirespeedError
from ..kernel import bpffs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_prog import BpfProgram
from ..kernel.grace import wait_for_programs
from . import carry, layout, records, root
from .carry import Pair, Tally
from .handover import Hand, Way, decide
from .loading import kept, load_into
from .manifest import Manifest
from .pins import STAGING, Paths
from .running import program_ids, published
from .source import PipelineSource


def maps_of(paths: Paths, source: PipelineSource, generation: Optional[str], stack: ExitStack) -> Dict[str, BpfMap]:
    """The maps of a loaded generation that ``source`` would take over."""
    name, found = source.manifest.name, {}
    for map_name, spec in source.manifest.maps.items():
        pin = paths.map(name, generation, map_name) if generation else None
        if pin is not None and spec.role.handed_over and pin.exists():
            found[map_name] = stack.enter_context(BpfMap.pinned(str(pin)))
    return found


def hands(
    paths: Paths, source: PipelineSource, generation: Optional[str], live: Mapping[str, BpfMap]
) -> Tuple[Hand, ...]:
    """Raises :class:`Refused`."""
    before = _manifest(paths, source.manifest.name, generation) if generation else None
    return decide(source, {name: layout.live(found) for name, found in live.items()}, before)


def _manifest(paths: Paths, pipeline: str, generation: str) -> Optional[Manifest]:
    try:
        return records.stored(paths, pipeline, generation).manifest
    except WirespeedError:
        record = records.read(paths, pipeline, generation)
        return Manifest.from_json(record.manifest) if record else None


def stale(paths: Paths, source: PipelineSource, running: str) -> bool:
    """Whether a loaded generation took over from another one than runs now: it would begin with what that one knew."""
    name, generation = source.manifest.name, source.generation
    with ExitStack() as stack:
        live = maps_of(paths, source, running, stack)
        strange = {}
        for map_name, found in live.items():
            old = paths.old(name, generation) / bpffs.encode(map_name)
            if found.info.id not in (_id(paths.map(name, generation, map_name)), _id(old)):
                strange[map_name] = found
        if not strange:
            return False
        return any(hand.way is not Way.RESET for hand in hands(paths, source, running, strange))


def _id(pin: Path) -> int:
    if not pin.exists():
        return 0
    with BpfMap.pinned(str(pin)) as found:
        return found.info.id


def renew(paths: Paths, source: PipelineSource, running: str) -> None:
    """Loads a generation that is loaded but does not run once more, to take over from the one that runs.

    It keeps the rows of its tables. Raises :class:`Refused`.
    """
    with ExitStack() as stack:
        live = maps_of(paths, source, running, stack)
        decided = [hand for hand in hands(paths, source, running, live) if hand.way is not Way.RESET]
        carry.require(source.support.handover, decided)
        _load_again(paths, source, decided, live)


def _load_again(paths: Paths, source: PipelineSource, decided: Sequence[Hand], live: Mapping[str, BpfMap]) -> None:
    name, generation = source.manifest.name, source.generation
    staging = Path(f"{paths.generation(name, generation)}{STAGING}")
    with ExitStack() as stack:
        own = kept(paths.generation(name, generation) / "maps", [hand.map for hand in decided], stack)
        try:
            load_into(source, staging, decided, live, own)
        except BaseException:
            bpffs.remove_tree(staging)
            raise
    os.rename(staging, paths.renewed(name, generation))
    settle_pins(paths, name, generation)


def settle_pins(paths: Paths, pipeline: str, generation: str) -> None:
    """Puts the pins of ``renewed/`` into their places, the slot first where the generation runs."""
    renewed, home = paths.renewed(pipeline, generation), paths.generation(pipeline, generation)
    if not renewed.exists():
        return
    _publish_renewed(paths, pipeline, generation)
    if (renewed / "old").exists():
        bpffs.remove_tree(home / "old")
        os.rename(renewed / "old", home / "old")
        bpffs.remove_if_empty(home / "old")
    # Maps last: a program whose maps are not the pinned ones has not taken over from what runs, so stale() finds it.
    for kind in ("progs", "maps"):
        for pin in bpffs.entries(renewed / kind):
            os.replace(pin, home / kind / pin.name)
    bpffs.remove_tree(renewed)


def _publish_renewed(paths: Paths, pipeline: str, generation: str) -> None:
    running = root.published(paths, pipeline)
    for name, number in program_ids(paths, pipeline, generation).items():
        pin = paths.renewed(pipeline, generation) / "progs" / bpffs.encode(name)
        if number == running and pin.exists():
            with BpfProgram.pinned(str(pin)) as entry:
                root.publish(paths, pipeline, entry)


def finish(paths: Paths, pipeline: str) -> Tuple[str, ...]:
    """Brings the hand-over to the running generation to its end; nothing to do is the usual case.

    Returns a sentence for each map that had no room for all of its entries.
    """
    generation = published(paths, pipeline)
    if generation is None:
        return ()
    settle_pins(paths, pipeline, generation)
    if not bpffs.entries(paths.old(pipeline, generation)):
        bpffs.remove_if_empty(paths.old(pipeline, generation))
        return ()
    source = records.stored(paths, pipeline, generation)
    wait_for_programs()
    told: List[str] = []
    promoted = False
    with ExitStack() as stack:
        for pair in pairs(paths, source, stack):
            told += _told(pipeline, pair, carry.finish(source.support.handover, pair))
            promoted |= pair.hand.way is Way.PROMOTE
            if pair.hand.way is not Way.PROMOTE:
                bpffs.unpin(paths.old(pipeline, generation) / bpffs.encode(pair.hand.map))
    present = root.facts(paths, pipeline)
    if promoted and present is not None and present.direct:
        # Another program would need another swap of every NIC: this one keeps its predecessor until the next reload.
        bpffs.remove_tree(paths.old(pipeline, generation))
    elif promoted:
        # Once more without a predecessor: no second lookup stays in the program, and no old map in memory.
        _load_again(paths, source, (), {})
    bpffs.remove_if_empty(paths.old(pipeline, generation))
    return tuple(told)


def _told(pipeline: str, pair: Pair, tally: Tally) -> List[str]:
    if not tally.failed:
        return []
    lost = f"{tally.failed} of {tally.visited} entries found no room in the new map and are lost."
    return [f"Map {pair.hand.map} of pipeline {pipeline}: {lost}"]


def pairs(paths: Paths, source: PipelineSource, stack: ExitStack) -> List[Pair]:
    """What of a loaded generation is not carried over yet, decided again from its pins."""
    name, generation = source.manifest.name, source.generation
    old, found = {}, []
    for pin in bpffs.entries(paths.old(name, generation)):
        old[bpffs.decode(pin.name)] = stack.enter_context(BpfMap.pinned(str(pin)))
    for hand in hands(paths, source, _owner(paths, name, generation, old), old):
        new = stack.enter_context(BpfMap.pinned(str(paths.map(name, generation, hand.map))))
        found.append(Pair(hand, old[hand.map], new))
    return found


def _owner(paths: Paths, pipeline: str, heir: str, old: Mapping[str, BpfMap]) -> Optional[str]:
    """The generation whose maps these are."""
    for generation in paths.generations(pipeline):
        for map_name, found in old.items():
            if generation != heir and _id(paths.map(pipeline, generation, map_name)) == found.info.id:
                return generation
    return None
