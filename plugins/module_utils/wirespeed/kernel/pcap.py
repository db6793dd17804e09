# SPDX-License-Identifier: GPL-3.0-or-later
"""tcpdump's filter expressions, compiled to classic BPF by the library that tcpdump itself uses."""

from __future__ import annotations

import ctypes
import struct
from functools import cache
from typing import List, Tuple

from ..errors import BadInput, MissingPrerequisite, Place

ETHERNET = 1  # DLT_EN10MB
LONGEST_PACKET = 262144  # what tcpdump takes for a snapshot length: the filter is to see all
_NETMASK_UNKNOWN = 0xFFFFFFFF
_NAMES = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so")
_ROW = struct.Struct("=HBBI")

Row = Tuple[int, int, int, int]
"""code, jt, jf, k of struct sock_filter, include/uapi/linux/filter.h."""


class Program(ctypes.Structure):
    """struct bpf_program, pcap/bpf.h."""

    _fields_ = [("length", ctypes.c_uint), ("rows", ctypes.c_void_p)]


@cache
def library() -> ctypes.CDLL:
    """Raises :class:`MissingPrerequisite` without libpcap."""
    for name in _NAMES:
        try:
            lib = ctypes.CDLL(name)
        except OSError:
            continue
        lib.pcap_open_dead.restype = ctypes.c_void_p
        lib.pcap_geterr.restype = ctypes.c_char_p
        lib.pcap_geterr.argtypes = lib.pcap_close.argtypes = [ctypes.c_void_p]
        rows = ctypes.POINTER(Program)
        lib.pcap_freecode.argtypes = [rows]
        lib.pcap_compile.argtypes = [ctypes.c_void_p, rows, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32]
        return lib
    raise MissingPrerequisite(
        "libpcap is not here, which compiles filter expressions.",
        "Install it: package libpcap0.8 on Debian, libpcap0.8t64 on Ubuntu, libpcap on Fedora and RHEL.",
    )


def compiled(expression: str, place: Place) -> List[Row]:
    """The rows of an expression; they accept a packet by an answer that is not 0.

    Raises :class:`BadInput` in libpcap's own words, :class:`MissingPrerequisite`.
    """
    lib = library()
    dead, program = lib.pcap_open_dead(ETHERNET, LONGEST_PACKET), Program()
    try:
        if lib.pcap_compile(dead, ctypes.byref(program), expression.encode(), 1, _NETMASK_UNKNOWN):
            said = lib.pcap_geterr(dead).decode("utf-8", "replace")
            raise BadInput(place, "filter", f"{expression!r}: {said}.", "'man pcap-filter' tells what is understood.")
        try:
            raw = ctypes.string_at(program.rows, program.length * _ROW.size)
        finally:
            lib.pcap_freecode(ctypes.byref(program))
    finally:
        lib.pcap_close(dead)
    return list(_ROW.iter_unpack(raw))


def packed(row: Row) -> bytes:
    """As struct sock_filter lies in memory."""
    return _ROW.pack(*row)
