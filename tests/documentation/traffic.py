# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends what a NIC under attack receives, until it is ended. Runs on a node, so it has nothing but Python's own.

traffic.py INTERFACE MAC    from INTERFACE, to the NIC with that address
"""

from __future__ import annotations

import itertools
import socket
import struct
import sys
import time
from typing import Iterator, List

SERVER = "198.51.100.7"
EACH_SECONDS = 0.02
TCP, UDP, SYN, ACK = 6, 17, 0x02, 0x10


def frames(mac: str) -> Iterator[List[bytes]]:
    """By turns: somebody who is denied, an ACK of no connection, a client that begins one, and a question to DNS."""
    for number in itertools.count():
        somebody = f"203.0.113.{number % 250 + 1}"
        yield [
            _frame(mac, "192.0.2.66", UDP, _udp(4242, 4242)),
            _frame(mac, somebody, TCP, _tcp(number % 60000 + 1024, 443, ACK)),
            _frame(mac, somebody, TCP, _tcp(number % 60000 + 1024, 80, SYN)),
            _frame(mac, somebody, UDP, _udp(number % 60000 + 1024, 53)),
        ]


def _frame(mac: str, source: str, protocol: int, transport: bytes) -> bytes:
    """IPv4; nobody on the way to a program looks at checksums."""
    ends = socket.inet_aton(source) + socket.inet_aton(SERVER)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(transport), 0, 0, 64, protocol, 0) + ends
    ethernet = bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("020000000001") + struct.pack("!H", 0x0800)
    return (ethernet + ip + transport).ljust(60, b"\0")


def _tcp(source: int, destination: int, flags: int) -> bytes:
    return struct.pack("!HHIIBBHHH", source, destination, 1, 1, 5 << 4, flags, 1024, 0, 0)


def _udp(source: int, destination: int) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + 16, 0) + bytes(16)


def main(interface: str, mac: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        for each in frames(mac):
            for frame in each:
                sender.send(frame)
            time.sleep(EACH_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
