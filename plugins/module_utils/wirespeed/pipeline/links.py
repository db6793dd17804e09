# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned links: which NIC carries what of which pipeline, and which of them are dead."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Tuple

from ..errors import KernelRefusal
from ..kernel import bpffs
from ..kernel.bpf_link import XdpLink
from ..kernel.bpf_prog import BpfProgram
from . import programs
from .pins import STAGING, Paths
from .programs import Known


@dataclass(frozen=True)
class PinnedLink:
    """``ifname`` is the NIC's present name, or for a dead link the name that it was pinned under.

    ``ifindex`` 0 means dead: detached from outside, or the NIC is gone. ``pin`` is its path. ``runs`` is as in
    :class:`~..model.nic.XdpAttachment`.
    """

    ifname: str
    pipeline: str
    link_id: int
    ifindex: int
    prog_id: int
    pin: Path
    runs: str = ""


def pinned_links(paths: Paths) -> Tuple[PinnedLink, ...]:
    """Dead ones first, so that a mapping by name keeps the living one. Raises KernelRefusal."""
    pins = bpffs.entries(paths.links)
    by_id = programs.known(paths) if pins else {}
    found = [pinned_link(path, by_id) for path in pins]
    return tuple(sorted(found, key=lambda link: (link.ifindex != 0, link.ifname)))


def pinned_link(path: Path, by_id: Mapping[int, Known]) -> PinnedLink:
    """Raises KernelRefusal; EINVAL when what is pinned there is no XDP link."""
    with XdpLink.pinned(str(path)) as link:
        info = link.info
    # A link keeps its program alive, also a dead one.
    program = programs.of(info.prog_id, by_id)
    name = bpffs.decode(path.name[: -len(STAGING)] if path.name.endswith(STAGING) else path.name)
    present = _present_name(info.ifindex, name)
    return PinnedLink(present, program.pipeline, info.id, info.ifindex, info.prog_id, path, program.runs)


def _present_name(ifindex: int, pinned_as: str) -> str:
    """NICs are renamed, also by udev at boot; the ifindex stays."""
    if not ifindex:
        return pinned_as
    try:
        return socket.if_indextoname(ifindex)
    except OSError:
        return pinned_as


def move(paths: Paths, pipeline: str, new_root: BpfProgram) -> None:
    """Brings live links of this pipeline whose program has lost its pin to ``new_root``.

    That is needed after someone removed the root's pins: the program array went with them, and the
    NICs would run a root whose slot nobody can write any more.
    """
    wanted = new_root.info.id
    for found in pinned_links(paths):
        if found.pipeline != pipeline or not found.ifindex or found.runs or found.prog_id == wanted:
            continue
        with XdpLink.pinned(str(found.pin)) as link, BpfProgram.by_id(found.prog_id) as old:
            try:
                link.update(new_root, old)
            except KernelRefusal as error:
                if error.code != errno.ENOLINK:  # died meanwhile: the next run replaces it
                    raise
