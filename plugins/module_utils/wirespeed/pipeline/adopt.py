# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a program that someone else attached into our care, as it runs: pinned like a generation of ours, with its maps.

Nothing changes for a packet. Its hook can then be swapped for a root that calls it, its maps be handed over
by their names, and a rollback can come back to it; but there is no object of it to load again.
"""

from __future__ import annotations

import errno
import getpass
import os
import time
from pathlib import Path
from typing import Dict, Iterable

from ..errors import KernelRefusal, Refused
from ..kernel import bpf_link, bpffs
from ..kernel.bpf_link import XdpLink
from ..kernel.bpf_map import PROG_ARRAY, BpfMap
from ..kernel.bpf_prog import XDP, BpfProgram
from . import attach, protocol, records, root, slot
from .manifest import Manifest
from .pins import PROTOCOL, STAGING, Paths
from .records import Record
from .support import Support

_NAME_BYTES = 15  # the kernel cuts names of maps (BPF_OBJ_NAME_LEN)


def adopt(paths: Paths, pipeline: str, nic: str, prog_id: int, generation: str, names: Iterable[str]) -> None:
    """Pins the program on the NIC's hook, its maps and its link, as a generation. May be repeated.

    ``names`` are the maps' full names, as the new manifest has them. Raises :class:`Refused` when another
    program is there by now.
    """
    protocol.claim(paths)
    holder = bpf_link.query(attach.ifindex(nic))
    if holder is None or holder.prog_id != prog_id:
        raise Refused(f"{nic} carries {holder or 'no XDP program'}, not program {prog_id} any more.", "Run again.")
    with BpfProgram.by_id(prog_id) as program:
        if not paths.generation(pipeline, generation).exists():
            _pin(paths, pipeline, generation, program, names)
    if holder.link_id is not None and attach.link_of(paths, attach.ifindex(nic)) is None:
        with XdpLink.by_id(holder.link_id) as link:
            attach.pin(paths, nic, link)


def deviation(paths: Paths, pipeline: str, nic: str, generation: str) -> str:
    """Empty when the hook's program is kept as this generation."""
    holder = bpf_link.query(attach.ifindex(nic))
    ours = attach.ours_on(paths, attach.ifindex(nic), holder)
    if ours is not None and (ours.pipeline, ours.runs) == (pipeline, generation):
        return ""
    return f"{nic} carries {holder or 'no XDP program'}, which is not kept"


def release(paths: Paths, pipeline: str, nic: str, generation: str) -> None:
    """The inverse: our pins go, the program stays on its hook as it was attached. May meet nothing."""
    link = attach.link_of(paths, attach.ifindex(nic))
    if link is not None and link.runs == generation:
        bpffs.unpin(link.pin)
        bpffs.remove_if_empty(paths.links)
    bpffs.remove_tree(paths.generation(pipeline, generation))
    bpffs.remove_tree(Path(f"{paths.generation(pipeline, generation)}{STAGING}"))
    paths.record(pipeline, generation).unlink(missing_ok=True)
    if not paths.generations(pipeline):
        root.remove(paths, pipeline)
        protocol.leave(paths)


def _pin(paths: Paths, pipeline: str, generation: str, program: BpfProgram, names: Iterable[str]) -> None:
    final = paths.generation(pipeline, generation)
    staging = Path(f"{final}{STAGING}")
    bpffs.remove_tree(staging)
    for kind in ("progs", "maps"):
        bpffs.make_directory(staging / kind)
    info = program.info
    program.pin(str(staging / "progs" / bpffs.encode(info.name or "program")))
    full = {name[:_NAME_BYTES]: name for name in names}
    for map_id in info.map_ids:
        with BpfMap.by_id(map_id) as found:
            plain = found.info.name.partition(".")
            name = f".{plain[2]}" if plain[1] else full.get(plain[0], plain[0])
            pin = staging / "maps" / bpffs.encode(name or f"map {map_id}")
            if not pin.exists():
                found.pin(str(pin))
    records.write(paths, _record(pipeline, generation, info.name))
    os.rename(staging, final)


def _record(pipeline: str, generation: str, entry: str) -> Record:
    manifest = Manifest(pipeline, records.ADOPTED, "", entry or "program")
    return Record(
        pipeline=pipeline,
        generation=generation,
        digest="",
        version=records.ADOPTED,
        loaded_at=time.time(),
        loaded_by=os.environ.get("SUDO_USER") or getpass.getuser(),
        reused=(),
        reset=(),
        manifest=manifest.to_json(),
        protocol=PROTOCOL,
    )


def fit(prog_id: int, support: Support) -> str:
    """``xdp`` or ``xdp.frags``, as which the program can be called from a root's slot, else why it cannot.

    Tried on a program array that nobody runs: what the kernel asks of its members is not told by any interface.
    """
    from ..kernel.bpf_object import BpfObject

    why = "it is no XDP program"
    with BpfProgram.by_id(prog_id) as program:
        if program.info.type != XDP:
            return why
        for word, code in (("xdp", support.root), ("xdp.frags", support.root_frags)):
            with BpfObject(code, "probe") as loaded:
                loaded.load()
                maps: Dict[str, BpfMap] = dict(loaded.maps())
                try:
                    array = next(found for found in maps.values() if found.info.type == PROG_ARRAY)
                    array.update(slot.ENTRY, program.fd.to_bytes(4, "little"))
                    return word
                except KernelRefusal as error:
                    why = slot.why_not(error.code, "a pipeline") or str(error)
                    if error.code != errno.EINVAL:  # of this kind, and still refused
                        return why
                finally:
                    for found in maps.values():
                        found.close()
    return why
