# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned links: which NIC carries which pipeline's root, and which of them are dead."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

from ..errors import KernelRefusal
from ..kernel import bpffs
from ..kernel.bpf_link import XdpLink
from ..kernel.bpf_prog import BpfProgram
from . import metadata
from .pins import STAGING, Paths


@dataclass(frozen=True)
class PinnedLink:
    """``ifname`` is the NIC's present name, or for a dead link the name that it was pinned under.

    ``ifindex`` 0 means dead: detached from outside, or the NIC is gone. ``pin`` is its path.
    """

    ifname: str
    pipeline: str
    link_id: int
    ifindex: int
    prog_id: int
    pin: Path


def pinned_links(paths: Paths) -> Tuple[PinnedLink, ...]:
    """Dead ones first, so that a mapping by name keeps the living one. Raises KernelRefusal."""
    found = [pinned_link(path) for path in bpffs.entries(paths.links)]
    return tuple(sorted(found, key=lambda link: (link.ifindex != 0, link.ifname)))


def pinned_link(path: Path) -> PinnedLink:
    """Raises KernelRefusal; EINVAL when what is pinned there is no XDP link."""
    with XdpLink.pinned(str(path)) as link:
        info = link.info
    # A link keeps its program alive, also a dead one.
    with BpfProgram.by_id(info.prog_id) as program:
        pipeline = str(metadata.read(program).get(metadata.PREFIX + "pipeline", ""))
    name = bpffs.decode(path.name[: -len(STAGING)] if path.name.endswith(STAGING) else path.name)
    return PinnedLink(_present_name(info.ifindex, name), pipeline, info.id, info.ifindex, info.prog_id, path)


def _present_name(ifindex: int, pinned_as: str) -> str:
    """NICs are renamed, also by udev at boot; the ifindex stays."""
    if not ifindex:
        return pinned_as
    try:
        return socket.if_indextoname(ifindex)
    except OSError:
        return pinned_as


def move(paths: Paths, pipeline: str, new_root: BpfProgram) -> None:
    """Brings live links of this pipeline that still hold an earlier root to ``new_root``.

    That is needed after someone removed the root's pins: the program array went with them, and the
    NICs would run a root whose slot nobody can write any more.
    """
    wanted = new_root.info.id
    for found in pinned_links(paths):
        if found.pipeline != pipeline or not found.ifindex or found.prog_id == wanted:
            continue
        with XdpLink.pinned(str(found.pin)) as link, BpfProgram.by_id(found.prog_id) as old:
            try:
                link.update(new_root, old)
            except KernelRefusal as error:
                if error.code != errno.ENOLINK:  # died meanwhile: the next run replaces it
                    raise
