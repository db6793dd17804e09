# SPDX-License-Identifier: GPL-3.0-or-later
"""XDP attachments: ``bpf_link`` objects, and who holds a NIC's hook by whatever means."""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass
from typing import Iterator, Optional

from ..errors import KernelRefusal
from ..model.nic import XdpMode
from . import libbpf
from .bpf_prog import BPF_XDP, BpfProgram
from .libbpf import Handle, Options, call, check, fields, function, messages

LINK_TYPE_XDP = 6  # enum bpf_link_type
BPF_F_REPLACE = 1 << 2
UPDATE_IF_NOEXIST = 1 << 0
REPLACE = 1 << 4  # XDP_FLAGS_REPLACE: only if the expected program is there
# Always explicit: without a mode flag the kernel picks one in silence.
MODE_FLAGS = {XdpMode.GENERIC: 1 << 1, XdpMode.NATIVE: 1 << 2}
_MODES = {1: XdpMode.NATIVE, 2: XdpMode.GENERIC, 3: XdpMode.OFFLOAD}  # XDP_ATTACHED_*
_PTR = ctypes.c_void_p
_INT = ctypes.c_int


class CreateOptions(Options):
    # The union behind these differs by version of the library; libbpf wants what it knows zeroed.
    _fields_ = fields(
        ("flags", ctypes.c_uint32),
        ("iter_info", ctypes.c_void_p),
        ("iter_info_len", ctypes.c_uint32),
        ("target_btf_id", ctypes.c_uint32),
    )


class _UpdateOptions(Options):
    _fields_ = fields(("flags", ctypes.c_uint32), ("old_prog_fd", ctypes.c_uint32))


class _AttachOptions(Options):
    _fields_ = fields(("old_prog_fd", ctypes.c_int))


class _QueryOptions(Options):
    _fields_ = fields(
        ("prog_id", ctypes.c_uint32),
        ("drv_prog_id", ctypes.c_uint32),
        ("hw_prog_id", ctypes.c_uint32),
        ("skb_prog_id", ctypes.c_uint32),
        ("attach_mode", ctypes.c_uint8),
    )


class _Info(ctypes.Structure):
    """struct bpf_link_info with the ``xdp`` member of its union, include/uapi/linux/bpf.h."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("prog_id", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
        ("xdp_ifindex", ctypes.c_uint32),
        ("rest_of_union", ctypes.c_uint8 * 60),
    ]


@dataclass(frozen=True)
class LinkInfo:
    """``ifindex`` is 0 when the link is dead: detached by force, or its NIC is gone."""

    id: int
    prog_id: int
    ifindex: int


@dataclass(frozen=True)
class Holder:
    """What sits on a NIC's XDP hook. ``link_id`` is None for an attachment made over netlink."""

    mode: XdpMode
    prog_id: int
    link_id: Optional[int]

    def __str__(self) -> str:
        how = "over netlink" if self.link_id is None else f"by bpf_link {self.link_id}"
        return f"program {self.prog_id} '{_name(self.prog_id)}', {self.mode} mode, {how}"


class XdpLink(Handle):
    """A program on a NIC's hook for as long as this, or a pin of it, lives."""

    KIND = "bpf-link"
    _BY_ID = "bpf_link_get_fd_by_id"

    @classmethod
    def create(cls, program: BpfProgram, ifindex: int, mode: XdpMode, nic: str) -> "XdpLink":
        """Raises KernelRefusal. The kernel gives a link no reason text: see :func:`refusal_text`."""
        make = function("bpf_link_create", _INT, _INT, _INT, _INT, _PTR)
        options = CreateOptions(flags=MODE_FLAGS[mode])
        result = make(program.fd, ifindex, BPF_XDP, ctypes.byref(options))
        return cls(call(f"bpf_link_create XDP {mode} on {nic}", result), f"link of {nic}")

    @property
    def info(self) -> LinkInfo:
        """Raises KernelRefusal EINVAL when this is a link of another kind."""
        raw = _Info()
        libbpf.object_info(self, raw)
        if raw.type != LINK_TYPE_XDP:
            raise KernelRefusal(f"bpf_obj_get_info_by_fd {self.name}", errno.EINVAL, "this is not an XDP link")
        return LinkInfo(raw.id, raw.prog_id, raw.xdp_ifindex)

    def update(self, new: BpfProgram, old: BpfProgram) -> None:
        """Replaces ``old``; EPERM when another program has taken its place meanwhile."""
        options = _UpdateOptions(flags=BPF_F_REPLACE, old_prog_fd=old.fd)
        update = function("bpf_link_update", _INT, _INT, _INT, _PTR)
        call(f"bpf_link_update {self.name}", update(self.fd, new.fd, ctypes.byref(options)))

    def detach(self) -> None:
        """Frees the hook before it returns; closing the last fd would free it some time later."""
        call(f"bpf_link_detach {self.name}", function("bpf_link_detach", _INT, _INT)(self.fd))


def netlink_replace(ifindex: int, new: BpfProgram, old: BpfProgram, mode: XdpMode, nic: str) -> None:
    """Exchanges a program that was attached over netlink; EEXIST when another one has taken its place meanwhile."""
    _netlink(ifindex, new.fd, old, mode, f"XDP {mode} replace on {nic}")


def netlink_off(ifindex: int, old: BpfProgram, mode: XdpMode, nic: str) -> None:
    """Takes off a program that was attached over netlink, and no other."""
    _netlink(ifindex, -1, old, mode, f"XDP {mode} off {nic}")


def _netlink(ifindex: int, fd: int, old: BpfProgram, mode: XdpMode, what: str) -> None:
    change = function("bpf_xdp_attach", _INT, _INT, _INT, ctypes.c_uint32, _PTR)
    options = _AttachOptions(old_prog_fd=old.fd)
    messages.clear()
    result = change(ifindex, fd, MODE_FLAGS[mode] | REPLACE, ctypes.byref(options))
    if result < 0:
        raise KernelRefusal(what, -result, _extack())


def query(ifindex: int) -> Optional[Holder]:
    """Who holds the hook of this NIC in the present network namespace; None when it is free."""
    options = _QueryOptions()
    ask = function("bpf_xdp_query", _INT, _INT, _INT, _PTR)
    call(f"bpf_xdp_query ifindex {ifindex}", ask(ifindex, 0, ctypes.byref(options)))
    programs = (options.drv_prog_id, options.skb_prog_id, options.hw_prog_id)
    prog_id = options.prog_id or next((found for found in programs if found), 0)
    if not prog_id:
        return None
    mode = _MODES.get(options.attach_mode, XdpMode.NATIVE)
    links = (link.id for link in xdp_links() if link.ifindex == ifindex and link.prog_id == prog_id)
    return Holder(mode, prog_id, next(links, None))


def xdp_links() -> Iterator[LinkInfo]:
    """Every XDP link of the kernel. An ifindex is only meaningful in its own namespace."""
    for number in libbpf.ids("bpf_link_get_next_id"):
        try:
            with XdpLink.by_id(number) as link:
                yield link.info
        except KernelRefusal as error:  # closed meanwhile, or a link of another kind
            if error.code not in (errno.ENOENT, errno.EINVAL):
                raise


def refusal_text(program: BpfProgram, ifindex: int, mode: XdpMode) -> str:
    """Why the kernel will not attach here, in its own words: the extack of the same try over netlink.

    ``bpf_link_create`` throws that text away (net/core/dev.c, bpf_xdp_link_attach). Should this try
    succeed after all, it is taken back at once and the answer is empty.
    """
    attach = function("bpf_xdp_attach", _INT, _INT, _INT, ctypes.c_uint32, _PTR)
    messages.clear()
    result = attach(ifindex, program.fd, MODE_FLAGS[mode] | UPDATE_IF_NOEXIST, None)
    if result == 0:
        check(attach(ifindex, -1, MODE_FLAGS[mode], None), f"bpf_xdp_attach off ifindex {ifindex}")
        return ""
    return _extack()


def _extack() -> str:
    """What the kernel said to libbpf's last netlink request; empty when it said nothing."""
    marker = "Kernel error message: "
    texts = [line.split(marker, 1)[1] for line in messages.lines if marker in line]
    messages.clear()
    return texts[-1] if texts else ""


def _name(prog_id: int) -> str:
    try:
        with BpfProgram.by_id(prog_id) as program:
            return program.info.name
    except KernelRefusal:
        return "unknown"
