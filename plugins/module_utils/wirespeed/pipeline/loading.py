# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a pipeline's object with the maps that it takes over, and pin it whole below a name of no meaning."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Dict, Mapping, Sequence

from ..config import sides
from ..config.outer import Outer
from ..kernel import bpffs
from ..kernel.bpf_map import PROG_ARRAY, BpfMap
from ..kernel.bpf_object import BpfObject
from . import carry
from .carry import Pair
from .handover import PREDECESSOR, SCRATCH, Hand, promotable
from .layout import SECTIONS
from .source import RODATA, PipelineSource

TRACER = "ws_tracer"
"""The slot for a tracer (bpf/include/wirespeed_trace.h): never pinned, so that the kernel empties it with its owner."""


def load_into(
    source: PipelineSource, staging: Path, hands: Sequence[Hand], live: Mapping[str, BpfMap], own: Mapping[str, BpfMap]
) -> None:
    """``live`` are the running generation's maps; ``own``, what this generation has already and keeps.

    Raises the errors of loading; the caller removes what was pinned by then.
    """
    manifest = source.manifest
    with BpfObject(source.object_bytes, manifest.name[:15]) as loaded:
        loaded.only(manifest.programs)
        sides.resize(loaded, source.maps, source.sizes)
        for name, flags in source.flags.items():
            loaded.set_flags(name, flags)
        for name, kept in own.items():
            loaded.reuse(name, kept)
        loaded.patch_rodata({**source.rodata, **carry.fit(loaded, source, hands, live)})
        with Outer(loaded, source.maps, source.btf, own) as outer:
            loaded.load()
            outer.fill(loaded)
        _rehearse(loaded, source, hands, live)
        _pin(loaded, source, staging)
    for hand in hands:
        if hand.way.carried:
            live[hand.map].pin(str(staging / "old" / bpffs.encode(hand.map)))


def _rehearse(loaded: BpfObject, source: PipelineSource, hands: Sequence[Hand], live: Mapping[str, BpfMap]) -> None:
    with ExitStack() as stack:
        made = {name: stack.enter_context(found) for name, found in loaded.maps()}
        carried = [hand for hand in hands if hand.way.carried]
        carry.rehearse(source.support.handover, [Pair(hand, live[hand.map], made[hand.map]) for hand in carried])


def _pin(loaded: BpfObject, source: PipelineSource, staging: Path) -> None:
    helpers = {TRACER, *(name + part for name in promotable(source) for part in (PREDECESSOR, SCRATCH))}
    for kind in ("progs", "maps", "old"):
        bpffs.make_directory(staging / kind)
    for name, program in loaded.programs():
        with program:
            program.pin(str(staging / "progs" / bpffs.encode(name)))
    for name, found in loaded.maps():
        with found:
            if name not in helpers:
                found.pin(str(staging / "maps" / bpffs.encode(_plain(name))))


def _plain(name: str) -> str:
    """libbpf prefixes its own maps with the object's name."""
    return next((section for section in (RODATA, *SECTIONS) if name.endswith(section)), name)


def kept(maps: Path, without: Sequence[str], stack: ExitStack) -> Dict[str, BpfMap]:
    """The maps that a generation shares with itself when it is loaded once more.

    Not its constants, which say what it takes over, nor an array of its own programs.
    """
    found = {}
    for pin in bpffs.entries(maps):
        name = bpffs.decode(pin.name)
        if name == RODATA or name in without:
            continue
        opened = stack.enter_context(BpfMap.pinned(str(pin)))
        if opened.info.type != PROG_ARRAY:
            found[name] = opened
    return found
