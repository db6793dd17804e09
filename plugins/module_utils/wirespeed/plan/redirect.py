# SPDX-License-Identifier: GPL-3.0-or-later
"""Redirecting into other NICs: they get their program first, and must be able to take what is sent there."""

from __future__ import annotations

from typing import Dict, List, Tuple

from ..model.desired import Desired, DesiredNic
from ..model.nic import XdpMode
from ..model.node import Node
from ..model.step import Refusal
from .hook import decide


def targets_first(desired: Desired) -> Tuple[DesiredNic, ...]:
    """In the intent's order, but each after the NICs into which it redirects, where that is no circle."""
    by_name = {each.nic: each for each in desired.nics}
    ordered: Dict[str, DesiredNic] = {}

    def put(each: DesiredNic, above: Tuple[str, ...]) -> None:
        for name in each.redirect_to:
            if name in by_name and name not in above and name not in ordered:
                put(by_name[name], (*above, each.nic))
        ordered.setdefault(each.nic, each)

    for each in desired.nics:
        put(each, (each.nic,))
    return tuple(ordered.values())


def refusals(node: Node, desired: Desired) -> List[Refusal]:
    """One for each pair of which the second cannot take what the first redirects."""
    by_name = {each.nic: each for each in desired.nics}
    found = []
    for sender in desired.nics:
        for name in sender.redirect_to:
            reason, remedy = _obstacle(node, by_name[name])
            if reason:
                found.append(
                    Refusal(sender.nic, "redirect_to", f"{name} cannot take redirected frames: {reason}", remedy)
                )
    return found


def warnings(desired: Desired) -> List[str]:
    """Of targets; with workload forward they tell the same as a finding."""
    names = {name for sender in desired.nics for name in sender.redirect_to}
    cautions = [(each.nic, each.profile.redirect_target.caution) for each in desired.nics if each.nic in names]
    return [f"{name}: {caution}" for name, caution in cautions if caution]


def _obstacle(node: Node, target: DesiredNic) -> Tuple[str, str]:
    """Why and the cure; both empty where nothing stands against it."""
    nic, rule = node.nics[target.nic], target.profile.redirect_target
    if rule.value == "never":
        return f"{rule.note or nic.driver + ' has no ndo_xdp_xmit'}.", rule.remedy or "Redirect to another NIC."
    hook = decide(nic, target)
    if rule.value == "with_program" and hook.goal is not XdpMode.NATIVE and not hook.refusals:
        return (
            f"{nic.driver} takes them only under a native program, and none will be there ({rule.note}).",
            "Leave its mode native or auto, on a kernel where its driver has native XDP.",
        )
    return "", ""
