# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest XDP program, loaded and attached with the bare system call, so that no loader of ours is needed."""

from __future__ import annotations

import ctypes
import os
import struct

from tests.probes import SYS_BPF

PROG_LOAD, LINK_CREATE = 5, 28
PROG_TYPE_XDP, ATTACH_TYPE_XDP = 6, 37
GENERIC, NATIVE = 1 << 1, 1 << 2  # XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE
XDP_PASS = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)


def load(name: str) -> int:
    """A descriptor of a program that answers XDP_PASS; it dies with the process unless it is attached."""
    instructions = ctypes.create_string_buffer(XDP_PASS, len(XDP_PASS))
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "=IIQQIIQII16sII",
        *(PROG_TYPE_XDP, len(XDP_PASS) // 8, ctypes.addressof(instructions), ctypes.addressof(licence)),
        *(0, 0, 0, 0, 0, name.encode(), 0, ATTACH_TYPE_XDP),
    )
    return _bpf(PROG_LOAD, attributes)


def link(program: int, ifindex: int, flags: int) -> int:
    """A descriptor of a bpf_link; the program is detached when it is closed."""
    return _bpf(LINK_CREATE, struct.pack("=IIII", program, ifindex, ATTACH_TYPE_XDP, flags))


def ident(descriptor: int, key: str) -> int:
    """``prog_id`` or ``link_id``, as the kernel prints it."""
    with open(f"/proc/self/fdinfo/{descriptor}") as text:
        return next(int(line.split(":")[1]) for line in text if line.startswith(f"{key}:"))


def _bpf(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, 128)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.syscall(SYS_BPF[os.uname().machine], command, buffer, 128))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return descriptor
