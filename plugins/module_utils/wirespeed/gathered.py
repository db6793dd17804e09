# SPDX-License-Identifier: GPL-3.0-or-later
"""What each NIC has, in the shape in which an intent asks for it: pure."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Set, Tuple

from .errors import OutOfRange
from .model.intent import NicIntent
from .model.nic import Nic
from .model.node import Node
from .model.settings import READS_BACK_FALSELY, Setting, SettingFacts, Values
from .nic.table import ROOMS
from .plain import plain
from .profiles.document import ProfileSet
from .profiles.kept import portable
from .profiles.resolve import resolve

Tuning = Dict[str, Dict[str, Any]]


def gathered(node: Node, profiles: ProfileSet, nics: Iterable[Nic]) -> List[Dict[str, Any]]:
    """An entry for each NIC, ``{"name": ..., "tuning": {...}}``: to ask for it changes nothing.

    Left out is what cannot be asked for, or is not what it reads: what the driver does not let be
    changed, what it moves by itself now, a feature that is requested and masked, what reads otherwise
    under a program than it was set, and what the driver may have forgotten since it was set.
    """
    return [{"name": nic.name, "tuning": _tuning(node, profiles, nic)} for nic in nics]


def _tuning(node: Node, profiles: ProfileSet, nic: Nic) -> Tuning:
    planned = {setting: facts.values for setting, facts in nic.settings.items()}
    found: Tuning = {}
    for setting, facts in nic.settings.items():
        keys = [key for key in facts.values if _can_be_asked_for(setting, facts, key, planned)]
        found[setting.value] = {key: portable(facts, key) for key in keys}
    for name, key in _not_as_it_reads(node, profiles, nic, found):
        del found[name][key]
    return {name: plain(values) for name, values in found.items() if values}


def _can_be_asked_for(setting: Setting, facts: SettingFacts, key: str, planned: Mapping[Setting, Values]) -> bool:
    """A value that a driver tells and its own call would not take (a ring of no descriptors) is none to ask for."""
    if setting not in ROOMS or key in facts.fixed or key in facts.floating or key in facts.requested:
        return False
    if setting is Setting.QUEUE_COALESCE and not isinstance(facts.values[key], tuple):
        return False  # the same on all queues, which coalesce says
    try:
        return key in ROOMS[setting].settle(facts, {key: portable(facts, key)}, planned)
    except OutOfRange:
        return False


def _not_as_it_reads(node: Node, profiles: ProfileSet, nic: Nic, found: Tuning) -> Set[Tuple[str, str]]:
    """Setting and key of what the NIC's profile says cannot be told from reading it now."""
    profile = resolve(profiles, nic, node, NicIntent("name", nic.name, tuning=found, profile_tuning=False))
    untrue = {
        (setting.value, key)
        for setting in READS_BACK_FALSELY & set(profile.undone_by)
        for key in found.get(setting.value, ())
        if nic.witness.get(setting) != nic.epoch
    }
    for setting, reads in profile.reads_attached.items() if nic.xdp is not None else ():
        values = nic.settings[setting].values
        untrue |= {(setting.value, key) for key, value in reads.items() if values.get(key) != value}
    return untrue & {(setting, key) for setting, values in found.items() for key in values}
