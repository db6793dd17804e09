# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of an address set: a hash map whose keys are addresses as they stand in a packet, and no prefixes of them.

The canonical row is ``192.0.2.1``, ``2001:db8::1`` or ``02:00:5e:00:53:01``; the size of the key says which.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from itertools import repeat
from typing import Sequence, Tuple, Union

from ..kernel.btf import Btf, MapDefinition
from .fields.field import distinct
from .shapes import HASHES, one_field, unfit

SIZES = {4: 4, 6: 16}
"""Bytes of an address, by the version of IP."""
VERSIONS = {size: version for version, size in SIZES.items()}
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ETHERNET_BYTES = 6
_ETHERNET = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_NEEDED = (
    "An address set is a hash map (per-CPU and LRU too) whose key is an IPv4 address of 4 bytes, as __be32, an IPv6 "
    "address of 16, as struct in6_addr, or an Ethernet address of 6."
)


@dataclass(frozen=True)
class AddressSet:
    """``version`` is 4 or 6."""

    version: int

    def encode(self, row: str) -> bytes:
        """The key. Raises ValueError with half a sentence that says what is wrong with the row."""
        text = row.strip()
        if "%" in text:
            raise ValueError("has a scope ('%'), which no packet carries.")
        if "/" in text:
            raise ValueError("has a prefix length, but this table holds addresses one by one.")
        try:
            found = ipaddress.ip_address(text)
        except ValueError:
            example = "192.0.2.1" if self.version == 4 else "2001:db8::1"
            raise ValueError(f"is no IPv{self.version} address, such as {example}.") from None
        if found.version != self.version:
            raise ValueError(f"is an IPv{found.version} address, but this table holds IPv{self.version}.")
        return found.packed

    @staticmethod
    def decode(key: bytes) -> str:
        """The canonical row."""
        return str(ipaddress.ip_address(key))

    @staticmethod
    def order(key: bytes) -> Tuple[bytes, int]:
        return key, 0

    def bulk(self, rows: Sequence[str]) -> bytes:
        """Keys, joined. Raises ValueError, which says nothing, for a row that is wrong or has blanks around it."""
        return bulk(self.version, rows)

    @property
    def significance(self) -> Tuple[int, ...]:
        return tuple(range(SIZES[self.version]))


@dataclass(frozen=True)
class EthernetSet:
    @staticmethod
    def encode(row: str) -> bytes:
        """The key. Raises ValueError with half a sentence that says what is wrong with the row."""
        text = row.strip()
        if not _ETHERNET.fullmatch(text):
            raise ValueError("is no Ethernet address, such as 02:00:5e:00:53:01.")
        return bytes.fromhex(text.replace(":", ""))

    @staticmethod
    def decode(key: bytes) -> str:
        """The canonical row."""
        return key.hex(":")

    @staticmethod
    def order(key: bytes) -> Tuple[bytes, int]:
        return key, 0

    def bulk(self, rows: Sequence[str]) -> bytes:
        return distinct(self.encode, rows)

    @property
    def significance(self) -> Tuple[int, ...]:
        return tuple(range(_ETHERNET_BYTES))


def bulk(version: int, rows: Sequence[str]) -> bytes:
    """inet_pton is as strict as :mod:`ipaddress`: no octal digits, no short forms. Raises ValueError."""
    try:
        return b"".join(map(socket.inet_pton, repeat(_FAMILIES[version]), rows))
    except OSError:
        raise ValueError from None


def codec(definition: MapDefinition, kind: str, btf: Btf) -> Union[AddressSet, EthernetSet]:
    """Raises :class:`BadInput` for a map of another shape."""
    if definition.type in HASHES and one_field(definition, btf):
        if definition.key_size == _ETHERNET_BYTES:
            return EthernetSet()
        if definition.key_size in VERSIONS:
            return AddressSet(VERSIONS[definition.key_size])
    raise unfit(definition, kind, _NEEDED)
