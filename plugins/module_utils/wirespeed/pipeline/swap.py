# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange the program on a NIC's hook for another one, without a moment without one.

Through our link by ``bpf_link_update`` with the program that we expect there, or where the attachment was made over
netlink by a replace with the expected file descriptor: a link cannot take such a hook over (EBUSY,
net/core/dev.c, dev_xdp_attach; Linux 6.12). Either way the kernel refuses when someone else was faster.
What it costs a driver is the profile's ``swap``.
"""

from __future__ import annotations

from ..errors import KernelRefusal, WirespeedError
from ..kernel import bpf_link
from ..kernel.bpf_link import Holder, XdpLink
from ..kernel.bpf_prog import BpfProgram
from . import attach, programs
from .pins import Paths


def swap(paths: Paths, pipeline: str, nic: str, to: str, entry: str) -> None:
    """Brings the NIC to what ``to`` names (:class:`~..model.nic.XdpAttachment`); nothing to do when it is there.

    ``entry`` is the program that a generation is entered by. Raises :class:`WirespeedError` when the hook is not
    ours, KernelRefusal when the kernel refuses.
    """
    index = attach.ifindex(nic)
    holder = bpf_link.query(index)
    with BpfProgram.pinned(str(programs.pin_of(paths, pipeline, to, entry))) as new:
        if holder is not None and holder.prog_id == new.info.id:
            return
        if holder is None or attach.ours_on(paths, index, holder) is None:
            raise WirespeedError(
                f"{nic} carries {holder or 'no XDP program'}, which is not ours to exchange.", "Run again."
            )
        _exchange(paths, index, nic, holder, new)


def _exchange(paths: Paths, index: int, nic: str, holder: Holder, new: BpfProgram) -> None:
    with BpfProgram.by_id(holder.prog_id) as old:
        try:
            link = attach.link_of(paths, index)
            if link is None:
                bpf_link.netlink_replace(index, new, old, holder.mode, nic)
                return
            with XdpLink.pinned(str(link.pin)) as ours:
                ours.update(new, old)
        except KernelRefusal as error:
            now = bpf_link.query(index)
            changed = now is None or now.prog_id != holder.prog_id
            reason = f"the hook has changed hands: it now has {now or 'no program'}" if changed else error.reason
            raise KernelRefusal(error.call, error.code, reason, error.remedy) from error


def deviation(paths: Paths, pipeline: str, nic: str, to: str, entry: str) -> str:
    """Empty when the NIC carries what ``to`` names."""
    holder = bpf_link.query(attach.ifindex(nic))
    with BpfProgram.pinned(str(programs.pin_of(paths, pipeline, to, entry))) as wanted:
        if holder is not None and holder.prog_id == wanted.info.id:
            return ""
    return f"{nic} carries {holder or 'no XDP program'}"
