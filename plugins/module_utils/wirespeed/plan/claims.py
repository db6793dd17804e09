# SPDX-License-Identifier: GPL-3.0-or-later
"""Where another manager of the host sets a value that Wirespeed sets too, and otherwise: pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, Tuple

from ..model.claim import Claim, Conflict
from ..model.nic import Nic
from ..model.settings import Setting, Values
from .changes import Comparison

_MODERATION = {"adaptive-rx": ("rx-usecs", "rx-frames"), "adaptive-tx": ("tx-usecs", "tx-frames")}
"""To want a fixed time is to want no moderation, also where it is off now and so nothing is planned for it."""


def conflicts(nic: Nic, comparison: Comparison) -> Tuple[Conflict, ...]:
    """One for each claim that is active and not for the value that Wirespeed gives the NIC.

    A claim without a value (irqbalance on interrupts) is one against every value.
    """
    wanted = _wanted(comparison)
    return tuple(
        Conflict(nic.name, claim, wanted[claim.setting][claim.key])
        for claim in nic.claims
        if claim.active
        and claim.key in wanted.get(claim.setting, {})
        and claim.value != wanted[claim.setting][claim.key]
        and not _kept_off(claim, comparison.planned)
    )


def _wanted(comparison: Comparison) -> Mapping[Setting, Mapping[str, Any]]:
    wanted: Dict[Setting, Dict[str, Any]] = {}
    for change in (*comparison.rewrites.values(), *comparison.changes):
        wanted.setdefault(change.setting, {}).update(change.after)
    coalesce = wanted.get(Setting.COALESCE, {})
    coalesce.update(dict.fromkeys(_fixed_times(coalesce, comparison.planned.get(Setting.COALESCE, {})), False))
    return wanted


def _fixed_times(wanted: Mapping[str, Any], planned: Values) -> Iterator[str]:
    for switch, keys in _MODERATION.items():
        if switch not in wanted and planned.get(switch) is False and any(key in wanted for key in keys):
            yield switch


def _kept_off(claim: Claim, planned: Mapping[Setting, Values]) -> bool:
    """Whether this very plan has irqbalance leave the NIC's interrupts alone."""
    return claim.manager == "irqbalance" and planned.get(Setting.IRQBALANCE, {}).get("keeps-off") is True
