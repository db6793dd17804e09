# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a prefix set: an LPM trie whose keys are address prefixes.

The key is ``struct bpf_lpm_trie_key``: a host-order __u32 prefix length, then the address in network
order (include/uapi/linux/bpf.h). The canonical row is ``192.0.2.0/24`` or ``2001:db8::/32``.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Tuple, Union

from ..kernel.btf import Btf, MapDefinition
from .shapes import LPM_TRIE, unfit

_LENGTH = struct.Struct("=I")
_VERSIONS = {8: 4, 20: 6}
_NEEDED = "A prefix set is a BPF_MAP_TYPE_LPM_TRIE with key {__u32 prefixlen; __u8 address[4 or 16]}."
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclass(frozen=True)
class PrefixSet:
    """``version`` is 4 or 6."""

    version: int

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


def codec(definition: MapDefinition, kind: str, btf: Btf) -> PrefixSet:
    """Raises :class:`BadInput` for a map of another shape."""
    version = _VERSIONS.get(definition.key_size)
    if definition.type != LPM_TRIE or version is None or not _starts_with_length(definition, btf):
        raise unfit(definition, kind, _NEEDED)
    return PrefixSet(version)


def _starts_with_length(definition: MapDefinition, btf: Btf) -> bool:
    """Without a BTF key type only the sizes speak."""
    if not definition.key_type:
        return True
    first = btf.leaves(definition.key_type)[0]
    return first.offset == 0 and first.bits == _LENGTH.size * 8 and first.count == 1
