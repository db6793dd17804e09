# SPDX-License-Identifier: GPL-3.0-or-later
"""How many frames have come past XDP, counted without any BPF program."""

from __future__ import annotations

import ctypes
import socket
import struct
from types import TracebackType
from typing import Optional, Type

ETH_P_IP = 0x0800
SOL_PACKET, PACKET_STATISTICS = 263, 6  # linux/if_packet.h
SO_ATTACH_FILTER = 26
_LOAD, _EQUAL, _RETURN, _SOURCE = 0x20, 0x15, 0x06, 26  # linux/bpf_common.h; where IPv4's source is in a frame
_program: "list[ctypes.Array[ctypes.c_char]]" = []


def _from(source: str) -> bytes:
    """``struct sock_fprog`` of a filter that takes what comes from one address."""
    (wanted,) = struct.unpack("!I", socket.inet_aton(source))
    words = ((_LOAD, 0, 0, _SOURCE), (_EQUAL, 0, 1, wanted), (_RETURN, 0, 0, 1 << 16), (_RETURN, 0, 0, 0))
    code = b"".join(struct.pack("HBBI", *word) for word in words)
    _program[:] = [ctypes.create_string_buffer(code, len(code))]  # until the kernel has read it
    return struct.pack("HP", len(words), ctypes.addressof(_program[0]))


class Stack:
    """IPv4 frames that a NIC hands to the stack, while this is open.

    By a packet socket, because its count is exact whatever happens to it: what no longer fits into its buffer is in
    the count too (packet_recvmsg and packet_getsockopt, net/packet/af_packet.c: tp_packets includes tp_drops). It
    needs no address on the NIC, as the UDP counters would, and no classifier, which not every kernel has. XDP is
    before it, generic XDP too (net/core/dev.c __netif_receive_skb_core). With ``source`` only those from there.
    """

    def __init__(self, nic: str, source: str = "") -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # the kernel keeps the least that it allows
        if source:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _from(source))
        self._socket.bind((nic, ETH_P_IP))
        self._counted = 0

    @property
    def frames(self) -> int:
        """Reading begins the kernel's count anew."""
        packets, dummy = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self._counted += packets
        return self._counted

    def __enter__(self) -> "Stack":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._socket.close()
