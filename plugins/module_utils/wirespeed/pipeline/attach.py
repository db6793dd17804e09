# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a pipeline's root on a NIC and take it off, and never touch what someone else attached."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Optional, Tuple

from ..errors import KernelRefusal, Refused, WirespeedError
from ..kernel import bpf_link, bpffs
from ..kernel.bpf_link import Holder, XdpLink
from ..kernel.bpf_prog import BpfProgram
from ..model.nic import XdpMode
from . import root
from .links import PinnedLink, pinned_links
from .pins import STAGING, Paths

_HELD = (errno.EBUSY, errno.EEXIST)
_NO_REASON_WANTED = (errno.EPERM, errno.ENODEV, errno.ENOMEM)


def attach(paths: Paths, pipeline: str, nic: str, mode: XdpMode) -> None:
    """Does nothing when it is so already; replaces a dead link.

    Raises :class:`Refused` when our own link holds the NIC in another way (detach first), and
    KernelRefusal with the holder of the hook, or with the driver's reason.
    """
    ifindex = _ifindex(nic)
    with root.program(paths, pipeline) as program:
        ours, holder = _living(paths, ifindex), bpf_link.query(ifindex)
        if ours is not None:
            _same_or_refuse(ours, holder, pipeline, nic, mode)
            if ours.pin != paths.link(nic):  # the NIC was renamed, or we were killed before a rename
                os.replace(ours.pin, paths.link(nic))
            return
        bpffs.make_directory(paths.links)
        with _create(program, ifindex, nic, mode) as link:
            staged = Path(f"{paths.link(nic)}{STAGING}")
            bpffs.unpin(staged)
            link.pin(str(staged))
            os.replace(staged, paths.link(nic))


def detach(paths: Paths, pipeline: str, nic: str) -> None:
    """Removes only a link of this pipeline; what else is on the NIC stays. Not attached is no error."""
    try:
        ifindex = socket.if_nametoindex(nic)
    except OSError:
        ifindex = 0
    for found in pinned_links(paths):
        mine = found.ifindex == ifindex if found.ifindex else found.ifname == nic
        if not mine or found.pipeline != pipeline:
            continue
        if found.ifindex:
            with XdpLink.pinned(str(found.pin)) as link:
                link.detach()
        bpffs.unpin(found.pin)
    bpffs.remove_if_empty(paths.links)


def deviation(paths: Paths, pipeline: str, nic: str, mode: XdpMode) -> str:
    """Empty when the kernel says that the NIC runs this pipeline's present root in this mode."""
    ifindex = _ifindex(nic)
    ours, holder = _living(paths, ifindex), bpf_link.query(ifindex)
    if holder is None:
        return f"{nic} carries no XDP program"
    if ours is None or ours.pipeline != pipeline or holder.link_id != ours.link_id or holder.mode is not mode:
        return f"{nic} carries {holder}"
    with root.program(paths, pipeline) as program:
        if program.info.id != ours.prog_id:
            return f"{nic} carries an earlier root of {pipeline} (program {ours.prog_id})"
    return ""


def attached_by(paths: Paths, nic: str) -> Optional[PinnedLink]:
    """Our living link on this NIC, if there is one."""
    return _living(paths, _ifindex(nic))


def _living(paths: Paths, ifindex: int) -> Optional[PinnedLink]:
    return next((found for found in pinned_links(paths) if found.ifindex == ifindex), None)


def _same_or_refuse(ours: PinnedLink, holder: Optional[Holder], pipeline: str, nic: str, mode: XdpMode) -> None:
    if ours.pipeline == pipeline and holder is not None and holder.mode is mode:
        return
    how = f"{holder.mode} mode" if holder else "no mode"
    raise Refused(
        f"{nic} carries pipeline {ours.pipeline} in {how} already, so {pipeline} cannot be attached in {mode} mode.",
        "Detach it first.",
    )


def _create(program: BpfProgram, ifindex: int, nic: str, mode: XdpMode) -> XdpLink:
    try:
        return XdpLink.create(program, ifindex, mode, nic)
    except KernelRefusal as error:
        reason, remedy = _explain(error, program, ifindex, mode)
        raise KernelRefusal(error.call, error.code, reason, remedy) from error


def _explain(error: KernelRefusal, program: BpfProgram, ifindex: int, mode: XdpMode) -> Tuple[str, str]:
    if error.code in _HELD:
        holder = bpf_link.query(ifindex)
        reason = f"the hook is held by {holder}" if holder else "an upper or lower device has an XDP program"
        return reason, "Wirespeed never overwrites it: detach it with the tool that attached it."
    if error.code in _NO_REASON_WANTED:
        return error.reason, error.remedy
    reason = bpf_link.refusal_text(program, ifindex, mode)
    remedy = "Use mode: generic for this NIC, or a driver with native XDP." if error.code == errno.EOPNOTSUPP else ""
    return reason, remedy


def _ifindex(nic: str) -> int:
    try:
        return socket.if_nametoindex(nic)
    except OSError:
        raise WirespeedError(f"There is no interface {nic} here.", "Correct its name ('ip link' lists them).") from None
