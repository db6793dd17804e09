# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a prefix set: an LPM trie whose keys are address prefixes.

The key is ``struct bpf_lpm_trie_key``: a host-order __u32 prefix length, then the address in network
order (include/uapi/linux/bpf.h). The canonical row is ``192.0.2.0/24`` or ``2001:db8::/32``.
"""

from __future__ import annotations

import ipaddress
import struct
import sys
from dataclasses import dataclass
from functools import cache
from typing import Mapping, Sequence, Tuple, Union

from ..kernel.btf import Btf, MapDefinition
from . import addresses
from .addresses import SIZES
from .order import interleaved
from .shapes import LPM_TRIE, unfit

LENGTH = struct.Struct("=I")
LENGTH_BYTES = (1, 0) if sys.byteorder == "little" else (2, 3)
"""Where the length's two bytes lie that are ever set, the more significant first."""
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
        return LENGTH.pack(network.prefixlen) + network.network_address.packed

    def decode(self, key: bytes) -> str:
        """The canonical row."""
        (length,) = LENGTH.unpack_from(key)
        if self.version == 4:
            return f"{ipaddress.IPv4Address(key[4:])}/{length}"
        return f"{ipaddress.IPv6Address(key[4:])}/{length}"

    @staticmethod
    def order(key: bytes) -> Tuple[bytes, int]:
        """By address, then from wide to narrow: also the order in which a trie fills fastest."""
        return key[4:], LENGTH.unpack_from(key)[0]

    def bulk(self, rows: Sequence[str]) -> bytes:
        """Keys, joined. Raises ValueError, which says nothing, for a row that is wrong or has blanks around it."""
        return bulk(self.version, 0, rows)

    @property
    def significance(self) -> Tuple[int, ...]:
        return (*range(LENGTH.size, LENGTH.size + SIZES[self.version]), *LENGTH_BYTES)

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


def bulk(version: int, fixed: int, rows: Sequence[str]) -> bytes:
    """Length, with ``fixed`` bits more than the row says, and address of each row, joined. Raises ValueError."""
    bits = SIZES[version] * 8
    halves = "/".join(rows).split("/")
    if len(halves) != 2 * len(rows):
        halves = "/".join([row if "/" in row else f"{row}/{bits}" for row in rows]).split("/")
    try:
        lengths = b"".join(map(_lengths(bits).__getitem__, halves[1::2]))
    except KeyError:
        raise ValueError from None
    packed = addresses.bulk(version, halves[::2])
    columns = [packed[at :: SIZES[version]] for at in range(SIZES[version])]
    for at, column in enumerate(columns):
        if int.from_bytes(column, "big") & int.from_bytes(lengths.translate(_host_bits(at)), "big"):
            raise ValueError
    return interleaved([*(lengths.translate(byte) for byte in _fronts(fixed)), *columns])


@cache
def _lengths(bits: int) -> Mapping[str, bytes]:
    """Every length that a prefix can have, as people write it."""
    return {str(length): bytes([length]) for length in range(bits + 1)}


@cache
def _host_bits(at: int) -> bytes:
    """For each length the bits of the address's byte ``at`` that stand behind it."""
    return bytes(0xFF >> min(8, max(0, length - 8 * at)) for length in range(256))


@cache
def _fronts(fixed: int) -> Tuple[bytes, ...]:
    """For each byte of a key's length what it is for each length of a row."""
    return tuple(map(bytes, zip(*(LENGTH.pack(fixed + length) for length in range(256)))))


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
    return first.offset == 0 and first.bits == LENGTH.size * 8 and first.count == 1
