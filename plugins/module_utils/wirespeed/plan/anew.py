# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that delete the interface and make a new one: what goes with it, what is written again, what forbids it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional

from ..model.desired import ResolvedProfile
from ..model.nic import Nic
from ..model.settings import MAKES_ANEW, OUTLIVES_THE_INTERFACE, Setting
from ..model.step import Refusal
from .changes import Change, Comparison, plain

_SWITCHED = (Setting.COALESCE, Setting.PAUSE)
"""Settings with switches that decide whether their other values mean anything: a new interface has the driver's."""


def causes(comparison: Comparison) -> List[Change]:
    """The changes of this plan that make the interface anew."""
    return [change for change in comparison.changes if change.setting in MAKES_ANEW]


def lost(nic: Nic, profile: ResolvedProfile, comparison: Comparison) -> Dict[str, Change]:
    """All that is wanted of this NIC after such a change, whether it reads so now or not; by setting."""
    first = min((profile.order.index(change.setting.value) for change in causes(comparison)), default=None)
    if first is None:
        return {}
    own = [change.setting for change in comparison.changes]
    return {
        setting.value: _with_switches(nic, change if setting in own else _again(change))
        for setting, change in comparison.rewrites.items()
        if setting not in OUTLIVES_THE_INTERFACE and profile.order.index(setting.value) > first
    }


def served(comparison: Comparison, name: str) -> Optional[str]:
    """What a setting is written for that was right before this plan."""
    found = causes(comparison)
    own = [change.setting.value for change in comparison.changes]
    return found[0].setting.value if found and name not in own else None


def record(nic: Nic, profile: ResolvedProfile) -> Mapping[str, Any]:
    """What an undo needs that finds nothing of the NIC but its device: of every tuned setting all that was set."""
    had: Dict[str, Dict[str, Any]] = {}
    for setting in sorted(profile.tuning, key=lambda each: profile.order.index(each.value)):
        facts = nic.settings.get(setting)
        if facts is not None and setting not in OUTLIVES_THE_INTERFACE:
            own = [key for key in facts.values if key not in facts.fixed and key not in facts.floating]
            had[setting.value] = {key: plain(facts.requested.get(key, facts.values[key])) for key in own}
    return {"device": nic.device, "up": nic.up, "settings": had}


def refusals(nic: Nic, comparison: Comparison) -> List[Refusal]:
    """What nobody would bring back: interfaces on top and beside it, and addresses with the routes over them."""
    against = {
        f"{', '.join(nic.upper)} on top of it would be deleted or lose this member": nic.upper,
        f"{', '.join(nic.addresses)} and all routes over it would be lost": nic.addresses,
        f"{', '.join(nic.beside)} of the same device ({nic.device}) would be deleted too": nic.beside,
    }
    reasons = [reason for reason, present in against.items() if present]
    return [
        Refusal(
            nic.name,
            change.setting.value,
            f"takes effect only when {nic.driver} starts anew, which deletes {nic.name} and makes it again: "
            f"{'; '.join(reasons)}.",
            f"Take that away first, in a maintenance window, and give it back after the run; or leave "
            f"{', '.join(change.after)} out ({change.origin}).",
        )
        for change in causes(comparison)
        if reasons
    ]


def warnings(nic: Nic, comparison: Comparison) -> List[str]:
    """Entries of device maps go with the device (kernel/bpf/devmap.c dev_map_notification, Linux 6.12)."""
    return [
        f"{nic.name}: {change.setting} makes the interface anew, with another index. What no profile and intent asks "
        "for (its other settings, tc filters, qdiscs) goes back to the driver's and the kernel's defaults; AF_XDP "
        "sockets on it and entries of BPF device maps that lead to it are gone; udev and network managers see a new "
        "interface."
        for change in causes(comparison)
    ]


def _again(change: Change) -> Change:
    return replace(change, why=f"{change.why}; a new interface has the driver's own")


def _with_switches(nic: Nic, change: Change) -> Change:
    if change.setting not in _SWITCHED:
        return change
    values = nic.settings[change.setting].values
    extra = {key: value for key, value in values.items() if isinstance(value, bool) and key not in change.after}
    return replace(change, before={**extra, **change.before}, after={**extra, **change.after})
