# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a prefix set: an LPM trie whose keys are address prefixes and whose values say only "present".

The key is ``struct bpf_lpm_trie_key``: a host-order __u32 prefix length, then the address in network
order (include/uapi/linux/bpf.h). The canonical row is ``192.0.2.0/24`` or ``2001:db8::/32``.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Tuple, Union

_LENGTH = struct.Struct("=I")
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclass(frozen=True)
class PrefixSet:
    """``version`` is 4 or 6; ``value_size`` what the map has for each key, of which only bit 0 is used."""

    version: int
    value_size: int

    def encode(self, row: str) -> bytes:
        """The key. Raises ValueError with a sentence that says what is wrong with the row."""
        network = self._network(row.strip())
        return _LENGTH.pack(network.prefixlen) + network.network_address.packed

    def decode(self, key: bytes) -> str:
        """The canonical row."""
        (length,) = _LENGTH.unpack_from(key)
        if self.version == 4:
            return f"{ipaddress.IPv4Address(key[4:])}/{length}"
        return f"{ipaddress.IPv6Address(key[4:])}/{length}"

    @property
    def value(self) -> bytes:
        return b"\x01".ljust(self.value_size, b"\0")

    @staticmethod
    def order(key: bytes) -> Tuple[bytes, int]:
        """By address, then from wide to narrow: also the order in which a trie fills fastest."""
        return key[4:], _LENGTH.unpack_from(key)[0]

    def _network(self, row: str) -> _Network:
        if "%" in row:
            raise ValueError("has a scope ('%'), which no packet carries.")
        try:
            found = ipaddress.ip_network(row, strict=False)
        except ValueError:
            raise ValueError(f"is no IPv{self.version} prefix, such as {self._example}.") from None
        if found.version != self.version:
            raise ValueError(f"is an IPv{found.version} prefix, but this table holds IPv{self.version}.")
        address, dummy, length = row.partition("/")
        if "." in length:
            raise ValueError(f"has a netmask; write the length: {found}.")
        if ipaddress.ip_address(address) != found.network_address:
            raise ValueError(f"has host bits set; the network is {found}, the address alone {address}/{self._bits}.")
        return found

    @property
    def _example(self) -> str:
        return "192.0.2.0/24" if self.version == 4 else "2001:db8::/32"

    @property
    def _bits(self) -> int:
        return 32 if self.version == 4 else 128
