# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a run tries: what every change is held to, or all that there is (``make test-deep``, WIRESPEED_DEEP=1).

The virtual fleet has no hardware virtualization under it, so each boot and playbook there takes its time. What only
repeats a claim on another kernel or more often is for the deep run; it is deselected, and pytest says how many are.
"""

from __future__ import annotations

import os
from typing import List

import pytest

DEEP = os.environ.get("WIRESPEED_DEEP") == "1"
EVERY_KERNEL = ("6.1", "6.12", "newest")

deep = pytest.mark.deep


def kernels(variable: str, *usual: str) -> List[str]:
    """The kernels of the lab that ``variable`` names, else the usual ones; in a deep run every one."""
    said = os.environ.get(variable)
    return said.split() if said else list(EVERY_KERNEL if DEEP else usual)


def times(variable: str, usual: int, promised: int) -> int:
    """How often ``variable`` says, else the usual number; in a deep run the one that is promised."""
    return int(os.environ.get(variable, promised if DEEP else usual))
