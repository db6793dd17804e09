# SPDX-License-Identifier: GPL-3.0-or-later
"""A node under one kernel, right after a boot: what its files tell, and what its intent comes to there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, Optional

from ..model.desired import Desired, DesiredNic
from ..model.nic import XdpMode
from ..model.node import Node
from ..model.step import Plan
from .counter_ways import Ways
from .evidence import KernelFacts


@dataclass(frozen=True)
class Sight:
    """``problem`` says why the intent cannot be resolved there; ``desired`` and ``plan`` are empty then.

    ``counters`` by NIC.
    """

    facts: KernelFacts
    node: Node
    desired: Desired = field(default_factory=Desired)
    plan: Plan = field(default_factory=Plan)
    problem: str = ""
    counters: Mapping[str, Ways] = field(default_factory=dict)

    @property
    def nics(self) -> Dict[str, DesiredNic]:
        return {each.nic: each for each in self.desired.nics}


def mode(wanted: DesiredNic) -> Optional[XdpMode]:
    """As what its program will be attached; None without one, or where the driver cannot do what is asked."""
    if wanted.pipeline is None:
        return None
    if wanted.mode is not None:
        return wanted.mode if wanted.profile.native or wanted.mode is XdpMode.GENERIC else None
    return XdpMode.NATIVE if wanted.profile.native else XdpMode.GENERIC
