# SPDX-License-Identifier: GPL-3.0-or-later
"""The root program of a pipeline and its slot: made once, then only the slot is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Optional

from ..errors import Place, Refused, WirespeedError
from ..kernel import bpffs
from ..kernel import btf as btfs
from ..kernel import elf as elfs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from . import constants, metadata
from .links import pinned_links
from .manifest import Manifest
from .pins import PROTOCOL, STAGING, Paths

PROGRAM = "wirespeed_root"
SLOTS = "slots"
EMPTY_SLOT = "empty_slot"
ENTRY_SLOT = b"\0\0\0\0"
ACTIONS = {"drop": 1, "pass": 2}  # enum xdp_action
_PIPELINE = metadata.PREFIX + "pipeline"
_POLICY = "empty_slot_action"
_OBJECT = Place("root.bpf.o")


def ensure(paths: Paths, manifest: Manifest, root_object: bytes) -> None:
    """Pins the root of a pipeline unless it is there with the same policy for an empty slot.

    A root that no NIC carries is replaced when its policy differs; one that is attached is not:
    raises :class:`Refused`. Raises the errors of loading, too.
    """
    name = manifest.name
    check_protocol(paths, name)
    if paths.root(name).exists() and paths.slots(name).exists():
        with BpfProgram.pinned(str(paths.root(name))) as program:
            if metadata.read(program).get(_POLICY) == ACTIONS[manifest.empty_slot]:
                return
        _refuse_if_attached(paths, manifest)
    _create(paths, manifest, root_object)


def check_protocol(paths: Paths, pipeline: str) -> None:
    """Raises :class:`Refused` when these pins were made by a newer Wirespeed than this one."""
    if not paths.root(pipeline).exists():
        return
    with BpfProgram.pinned(str(paths.root(pipeline))) as program:
        found = metadata.read(program).get(metadata.PREFIX + "protocol")
    if not isinstance(found, int) or found > PROTOCOL:
        raise Refused(
            f"The pins of pipeline {pipeline} below {paths.pipeline(pipeline)} follow version {found} of the pin "
            f"protocol; this Wirespeed knows {PROTOCOL}.",
            "Upgrade Wirespeed on this node. The pipeline keeps filtering meanwhile.",
        )


def _refuse_if_attached(paths: Paths, manifest: Manifest) -> None:
    nics = [link.ifname for link in pinned_links(paths) if link.pipeline == manifest.name and link.ifindex]
    if nics:
        raise Refused(
            f"The root of pipeline {manifest.name} is attached to {', '.join(nics)} and treats packets otherwise than "
            f"'{manifest.empty_slot}' while its slot is empty.",
            "Keep empty_slot as it was, or take the pipeline off these NICs first.",
        )


def _create(paths: Paths, manifest: Manifest, root_object: bytes) -> None:
    """Pins under a name of no meaning and then renames, so that a root is there whole or not at all."""
    name = manifest.name
    patches = _constants(manifest, root_object)
    staging = Path(f"{paths.pipeline(name)}{STAGING}")
    bpffs.remove_tree(staging)
    bpffs.make_directory(staging)
    with BpfObject(root_object, "root") as loaded:
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
    if not paths.pipeline(name).exists():
        os.rename(staging, paths.pipeline(name))
        return
    # Generations are there already: put the root last, because ensure() takes it as the sign.
    for pin in (EMPTY_SLOT, SLOTS, "root"):
        os.replace(staging / pin, paths.pipeline(name) / pin)
    staging.rmdir()


def _constants(manifest: Manifest, root_object: bytes) -> Dict[int, bytes]:
    elf = elfs.parse(root_object, _OBJECT)
    values = {_POLICY: ACTIONS[manifest.empty_slot]}
    patches = constants.encode(values, elf, btfs.of_object(elf.section(".BTF"), _OBJECT), _OBJECT)
    name = elf.variable(constants.SECTION, _PIPELINE)
    patches[name.offset] = manifest.name.encode().ljust(name.size, b"\0")
    return patches


def program(paths: Paths, pipeline: str) -> BpfProgram:
    """The pinned root. Raises :class:`WirespeedError` when the pipeline has none."""
    _require(paths, pipeline)
    return BpfProgram.pinned(str(paths.root(pipeline)))


def published(paths: Paths, pipeline: str) -> Optional[int]:
    """The id of the program in the slot; None when the slot is empty or there is no root."""
    if not paths.slots(pipeline).exists():
        return None
    with BpfMap.pinned(str(paths.slots(pipeline))) as slots:
        # Read from user space, an element of a program array is the program's id.
        found = slots.lookup(ENTRY_SLOT)
    return int.from_bytes(found, "little") if found else None


def publish(paths: Paths, pipeline: str, entry: BpfProgram) -> None:
    """One slot write: from the next packet on, on every NIC of the pipeline, ``entry`` runs."""
    _require(paths, pipeline)
    with BpfMap.pinned(str(paths.slots(pipeline))) as slots:
        slots.update(ENTRY_SLOT, entry.fd.to_bytes(4, "little"))


def clear(paths: Paths, pipeline: str) -> None:
    """Empties the slot: the root then follows its policy."""
    if paths.slots(pipeline).exists():
        with BpfMap.pinned(str(paths.slots(pipeline))) as slots:
            slots.delete(ENTRY_SLOT)


def remove(paths: Paths, pipeline: str) -> None:
    """Unpins the root; the root itself first, so that what is left is recognised as no root."""
    for pin in (paths.root(pipeline), paths.slots(pipeline), paths.empty_slot(pipeline)):
        bpffs.unpin(pin)
    bpffs.remove_if_empty(paths.pipeline(pipeline))


def _require(paths: Paths, pipeline: str) -> None:
    if not (paths.root(pipeline).exists() and paths.slots(pipeline).exists()):
        raise WirespeedError(
            f"Pipeline {pipeline} has no root below {paths.pipeline(pipeline)}.", "Load an instance of it first."
        )
