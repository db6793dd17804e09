# SPDX-License-Identifier: GPL-3.0-or-later
"""What a classification rule can match, word by word: where it lies in the kernel's structures and how it is written.

The words are those of ``ethtool -N``. As there, a mask ``m`` has a 1 for each bit that is *not* compared.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Mapping, Tuple

from ..kernel.ethtool_rxclass import EXTENDED, EXTENDED_MAC

MAC, IP, NUMBER, HEX = "mac", "ip", "number", "hex"


@dataclass(frozen=True)
class Word:
    """One field: ``size`` bytes in network order at ``offset``; ``flag`` is 0 in the union, else the extension's."""

    name: str
    offset: int
    size: int
    kind: str = NUMBER
    flag: int = 0

    @property
    def every(self) -> int:
        """The mask that compares all bits."""
        return (1 << 8 * self.size) - 1

    def number(self, text: str) -> int:
        """Raises ValueError for a text that the field does not hold."""
        if self.kind == MAC:
            parts = text.split(":")
            if len(parts) != 6 or not all(len(part) in (1, 2) for part in parts):
                raise ValueError(text)
            return int.from_bytes(bytes(int(part, 16) for part in parts), "big")
        if self.kind == IP:
            address = ipaddress.ip_address(text)
            if len(address.packed) != self.size:
                raise ValueError(text)
            return int(address)
        value = int(text, 0)
        if not 0 <= value <= self.every:
            raise ValueError(text)
        return value

    def text(self, value: int) -> str:
        if self.kind == MAC:
            return value.to_bytes(6, "big").hex(":")
        if self.kind == IP:
            return str(ipaddress.ip_address(value.to_bytes(self.size, "big")))
        return f"{value:#0{2 * self.size + 2}x}" if self.kind == HEX else str(value)

    def mask_text(self, mask: int) -> str:
        """Empty where all bits are compared."""
        if mask == self.every:
            return ""
        ignored = self.every ^ mask
        if self.kind == IP and not ignored & (ignored + 1):
            return f"/{8 * self.size - ignored.bit_length()}"
        if self.kind in (IP, MAC):
            return f" m {self.text(ignored)}"
        return f" m {ignored:#x}"


def _ports(at: int, extra: str, last: int) -> Tuple[Word, ...]:
    return (Word("src-port", at, 2), Word("dst-port", at + 2, 2), Word(extra, last, 1, HEX))


_IP4 = (Word("src-ip", 0, 4, IP), Word("dst-ip", 4, 4, IP))
_IP6 = (Word("src-ip", 0, 16, IP), Word("dst-ip", 16, 16, IP))
_PORTS4 = (*_IP4, *_ports(8, "tos", 12))  # struct ethtool_tcpip4_spec
_PORTS6 = (*_IP6, *_ports(32, "tclass", 36))
_SPI4 = (*_IP4, Word("spi", 8, 4, HEX), Word("tos", 12, 1, HEX))  # struct ethtool_ah_espip4_spec
_SPI6 = (*_IP6, Word("spi", 32, 4, HEX), Word("tclass", 36, 1, HEX))
_ANY4 = (*_IP4, Word("l4data", 8, 4, HEX), Word("tos", 12, 1, HEX), Word("l4proto", 14, 1))  # ethtool_usrip4_spec
_ANY6 = (*_IP6, Word("l4data", 32, 4, HEX), Word("tclass", 36, 1, HEX), Word("l4proto", 37, 1))
_ETHER = (Word("dst", 0, 6, MAC), Word("src", 6, 6, MAC), Word("proto", 12, 2, HEX))  # struct ethhdr

EXTENSION: Tuple[Word, ...] = (
    Word("dst-mac", 2, 6, MAC, EXTENDED_MAC),
    Word("vlan-etype", 8, 2, HEX, EXTENDED),
    Word("vlan", 10, 2, NUMBER, EXTENDED),
    Word("user-def", 12, 8, HEX, EXTENDED),
)
"""struct ethtool_flow_ext."""

FLOWS: Mapping[str, Tuple[int, Tuple[Word, ...]]] = {
    "tcp4": (0x01, _PORTS4),
    "udp4": (0x02, _PORTS4),
    "sctp4": (0x03, _PORTS4),
    "ah4": (0x09, _SPI4),
    "esp4": (0x0A, _SPI4),
    "ip4": (0x0D, _ANY4),
    "tcp6": (0x05, _PORTS6),
    "udp6": (0x06, _PORTS6),
    "sctp6": (0x07, _PORTS6),
    "ah6": (0x0B, _SPI6),
    "esp6": (0x0C, _SPI6),
    "ip6": (0x0E, _ANY6),
    "ether": (0x12, _ETHER),
}
"""Kind of packet -> its number (*_FLOW) and what can be compared in it."""

IP_VERSION = 13
"""Where ``ip4`` has its version, which is always 4 (ETH_RX_NFC_IP4) and never masked."""


def words_of(flow: str) -> Tuple[Word, ...]:
    return (*FLOWS[flow][1], *EXTENSION)
