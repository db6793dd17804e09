# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields of a packet RSS hashes, by kind of packet: ``udp4: sdfn``.

The letters are those of ``ethtool -N IF rx-flow-hash``: m destination MAC, v VLAN tag, t protocol,
s and d the addresses, f and n the two halves of the ports, e the GTP tunnel, r discard; ``none`` is no field.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import OutOfRange
from ..kernel import ethtool_rss
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values

_BITS = {
    "m": 1 << 1,
    "v": 1 << 2,
    "t": 1 << 3,
    "s": 1 << 4,
    "d": 1 << 5,
    "f": 1 << 6,
    "n": 1 << 7,
    "e": 1 << 8,
    "r": 1 << 31,
}
_NONE = "none"


def read(port: Port) -> SettingFacts:
    return SettingFacts({flow: letters(bits) for flow, bits in ethtool_rss.hash_fields(port.name).items()})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key not in facts.values:
            raise OutOfRange(key, value, f"only {', '.join(facts.values)}; this NIC has no {key!r}")
        settled[key] = _canonical(key, value)
    return settled


def write(port: Port, values: Values) -> None:
    """One call for each kind of packet. A driver refuses (EINVAL) what its hardware cannot hash."""
    for flow, value in values.items():
        ethtool_rss.set_hash_fields(port.name, flow, _bits(str(value)))


def letters(bits: int) -> str:
    """Bits that have no letter yet are written as a number: ``sd+0x200``."""
    known = "".join(letter for letter, bit in _BITS.items() if bits & bit)
    rest = bits & ~sum(_BITS.values())
    return (known + (f"+{rest:#x}" if rest else "")) or _NONE


def _bits(text: str) -> int:
    known, dummy, rest = text.partition("+")
    return sum(_BITS[letter] for letter in known if text != _NONE) + (int(rest, 16) if rest else 0)


def _canonical(key: str, value: Value) -> str:
    text = str(value)
    if text != _NONE and (not text or any(letter not in _BITS for letter in text) or len(set(text)) < len(text)):
        raise OutOfRange(key, value, f"letters of {''.join(_BITS)}, each once, or {_NONE}")
    return letters(_bits(text))
