# SPDX-License-Identifier: GPL-3.0-or-later
"""A document's tables as the model looks things up in them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

Document = Mapping[str, List[Any]]
Key = Tuple[int, ...]


@dataclass(frozen=True)
class Policy:
    """Numbers as in a document whose timeouts are milliseconds."""

    countermeasures: FrozenSet[str] = frozenset()
    fragments: str = "deny"
    other_ports: str = "deny"
    rate: int = 1
    burst: int = 1
    dry_run: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Policy":
        said = {name: row[name] for name in ("fragments", "other_ports", "rate", "burst", "dry_run") if name in row}
        return cls(countermeasures=frozenset(row.get("countermeasures", ())), **said)


@dataclass
class Prefixes:
    """The longest prefix wins."""

    rows: Dict[Tuple[int, int, int], Any] = field(default_factory=dict)  # version, length, network -> what it means

    def add(self, text: str, meaning: Any) -> None:
        network = ipaddress.ip_network(text)
        number = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        self.rows[network.version, network.prefixlen, number] = meaning

    def find(self, address: bytes) -> Optional[Any]:
        version, bits, number = (4, 32, int.from_bytes(address, "big"))
        if len(address) == 16:
            version, bits = 6, 128
        for length in sorted({row[1] for row in self.rows if row[0] == version}, reverse=True):
            found = self.rows.get((version, length, number >> (bits - length)))
            if found is not None:
                return found
        return None


@dataclass(frozen=True)
class Pattern:
    data: bytes
    mask: bytes
    offset: int
    length: int
    protocol: int

    def matches(self, payload: bytes) -> bool:
        found = payload[self.offset : self.offset + self.length]
        if len(found) < self.length:
            return False
        cells = zip(found.ljust(16, b"\0"), self.data, self.mask)
        return all((one ^ other) & mask == 0 for one, other, mask in cells)


class Configuration:
    def __init__(self, document: Document) -> None:
        self.allow = _set(document, "allow")
        self.deny = _set(document, "deny")
        self.deny_address = frozenset(ipaddress.ip_address(row).packed for row in (*_rows(document, "deny_address"),))
        self.customers = Prefixes()
        for row in _rows(document, "customers"):
            self.customers.add(row["prefix"], (row["customer"], row["policy"]))
        self.policies = {row["policy"]: Policy.of(row) for row in document.get("policies", ())}
        self.policy_prefixes: Dict[int, Prefixes] = {}
        for row in _rows(document, "policy_prefixes"):
            self.policy_prefixes.setdefault(row["policy"], Prefixes()).add(row["prefix"], row["action"])
        self.amplifiers = frozenset(int(row) for row in document.get("amplifiers", ()))
        self.ports = {(row["policy"], row["protocol"], row["port"]): row["action"] for row in document.get("ports", ())}
        self.patterns = {(row["policy"], row["index"]): _pattern(row) for row in document.get("patterns", ())}


def _rows(document: Document, name: str) -> List[Any]:
    return [*document.get(f"{name}_v4", ()), *document.get(f"{name}_v6", ())]


def _set(document: Document, name: str) -> Prefixes:
    found = Prefixes()
    for row in _rows(document, name):
        found.add(row, True)
    return found


def _pattern(row: Mapping[str, Any]) -> Pattern:
    data, mask = bytes.fromhex(row["bytes"]), bytes.fromhex(row["mask"])
    return Pattern(data, mask, row["offset"], row["length"], row["protocol"])
