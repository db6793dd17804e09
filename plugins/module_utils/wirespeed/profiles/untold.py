# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions on a setting that this NIC does not tell: they cannot be judged, and must not end the run."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from .. import expression
from ..errors import BadInput
from ..model.nic import Nic
from ..model.settings import Setting
from .merge import Entry

_GROUPS = ("max", "fixed", "floating", "requested", "running")


def judgeable(
    entries: Mapping[str, Entry], parts: Tuple[str, ...], nic: Nic, names: Mapping[str, Any]
) -> Tuple[Dict[str, Entry], List[str]]:
    """The entries whose ``parts`` can be evaluated here, and a finding for each that cannot.

    Raises :class:`BadInput` for an expression that is wrong for another reason.
    """
    found: Dict[str, Entry] = {}
    findings: List[str] = []
    for name, entry in entries.items():
        try:
            for part in parts:
                expression.evaluate(entry.part(part), names, entry.place, f"{entry.field}.{part}")
            found[name] = entry
        except BadInput:
            untold = _untold(entry, parts, nic)
            if not untold:
                raise
            findings.append(f"{name} ({entry.place}) cannot be judged: {nic.driver} tells no {', '.join(untold)} here.")
    return found, findings


def _untold(entry: Entry, parts: Tuple[str, ...], nic: Nic) -> List[str]:
    """The settings that the parts name and the NIC does not have."""
    texts = [entry.part(part) for part in parts]
    chains = [chain for text in texts if expression.is_expression(text) for chain in expression.dotted(text)]
    named = {chain[2] if len(chain) > 2 and chain[1] in _GROUPS else chain[1] for chain in chains if len(chain) > 1}
    return [setting.value for setting in Setting if setting.value in named and setting not in nic.settings]
