# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out SET steps: one setting of one NIC."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..kernel import ethtool_queue_coalesce, rtnetlink
from ..kernel.devlink_netlink import Device
from ..kernel.port import Port
from ..model.settings import READS_BACK_FALSELY, Setting, SettingFacts, Value, Values
from ..model.step import Step
from . import queue_coalesce, queue_cpus, rfs, table
from .devlink_params import DRIVERINIT_PARAMS


class SettingActuator:
    """Writes ``step.after`` and reads it back.

    What is already as wanted is not written again: some drivers re-create their rings for it
    (bnxt_en set_rxfh, mana set_ringparam). A step that makes the interface anew is always carried out:
    its values read as written also where the driver has not started with them yet.
    """

    def apply(self, step: Step) -> None:
        if step.anew:
            device = Device.of_text(step.anew["device"])
            DRIVERINIT_PARAMS.start_anew(device, step.target, _values(step.after), step.anew["up"])
            return
        setting, port = Setting(step.resource), _port(step)
        values = _values(step.after)
        if setting not in READS_BACK_FALSELY:
            facts = table.read(setting, port, list(values))
            floating = facts.floating & set(values)
            values = {key: value for key, value in values.items() if key in floating or not _holds(facts, key, value)}
        if values:
            table.write(setting, port, values)

    def deviation(self, step: Step) -> str:
        setting = Setting(step.resource)
        facts = table.read(setting, _port(step), list(step.after))
        found = [
            _difference(facts, key, value)
            for key, value in _values(step.after).items()
            if key not in facts.floating and not _holds(facts, key, value)
        ]
        return f"{step.target} {setting}: {'; '.join(found)}" if found else ""


def _port(step: Step) -> Port:
    return rtnetlink.link_named(step.target).port


def _values(after: Mapping[str, Any]) -> Values:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in after.items()}


def _holds(facts: SettingFacts, key: str, value: Value) -> bool:
    return _same(key, facts.values.get(key), value) and facts.requested.get(key, value) == value


def _same(key: str, have: Optional[Value], want: Value) -> bool:
    """What has a part for each queue agrees as far as both go: an undo meets other queues than there were."""
    if key in (queue_cpus.KEY, rfs.KEY) and isinstance(have, str) and isinstance(want, str):
        return queue_cpus.same(have, want)
    if key in ethtool_queue_coalesce.KEYS:
        return queue_coalesce.same(have, want)
    return have == want


def _difference(facts: SettingFacts, key: str, value: Value) -> str:
    if facts.values.get(key) == value:
        return f"{key} is {value!r}, but {facts.requested[key]!r} is requested for later"
    return f"{key} is {facts.values.get(key)!r}, not {value!r}"
