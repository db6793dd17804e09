# SPDX-License-Identifier: GPL-3.0-or-later
"""What the NICs of a pipeline carry, and what they run behind it: a root with its slot, or the entry itself.

A root is made once, then only its slot is written. Without one (direct attach) a pin of the same name holds the
published entry, which every NIC of the pipeline is brought to by a swap on its own hook.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Optional

from ..errors import Place, Refused, WirespeedError
from ..kernel import bpffs
from ..kernel import btf as btfs
from ..kernel import elf as elfs
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from ..model.node import RootFacts
from . import constants, metadata, protocol, slot
from .links import pinned_links
from .pins import STAGING, Paths
from .support import Support

PROGRAM = "wirespeed_root"
SLOTS = "slots"
EMPTY_SLOT = "empty_slot"
PINS = (EMPTY_SLOT, SLOTS, "root")
"""The root last: it is the sign that the others are there."""

ACTIONS = {"drop": 1, "pass": 2}  # enum xdp_action
_PIPELINE = metadata.PREFIX + "pipeline"
_FRAGS = metadata.PREFIX + "frags"
_PROTOCOL = metadata.PREFIX + "protocol"
_POLICY = "empty_slot_action"
_OBJECT = Place("root.bpf.o")


def facts(paths: Paths, pipeline: str) -> Optional[RootFacts]:
    """None when the pipeline has nothing that a NIC could carry."""
    if not paths.root(pipeline).exists():
        return None
    with BpfProgram.pinned(str(paths.root(pipeline))) as program:
        said, prog_id = metadata.read(program), program.info.id
    if _PROTOCOL not in said or not paths.slots(pipeline).exists():
        return RootFacts(pipeline, prog_id, direct=True)
    policy = next((word for word, action in ACTIONS.items() if action == said.get(_POLICY)), "pass")
    return RootFacts(pipeline, prog_id, False, bool(said.get(_FRAGS)), policy)


def ensure(paths: Paths, wanted: RootFacts, support: Support) -> None:
    """Pins a root unless the pipeline has one; which one it has, a plan looks after. Raises the errors of loading."""
    protocol.claim(paths)
    if facts(paths, wanted.pipeline) is not None:
        return
    staging = _make(paths, wanted, support)
    if paths.pipeline(wanted.pipeline).exists():
        _put(paths, wanted.pipeline)
    else:
        os.rename(staging, paths.pipeline(wanted.pipeline))


def replace(paths: Paths, wanted: RootFacts, support: Support, entry: BpfProgram) -> None:
    """Another root, with ``entry`` published in it, in place of the present one, which the NICs still carry.

    Its pins move aside whole: were they dropped, the kernel would clear its slots under the NICs' feet. Raises
    :class:`Refused` while NICs still carry the one before that.
    """
    protocol.claim(paths)
    pipeline, aside = wanted.pipeline, paths.former_root(wanted.pipeline)
    discard_former(paths, pipeline)
    if aside.exists():
        raise Refused(
            f"Some NICs of pipeline {pipeline} still carry the root before the present one ({aside}), so it cannot be "
            "replaced once more.",
            "Run once with the present code, which swaps them, then again.",
        )
    staging = _make_direct(paths, pipeline, entry) if wanted.direct else _make(paths, wanted, support)
    if not wanted.direct:
        slot.write(staging / SLOTS, pipeline, entry)
    bpffs.make_directory(aside)
    for pin in reversed(PINS):
        if (paths.pipeline(pipeline) / pin).exists():
            os.rename(paths.pipeline(pipeline) / pin, aside / pin)
    _put(paths, pipeline)


def put_back(paths: Paths, pipeline: str) -> None:
    """The inverse of :func:`replace`, also of half of it, or of none."""
    aside = paths.former_root(pipeline)
    bpffs.remove_tree(_staging(paths, pipeline))
    if not (aside / "root").exists():
        bpffs.remove_if_empty(aside)
        return
    for pin in PINS:
        if (aside / pin).exists():
            os.replace(aside / pin, paths.pipeline(pipeline) / pin)
        else:
            bpffs.unpin(paths.pipeline(pipeline) / pin)
    aside.rmdir()


def discard_former(paths: Paths, pipeline: str) -> bool:
    """Removes a root that was replaced, once no NIC carries it; whether there was one to remove."""
    aside = paths.former_root(pipeline)
    if not (aside / "root").exists():
        bpffs.remove_if_empty(aside)
        return False
    with BpfProgram.pinned(str(aside / "root")) as program:
        former = program.info.id
    if former in [link.prog_id for link in pinned_links(paths) if link.ifindex]:
        return False
    bpffs.remove_tree(aside)
    return True


def _staging(paths: Paths, pipeline: str) -> Path:
    return Path(f"{paths.pipeline(pipeline)}{STAGING}")


def _make(paths: Paths, wanted: RootFacts, support: Support) -> Path:
    """A directory of the pins of a new root, under a name of no meaning yet."""
    patches = _constants(wanted, support.root_for(wanted.frags))
    staging = _staging(paths, wanted.pipeline)
    bpffs.remove_tree(staging)
    bpffs.make_directory(staging)
    with BpfObject(support.root_for(wanted.frags), "root") as loaded:
        loaded.patch_rodata(patches)
        loaded.load()
        for program_name, program in loaded.programs():
            with program:
                if program_name == PROGRAM:
                    program.pin(str(staging / "root"))
        for map_name, found in loaded.maps():
            with found:
                if map_name in (SLOTS, EMPTY_SLOT):
                    found.pin(str(staging / map_name))
    return staging


def _make_direct(paths: Paths, pipeline: str, entry: BpfProgram) -> Path:
    staging = _staging(paths, pipeline)
    bpffs.remove_tree(staging)
    bpffs.make_directory(staging)
    entry.pin(str(staging / "root"))
    return staging


def _put(paths: Paths, pipeline: str) -> None:
    staging = _staging(paths, pipeline)
    for pin in PINS:
        if (staging / pin).exists():
            os.replace(staging / pin, paths.pipeline(pipeline) / pin)
    staging.rmdir()


def _constants(wanted: RootFacts, root_object: bytes) -> Dict[int, bytes]:
    elf = elfs.parse(root_object, _OBJECT)
    values = {_POLICY: ACTIONS[wanted.empty_slot]}
    patches = constants.encode(values, elf, btfs.of_object(elf.section(".BTF"), _OBJECT), _OBJECT)
    name = elf.variable(constants.SECTION, _PIPELINE)
    patches[name.offset] = wanted.pipeline.encode().ljust(name.size, b"\0")
    return patches


def program(paths: Paths, pipeline: str) -> BpfProgram:
    """What its NICs are to carry. Raises :class:`WirespeedError` when the pipeline has none."""
    _require(paths, pipeline)
    return BpfProgram.pinned(str(paths.root(pipeline)))


def published(paths: Paths, pipeline: str) -> Optional[int]:
    """The id of the entry that is published; None when the slot is empty or there is no root."""
    if paths.slots(pipeline).exists():
        return slot.read(paths.slots(pipeline))
    present = facts(paths, pipeline)
    return present.prog_id if present else None


def publish(paths: Paths, pipeline: str, entry: BpfProgram) -> None:
    """One slot write: from the next packet on, on every NIC of the pipeline, ``entry`` runs.

    Without a root, what the NICs are to carry from the next swap on.
    """
    present = facts(paths, pipeline)
    if present is None or present.direct:
        bpffs.make_directory(paths.pipeline(pipeline))
        os.replace(_make_direct(paths, pipeline, entry) / "root", paths.root(pipeline))
        _staging(paths, pipeline).rmdir()
        return
    slot.write(paths.slots(pipeline), pipeline, entry)


def clear(paths: Paths, pipeline: str) -> None:
    """Empties the slot: the root then follows its policy."""
    if paths.slots(pipeline).exists():
        slot.empty(paths.slots(pipeline))
    else:
        bpffs.unpin(paths.root(pipeline))


def remove(paths: Paths, pipeline: str) -> None:
    """Unpins the root; the root itself first, so that what is left is recognised as no root."""
    for pin in (paths.root(pipeline), paths.slots(pipeline), paths.empty_slot(pipeline)):
        bpffs.unpin(pin)
    bpffs.remove_tree(paths.former_root(pipeline))
    bpffs.remove_if_empty(paths.pipeline(pipeline))


def _require(paths: Paths, pipeline: str) -> None:
    if not paths.root(pipeline).exists():
        raise WirespeedError(
            f"Pipeline {pipeline} has no root below {paths.pipeline(pipeline)}.", "Load an instance of it first."
        )
