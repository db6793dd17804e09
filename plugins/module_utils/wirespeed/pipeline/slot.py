# SPDX-License-Identifier: GPL-3.0-or-later
"""Slot 0 of a root's program array: the one place that says what runs behind it, and what the kernel lets in there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Optional

from ..errors import KernelRefusal
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_prog import BpfProgram

ENTRY = b"\0\0\0\0"


def read(slots: Path) -> Optional[int]:
    """The id of the program there; None when it is empty. ``slots`` is the pin of the array."""
    with BpfMap.pinned(str(slots)) as array:
        # Read from user space, an element of a program array is the program's id.
        found = array.lookup(ENTRY)
    return int.from_bytes(found, "little") if found else None


def write(slots: Path, pipeline: str, entry: BpfProgram) -> None:
    """From the next packet on, on every NIC that carries this root, ``entry`` runs. Raises KernelRefusal."""
    try:
        with BpfMap.pinned(str(slots)) as array:
            array.update(ENTRY, entry.fd.to_bytes(4, "little"))
    except KernelRefusal as error:
        raise KernelRefusal(error.call, error.code, error.reason, why_not(error.code, pipeline)) from error


def empty(slots: Path) -> None:
    """The root then follows its policy."""
    with BpfMap.pinned(str(slots)) as array:
        array.delete(ENTRY)


def why_not(code: int, pipeline: str) -> str:
    """What an errno of a write to a program array means (kernel/bpf/arraymap.c, core.c; Linux 6.12 and 6.18)."""
    if code == errno.EINVAL:
        return (
            f"The program is of another kind than the root of {pipeline}: frames of several buffers (xdp.frags), or "
            "since Linux 6.18 another expected attach type."
        )
    if code == errno.EBUSY:
        return (
            "The program is extended by another one (freplace), as libxdp's dispatcher is; such programs take no slot."
        )
    return ""
