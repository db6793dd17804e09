# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules and additional RSS contexts name queues and each other: their place among the steps of one NIC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

from ..model.desired import ResolvedProfile
from ..model.nic import Nic
from ..model.settings import Setting
from .changes import Change, Comparison, plain

_CHANNELS, _CONTEXTS, _RULES = Setting.CHANNELS.value, Setting.RSS_CONTEXTS.value, Setting.NTUPLE.value


def ordered(order: Tuple[str, ...], changed: Mapping[str, Change]) -> Tuple[str, ...]:
    """Rules and contexts of fewer queues before the channels, and rules before the contexts that they leave.

    The kernel refuses fewer channels than a rule or a context names (ethtool_check_max_channel,
    net/ethtool/common.c, Linux 6.12), and to remove a context while a rule sends to it
    (ethtool_check_rss_ctx_busy, Linux 7.2; mlx5_core before). What names more queues has to wait for them.
    """
    names = list(order)
    if _CHANNELS in changed and _queues(changed[_CHANNELS].after) < _queues(changed[_CHANNELS].before):
        for name in [name for name in names if name in (_CONTEXTS, _RULES) and name in changed]:
            if names.index(name) > names.index(_CHANNELS):
                names.remove(name)
                names.insert(names.index(_CHANNELS), name)
    if {_CONTEXTS, _RULES} <= set(changed) and _fewer(changed[_CONTEXTS]):
        names.remove(_RULES)
        names.insert(names.index(_CONTEXTS), _RULES)
    return tuple(names)


def _queues(values: Mapping[str, Any]) -> int:
    """Only the counts that change are here, in ``before`` and ``after`` alike."""
    return sum(int(values[key]) for key in ("rx", "combined") if key in values)


def _fewer(contexts: Change) -> bool:
    return any(len(contexts.after[key]) < len(contexts.before.get(key, ())) for key in contexts.after)


def lifted(
    nic: Nic, profile: ResolvedProfile, comparison: Comparison, changed: Dict[str, Change], order: Tuple[str, ...]
) -> Tuple[Dict[str, List[Change]], Tuple[str, ...]]:
    """What must be gone while an operation runs, by that operation, and the order in which it comes back.

    A driver that refuses an operation while there are rules gets it without them: they are taken away before
    and put back after, those of other owners too. ``changed`` is completed with what comes back.
    """
    lifts: Dict[str, List[Change]] = {}
    names = list(order)
    for setting, operations in profile.lifted_for.items():
        facts = nic.settings.get(setting)
        operation = next((name for name in order if name in operations and name in changed), None)
        if facts is None or operation is None:
            continue
        lists = {key: value for key, value in facts.values.items() if isinstance(value, tuple) and value}
        if not lists:
            continue
        why = f"{nic.driver} refuses {operation} while there are any"
        before = {key: plain(value) for key, value in lists.items()}
        nothing: Dict[str, Any] = {key: [] for key in lists}
        lifts.setdefault(operation, []).append(Change(setting, before, nothing, why, "profile"))
        back = {key: plain(comparison.planned[setting][key]) for key in lists}
        own = changed.pop(setting.value, None)
        if back != nothing:
            put_back = Change(setting, nothing, back, f"put back after {operation}: {why}", "profile")
            changed[setting.value] = replace(own, before=nothing, after=back) if own else put_back
        if names.index(setting.value) < names.index(operation):
            names.remove(setting.value)
            names.insert(names.index(operation) + 1, setting.value)
    return lifts, tuple(names)
