# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules and additional RSS contexts name queues and each other: their place among the steps of one NIC."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True)
class Lifts:
    """``away`` is what must be gone while an operation runs, by that operation; ``back`` names, by setting, the
    operation for whose sake alone it comes back, in the place that ``order`` has for it."""

    order: Tuple[str, ...]
    away: Dict[str, List[Change]] = field(default_factory=dict)
    back: Dict[str, str] = field(default_factory=dict)


def lifted(
    nic: Nic, profile: ResolvedProfile, comparison: Comparison, changed: Dict[str, Change], order: Tuple[str, ...]
) -> Lifts:
    """A driver that refuses an operation while there are rules gets it without them.

    They are taken away before and put back after, those of other owners too. ``changed`` is completed with
    what comes back.
    """
    lifts = Lifts(order)
    for setting, operations in profile.lifted_for.items():
        operation = next((name for name in order if name in operations and name in changed), None)
        lists = _lists(nic, setting)
        if operation is None or not lists:
            continue
        why = f"{nic.driver} refuses {operation} while there are any"
        before = {key: plain(value) for key, value in lists.items()}
        nothing: Dict[str, Any] = {key: [] for key in lists}
        lifts.away.setdefault(operation, []).append(Change(setting, before, nothing, why, "profile"))
        wanted = {key: plain(comparison.planned[setting][key]) for key in lists}
        own = changed.pop(setting.value, None)
        if wanted != nothing:
            put_back = Change(setting, nothing, wanted, f"put back: {why}", "profile")
            changed[setting.value] = replace(own, before=nothing, after=wanted) if own else put_back
            if own is None:
                lifts.back[setting.value] = operation
        lifts = replace(lifts, order=_after(lifts.order, setting.value, operation))
    return lifts


def _lists(nic: Nic, setting: Setting) -> Dict[str, Any]:
    """What the setting holds now, by key; nothing where it is empty."""
    values = nic.settings[setting].values if setting in nic.settings else {}
    return {key: value for key, value in values.items() if isinstance(value, tuple) and value}


def _after(order: Tuple[str, ...], name: str, operation: str) -> Tuple[str, ...]:
    if order.index(name) > order.index(operation):
        return order
    names = [each for each in order if each != name]
    names.insert(names.index(operation) + 1, name)
    return tuple(names)
