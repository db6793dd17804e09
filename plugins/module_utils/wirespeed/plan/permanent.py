# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters that the device keeps: they read back at once, and hold after its next reset."""

from __future__ import annotations

from typing import List

from ..model.nic import Nic
from ..model.settings import Setting
from .changes import Comparison


def warnings(nic: Nic, comparison: Comparison) -> List[str]:
    """Which ones wait for a reset: those that this plan writes, or that a run since the boot has written.

    Few drivers tell what a device works with beside what it keeps (``SettingFacts.running``, judged with
    the profile). But a restart of the machine is a reset, and our own record of writing does not outlive it.
    """
    setting = Setting.DEVLINK_PERMANENT
    facts = nic.settings.get(setting)
    changed = [key for change in comparison.changes if change.setting is setting for key in change.after]
    coming = [key for key in changed if facts is not None and key not in facts.running]
    told = "Wirespeed resets no device: restart the machine, or reset the device, when its links may go down."
    if coming:
        return [f"{nic.name}: {setting}: {', '.join(coming)}: in force only after the next reset of the device. {told}"]
    if setting in nic.witness and facts is not None and not facts.running:
        since = "written since this machine started, and in force only after a reset of the device since then."
        return [f"{nic.name}: {setting}: {since} {told}"]
    return []
