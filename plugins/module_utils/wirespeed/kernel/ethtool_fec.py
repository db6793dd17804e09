# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward error correction over ethtool netlink (ETHTOOL_MSG_FEC_*, Linux 5.13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Iterable

from ..errors import NotSupported
from .ethtool_netlink import BITSET, call, message
from .netlink import Attribute
from .port import Port

_GET, _SET = 29, 30
_FEC = message(Attribute(2, "modes", BITSET), Attribute(3, "auto", "uint8"))


@dataclass(frozen=True)
class Fec:
    """What is configured: ``modes`` are link modes (``None``, ``RS``, ``BASER``, ``LLRS``)."""

    auto: bool
    modes: FrozenSet[str]


def fec(port: Port) -> Fec:
    values = call("FEC_GET", _GET, _FEC, port)
    bits = values.get("modes", {}).get("bits", {}).get("bit", ())
    found = Fec(bool(values.get("auto")), frozenset(bit["name"] for bit in bits))
    if not found.auto and not found.modes:
        raise NotSupported(f"ethtool FEC_GET {port.name} (no mode)")
    return found


def set_fec(port: Port, auto: bool, modes: Iterable[str]) -> None:
    wanted = {"no_mask": True, "bits": {"bit": [{"name": mode, "value": True} for mode in modes]}}
    call("FEC_SET", _SET, _FEC, port, {"modes": wanted, "auto": int(auto)})
