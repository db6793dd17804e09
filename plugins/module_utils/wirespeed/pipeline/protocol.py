# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of docs/pinning.md the pins of this node follow: refused when it is newer, raised when it is older.

From version 2 on, a map pinned beside the pipelines says so for all of them. In version 1 each root program
did, and a pipeline without one of our roots had no version at all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

from ..errors import Refused
from ..kernel import bpffs
from ..kernel.bpf_map import ARRAY, BpfMap
from ..kernel.bpf_prog import BpfProgram
from . import metadata
from .pins import PROTOCOL, STAGING, Paths

_KEY = b"\0\0\0\0"
_NAME = "ws_protocol"
_BYTES = 4


def check(paths: Paths) -> None:
    """Raises :class:`Refused` when the pins were made by a newer Wirespeed than this one."""
    found = present(paths)
    if found is None or found <= PROTOCOL:
        return
    raise Refused(
        f"The pins below {paths.base} follow version {found or 'unknown'} of the pin protocol; this Wirespeed knows "
        f"{PROTOCOL}.",
        "Upgrade Wirespeed on this node. The pipelines keep filtering meanwhile.",
    )


def present(paths: Paths) -> Optional[int]:
    """None when nothing is pinned. What says no version counts as newer than any."""
    if paths.protocol.exists():
        with BpfMap.pinned(str(paths.protocol)) as marker:
            return int.from_bytes(marker.lookup(_KEY) or b"\xff" * _BYTES, "little")
    roots = [paths.root(name) for name in paths.pipelines() if paths.root(name).exists()]
    return max((_of_root(root) for root in roots), default=None)


def _of_root(root: Path) -> int:
    with BpfProgram.pinned(str(root)) as program:
        found = metadata.read(program).get(metadata.PREFIX + "protocol")
    return found if isinstance(found, int) else 2**32 - 1


def claim(paths: Paths) -> None:
    """Before anything is pinned: raises :class:`Refused` like :func:`check`; older pins are migrated first."""
    migrate(paths)
    if not paths.protocol.exists():
        stamp(paths)


def stamp(paths: Paths) -> None:
    """Marks the pins as following this version."""
    bpffs.make_directory(paths.base)
    staged = Path(f"{paths.protocol}{STAGING}")
    bpffs.unpin(staged)
    with BpfMap.create(ARRAY, _NAME, (_BYTES, _BYTES), 1) as marker:
        marker.update(_KEY, PROTOCOL.to_bytes(_BYTES, "little"))
        marker.pin(str(staged))
    os.replace(staged, paths.protocol)


def leave(paths: Paths) -> None:
    """Takes the mark away with the last pin that it stands for."""
    if [path for path in bpffs.entries(paths.base) if path != paths.protocol]:
        return
    bpffs.unpin(paths.protocol)
    bpffs.remove_if_empty(paths.base)


def outdated(paths: Paths) -> Tuple[str, ...]:
    """What :func:`migrate` would do, as a sentence for a run that changes nothing. Raises :class:`Refused`."""
    check(paths)
    found = present(paths)
    if found is None or found == PROTOCOL:
        return ()
    what = f"The pins below {paths.base} follow version {found} of the pin protocol"
    return (f"{what}: the next run first brings them to {PROTOCOL}.",)


def migrate(paths: Paths) -> Tuple[str, ...]:
    """Brings older pins to this version; what runs runs on. Returns a sentence for each version left behind.

    Each step may be repeated: a process that is killed in between leaves the old version's mark in place.
    """
    check(paths)
    found = present(paths)
    if found is None or found == PROTOCOL:
        return ()
    for version in range(found, PROTOCOL):
        _MIGRATIONS[version](paths)
    stamp(paths)
    return (f"The pins below {paths.base} were brought from version {found} of the pin protocol to {PROTOCOL}.",)


def _internal_maps_lose_the_objects_name(paths: Paths) -> None:
    """libbpf calls an object's own maps ``scrubber.bss``; version 1 kept that name, except for ``.rodata``."""
    for pipeline in paths.pipelines():
        for generation in paths.generations(pipeline):
            for pin in bpffs.entries(paths.generation(pipeline, generation) / "maps"):
                name = bpffs.decode(pin.name)
                plain = f".{name.partition('.')[2]}"
                if "." in name and plain != name:
                    os.replace(pin, paths.map(pipeline, generation, plain))


_MIGRATIONS: Dict[int, Callable[[Paths], None]] = {1: _internal_maps_lose_the_objects_name}
