# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as they stand in a packet: IPv4, IPv6 and Ethernet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Sequence

from ..addresses import SIZES, AddressSet, EthernetSet, bulk
from .field import distinct


@dataclass(frozen=True)
class Address:
    """``version`` is 4 or 6."""

    version: int

    @property
    def size(self) -> int:
        return SIZES[self.version]

    @property
    def words(self) -> str:
        return f"ipv{self.version}"

    def encode(self, value: Any) -> bytes:
        return AddressSet(self.version).encode(text(value, f"IPv{self.version} address"))

    @staticmethod
    def decode(raw: bytes) -> str:
        return AddressSet.decode(raw)

    def bulk(self, texts: Sequence[str]) -> bytes:
        return bulk(self.version, texts)

    def schema(self) -> Dict[str, Any]:
        return {"type": "string", "format": f"ipv{self.version}"}


@dataclass(frozen=True)
class Mac:
    size: int = 6
    words: str = "mac"

    @staticmethod
    def encode(value: Any) -> bytes:
        return EthernetSet.encode(text(value, "Ethernet address"))

    @staticmethod
    def decode(raw: bytes) -> str:
        return EthernetSet.decode(raw)

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    @staticmethod
    def schema() -> Dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"}


def text(value: Any, what: str) -> str:
    """Raises ValueError for what YAML took for something else, as it does with ``1:2``."""
    if not isinstance(value, str):
        raise ValueError(f"is no text with an {what}; put it in quotes.")
    return value
