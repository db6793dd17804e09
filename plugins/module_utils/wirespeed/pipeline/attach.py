# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a pipeline on a NIC, exchange what runs there, take it off; and never touch what someone else attached."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

from ..errors import KernelRefusal, Refused, WirespeedError
from ..kernel import bpf_link, bpffs
from ..kernel.bpf_link import Holder, XdpLink
from ..kernel.bpf_prog import BpfProgram
from ..model.nic import XdpMode
from . import programs, root
from .links import PinnedLink, pinned_links
from .pins import STAGING, Paths
from .programs import Known

_HELD = (errno.EBUSY, errno.EEXIST)
_NO_REASON_WANTED = (errno.EPERM, errno.ENODEV, errno.ENOMEM)


def attach(paths: Paths, pipeline: str, nic: str, mode: XdpMode) -> None:
    """Does nothing when it is so already; replaces a dead link.

    Raises :class:`Refused` when our own program holds the NIC in another way (detach first), and
    KernelRefusal with the holder of the hook, or with the driver's reason.
    """
    index = ifindex(nic)
    with root.program(paths, pipeline) as program:
        holder = bpf_link.query(index)
        ours = ours_on(paths, index, holder)
        if ours is not None and ours.pipeline:
            _same_or_refuse(ours, holder, pipeline, nic, mode)
            keep_name(paths, nic)
            return
        bpffs.make_directory(paths.links)
        with _create(program, index, nic, mode) as link:
            pin(paths, nic, link)


def pin(paths: Paths, nic: str, link: XdpLink) -> None:
    """Under the NIC's name, in place of a dead one."""
    bpffs.make_directory(paths.links)
    staged = Path(f"{paths.link(nic)}{STAGING}")
    bpffs.unpin(staged)
    link.pin(str(staged))
    os.replace(staged, paths.link(nic))


def keep_name(paths: Paths, nic: str) -> None:
    """The NIC was renamed, or we were killed before a rename."""
    link = link_of(paths, ifindex(nic))
    if link is not None and link.pin != paths.link(nic):
        os.replace(link.pin, paths.link(nic))


def detach(paths: Paths, pipeline: str, nic: str) -> None:
    """Removes only what is of this pipeline; what else is on the NIC stays. Not attached is no error."""
    try:
        index = socket.if_nametoindex(nic)
    except OSError:
        index = 0
    for found in pinned_links(paths):
        mine = found.ifindex == index if found.ifindex else found.ifname == nic
        if not mine or found.pipeline != pipeline:
            continue
        if found.ifindex:
            with XdpLink.pinned(str(found.pin)) as link:
                link.detach()
        bpffs.unpin(found.pin)
    bpffs.remove_if_empty(paths.links)
    holder = bpf_link.query(index) if index else None
    ours = ours_on(paths, index, holder)
    if holder is not None and ours is not None and ours.pipeline == pipeline:
        with BpfProgram.by_id(holder.prog_id) as program:
            bpf_link.netlink_off(index, program, holder.mode, nic)


def deviation(paths: Paths, pipeline: str, nic: str, mode: XdpMode) -> str:
    """Empty when the kernel says that the NIC runs what this pipeline's NICs are to carry, in this mode."""
    index = ifindex(nic)
    holder = bpf_link.query(index)
    ours = ours_on(paths, index, holder)
    if holder is None:
        return f"{nic} carries no XDP program"
    if ours is None or ours.pipeline != pipeline or holder.mode is not mode:
        return f"{nic} carries {holder}"
    with root.program(paths, pipeline) as program:
        if program.info.id != holder.prog_id:
            return f"{nic} carries an earlier root of {pipeline} (program {holder.prog_id})"
    return ""


def ours_on(paths: Paths, index: int, holder: Optional[Holder]) -> Optional[Known]:
    """What of ours holds a NIC's hook: by a living link that we pinned, or over netlink by a program of ours."""
    if holder is None:
        return None
    link = link_of(paths, index)
    if link is not None:
        return Known(link.pipeline, link.runs) if link.link_id == holder.link_id else None
    return programs.known(paths).get(holder.prog_id) if holder.link_id is None else None


@dataclass(frozen=True)
class HeldOverNetlink:
    """A NIC whose hook a program of ours holds without a link: adopted from an attachment over netlink."""

    nic: str
    ifindex: int
    mode: XdpMode
    prog_id: int
    pipeline: str
    runs: str


def held_over_netlink(paths: Paths) -> List[HeldOverNetlink]:
    """In the present network namespace."""
    known, found = programs.known(paths), []
    for index, name in socket.if_nameindex():
        holder = bpf_link.query(index)
        if holder is not None and holder.link_id is None and holder.prog_id in known:
            ours = known[holder.prog_id]
            found.append(HeldOverNetlink(name, index, holder.mode, holder.prog_id, ours.pipeline, ours.runs))
    return found


def link_of(paths: Paths, index: int) -> Optional[PinnedLink]:
    """Our living link on this NIC, if there is one."""
    return next((found for found in pinned_links(paths) if found.ifindex == index), None)


def _same_or_refuse(ours: Known, holder: Optional[Holder], pipeline: str, nic: str, mode: XdpMode) -> None:
    if ours.pipeline == pipeline and holder is not None and holder.mode is mode:
        return
    how = f"{holder.mode} mode" if holder else "no mode"
    raise Refused(
        f"{nic} carries pipeline {ours.pipeline} in {how} already, so {pipeline} cannot be attached in {mode} mode.",
        "Detach it first.",
    )


def _create(program: BpfProgram, index: int, nic: str, mode: XdpMode) -> XdpLink:
    try:
        return XdpLink.create(program, index, mode, nic)
    except KernelRefusal as error:
        reason, remedy = _explain(error, program, index, mode)
        raise KernelRefusal(error.call, error.code, reason, remedy) from error


def _explain(error: KernelRefusal, program: BpfProgram, index: int, mode: XdpMode) -> Tuple[str, str]:
    if error.code in _HELD:
        holder = bpf_link.query(index)
        reason = f"the hook is held by {holder}" if holder else "an upper or lower device has an XDP program"
        return reason, "Wirespeed never overwrites it: detach it with the tool that attached it, or say foreign: adopt."
    if error.code in _NO_REASON_WANTED:
        return error.reason, error.remedy
    reason = bpf_link.refusal_text(program, index, mode)
    remedy = "Use mode: generic for this NIC, or a driver with native XDP." if error.code == errno.EOPNOTSUPP else ""
    return reason, remedy


def ifindex(nic: str) -> int:
    """Raises :class:`WirespeedError` when there is no such interface."""
    try:
        return socket.if_nametoindex(nic)
    except OSError:
        raise WirespeedError(f"There is no interface {nic} here.", "Correct its name ('ip link' lists them).") from None
