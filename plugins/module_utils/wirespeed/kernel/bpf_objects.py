# SPDX-License-Identifier: GPL-3.0-or-later
"""BPF programs and links by id, through bpf(2) itself: no libbpf is needed to look.

Commands and layouts from include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterator, List

from ..errors import KernelRefusal, MissingPrerequisite
from .netlink import refusal

_PROG_GET_FD_BY_ID, _OBJ_GET_INFO_BY_FD, _LINK_GET_FD_BY_ID, _LINK_GET_NEXT_ID = 13, 15, 30, 31
_LINK_TYPE_XDP = 6
_ATTR_BYTES = 144
_INFO_BYTES = 512
_PROG_NAME_OFFSET = 64  # struct bpf_prog_info: name[16] behind map_ids
_SYSCALL = {
    "x86_64": 321,
    "aarch64": 280,
    "riscv64": 280,
    "loongarch64": 280,
    "ppc64le": 361,
    "ppc64": 361,
    "s390x": 351,
    "armv7l": 386,
    "i686": 357,
}


@dataclass(frozen=True)
class XdpLink:
    """A live or dead ``bpf_link`` on an XDP hook. ``ifindex`` is 0 when its interface is gone or it was detached.

    The kernel does not tell the network namespace that ``ifindex`` counts in.
    """

    link_id: int
    prog_id: int
    ifindex: int


def program_name(prog_id: int) -> str:
    """Up to 15 characters; empty for a program without a name or one that has just gone."""
    try:
        with _opened(_PROG_GET_FD_BY_ID, prog_id) as descriptor:
            info = _info(descriptor)
    except KernelRefusal as error:
        if error.code == errno.ENOENT:
            return ""
        raise
    return info[_PROG_NAME_OFFSET : _PROG_NAME_OFFSET + 16].split(b"\0", 1)[0].decode("utf-8", "replace")


def xdp_links() -> List[XdpLink]:
    """Every XDP link of the node, in all network namespaces."""
    found = []
    for link_id in _link_ids():
        try:
            with _opened(_LINK_GET_FD_BY_ID, link_id) as descriptor:
                info = _info(descriptor)
        except KernelRefusal as error:
            if error.code == errno.ENOENT:
                continue
            raise
        kind, _id, prog_id, _pad, ifindex = struct.unpack_from("=IIIII", info)
        if kind == _LINK_TYPE_XDP:
            found.append(XdpLink(link_id, prog_id, ifindex))
    return found


def _link_ids() -> Iterator[int]:
    current = 0
    while True:
        attributes = _attributes(struct.pack("=I", current))
        try:
            _bpf(_LINK_GET_NEXT_ID, attributes)
        except KernelRefusal as error:
            if error.code == errno.ENOENT:
                return
            raise
        (current,) = struct.unpack_from("=I", attributes, 4)
        yield current


@contextmanager
def _opened(command: int, object_id: int) -> Iterator[int]:
    descriptor = _bpf(command, _attributes(struct.pack("=I", object_id)))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _info(descriptor: int) -> bytes:
    buffer = ctypes.create_string_buffer(_INFO_BYTES)
    _bpf(_OBJ_GET_INFO_BY_FD, _attributes(struct.pack("=IIQ", descriptor, _INFO_BYTES, ctypes.addressof(buffer))))
    return buffer.raw


def _attributes(head: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(head, _ATTR_BYTES)


def _bpf(command: int, attributes: "ctypes.Array[ctypes.c_char]") -> int:
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise MissingPrerequisite(f"The bpf(2) system call's number is not known for {platform.machine()}.")
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(number), ctypes.c_int(command), attributes, ctypes.c_uint(ctypes.sizeof(attributes))
    )
    if result < 0:
        raise refusal(f"bpf command {command}", ctypes.get_errno())
    return int(result)
