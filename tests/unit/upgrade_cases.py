# SPDX-License-Identifier: GPL-3.0-or-later
"""A NIC of the golden plans under two kernels, with drivers whose names are written by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Collection, Dict, List, Optional, Tuple

from wirespeed.errors import WirespeedError
from wirespeed.model.desired import Desired, DesiredNic
from wirespeed.model.node import Kernel
from wirespeed.nic.table import SETTLE
from wirespeed.plan.planner import plan
from wirespeed.profiles.resolve import resolve
from wirespeed.upgrade import projection
from wirespeed.upgrade.change import Aspect, Change
from wirespeed.upgrade.compare import compare
from wirespeed.upgrade.evidence import DriverFacts, KernelFacts, ModuleFacts, Presence
from wirespeed.upgrade.sight import Sight

from . import golden_cases
from .golden_cases import PIPELINES, Case
from .profile_cases import built_in


class Names:
    """A module that shows just these names."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def holds(self, name: str) -> Optional[str]:
        return "exact" if name in self._names else None


def kernel(version: str, **drivers: DriverFacts) -> KernelFacts:
    major, minor = re.findall(r"\d+", version)[:2]
    return KernelFacts(Kernel(f"{version}.0-1-amd64", (int(major), int(minor))), drivers)


def driver(name: str, *names: str, modalias: str = "", **facts: Any) -> DriverFacts:
    told = {"native": True, "zero_copy": False, "hints": False, "queue_stats": False, "names": Names(*names), **facts}
    return DriverFacts((ModuleFacts(name, told.pop("presence", Presence.MODULE), **told),), modalias)


def absent(name: str) -> DriverFacts:
    return DriverFacts((ModuleFacts(name, Presence.ABSENT),))


class Upgrade:
    """``case`` from kernel ``old`` to ``new``; both drivers have the NIC's private flags, if nothing else is said."""

    def __init__(
        self,
        case: str,
        old: str,
        new: str,
        before: Optional[DriverFacts] = None,
        after: Optional[DriverFacts] = None,
        nic: Any = None,
        frags: bool = False,
        **intent: Any,
    ) -> None:
        self.case, self.frags = Case(case), frags
        self.case.facts = {**golden_cases._laid(self.case.facts, nic or {})}
        if nic and "private_flags" in nic:
            self.case.facts["private_flags"] = nic["private_flags"]
        self.nic = golden_cases._nic(self.case.facts)
        self.intent = golden_cases._parsed({"eth1": {**self.case.written.get("intent", {}), **intent}}).nics[0]
        flags = tuple(self.nic.private_flags)
        same = driver(self.nic.driver, *flags)
        now, then = kernel(old, eth1=before or same), kernel(new, eth1=after or before or same)
        self.node = replace(self.case.node(self.nic), kernel=now.kernel)
        self.now, self.then = self._sight(now, now), self._sight(then, now)

    def _sight(self, facts: KernelFacts, running: KernelFacts) -> Sight:
        node = projection.booted(self.node, facts, running)
        if "eth1" not in node.nics:
            return Sight(facts, node)
        try:
            profile = resolve(built_in(), node.nics["eth1"], node, self.intent, self.frags)
        except WirespeedError as error:
            return Sight(facts, node, problem=str(error))
        wanted = DesiredNic(
            "eth1", profile, self.intent.pipeline, self.intent.mode, self.intent.max_disruption, frags=self.frags
        )
        desired = Desired((wanted,), PIPELINES)
        return Sight(facts, node, desired, plan(node, desired, SETTLE))

    def changes(self, *aspects: Aspect, **given: Any) -> List[Change]:
        found = compare(self.node, self.now, self.then, {}, **given)
        return [each for each in found if not aspects or each.aspect in aspects]

    def told(self, *aspects: Aspect, **given: Any) -> Dict[str, Tuple[str, Any, Any]]:
        """By key: severity, before, after."""
        return {each.key: (each.severity.value, each.before, each.after) for each in self.changes(*aspects, **given)}


def keys(changes: Collection[Change]) -> List[str]:
    return [each.key for each in changes]
