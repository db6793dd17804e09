# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set, or will be, but comes into force only at the next reset of the NIC's firmware."""

from __future__ import annotations

from typing import List, Mapping

from ..model.nic import Nic
from ..model.settings import Setting, Values


def pending(nic: Nic, planned: Mapping[Setting, Values]) -> List[str]:
    """One finding for each setting of which a planned value is not the one that the device works with."""
    findings = []
    for setting, facts in nic.settings.items():
        now = facts.running
        waiting = [key for key, value in planned[setting].items() if key in now and now[key] != value]
        if waiting:
            changes = ", ".join(f"{key} {planned[setting][key]!r} (now {now[key]!r})" for key in waiting)
            findings.append(
                f"{setting}: in force only after the next firmware reset or power cycle: {changes}. Wirespeed does not "
                "reset the device; its ports, and all its functions, lose the link when somebody does."
            )
    return findings
