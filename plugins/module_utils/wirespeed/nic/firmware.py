# SPDX-License-Identifier: GPL-3.0-or-later
"""Firmware settings: non-volatile parameters of the card, through the vendor's own tool.

What is read and written is what the card takes up at its next reset. A change is in force only after a
firmware reset or a power cycle; neither is done here, and :mod:`..profiles.pending` says what waits for one.

Not read with the other settings: a tool starts a process, takes the card's semaphore, and needs up to 20 s
for all parameters of a card. So it is asked only for the parameters that an intent or a profile names, or
for all of them where a user asks to see them (:mod:`.on_demand`).
"""

from __future__ import annotations

from typing import Dict, Mapping, Sequence

from ..errors import NotSupported
from ..kernel import ethtool_binding, mstconfig
from ..kernel.firmware_tool import FirmwareTool
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted, switched, worded

TOOLS: Mapping[str, FirmwareTool] = {"mlx5_core": mstconfig, "mlx4_en": mstconfig}
"""By the driver's name."""


def read(port: Port, keys: Sequence[str]) -> SettingFacts:
    """Those of ``keys`` that the card has; all of its parameters for no keys.

    Raises :class:`NotSupported` for a driver whose vendor's tool is not known here, where that tool is not
    installed, and for a card that has none of ``keys``; :class:`~..errors.ToolFailed` with the tool's words.
    """
    tool, address = _tool(port)
    found = tool.query(address, keys)
    if not found:
        raise NotSupported(f"firmware of {port.name} (it has no parameter {', '.join(keys)})" if keys else address)
    values = {key: each.after_reset for key, each in found.items()}
    takes_words = [key for key, value in values.items() if isinstance(value, str)]
    known = tool.words(address) if takes_words else {}
    return SettingFacts(
        values=values,
        fixed=frozenset(key for key, each in found.items() if each.read_only),
        running={key: each.running for key, each in found.items() if each.running is not None},
        defaults={key: each.default for key, each in found.items() if each.default is not None},
        words={key: known[_plain(key)] for key in takes_words if _plain(key) in known},
    )


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """Each value as its parameter takes it: true or false, a number, one of its words."""
    return {key: _settled(facts, key, value) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """One call for all of ``values``: the tool checks them together, since some depend on others."""
    tool, address = _tool(port)
    tool.write(address, values)


def _settled(facts: SettingFacts, key: str, value: Value) -> Value:
    now = facts.values.get(key)
    if isinstance(now, bool):
        return switched(facts, key, value)
    if isinstance(now, int):
        return counted(facts, key, value, 0)
    return worded(facts, key, value, facts.words.get(key, (str(value),)))


def _tool(port: Port) -> "tuple[FirmwareTool, str]":
    driver, address = ethtool_binding.identity(port.name)
    tool = TOOLS.get(driver)
    if tool is None:
        known = ", ".join(TOOLS)
        raise NotSupported(f"firmware settings of {driver} (a vendor's tool is known for {known} alone)")
    return tool, address


def _plain(key: str) -> str:
    """The name under which the tool describes an element of an array."""
    return key.partition("[")[0]
