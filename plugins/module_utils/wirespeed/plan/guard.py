# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against a NIC's plan: unmet attach conditions, too much disruption, a foreign program."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ..model.desired import DesiredNic
from ..model.nic import Nic, XdpMode
from ..model.node import Node
from ..model.settings import Setting, Values
from ..model.step import Action, Refusal, Step
from ..namespace import namespace
from .changes import Comparison
from .hook import Hook
from .sequence import blocked_settings


def unmet_constraints(node: Node, nic: Nic, desired: DesiredNic, comparison: Comparison, hook: Hook) -> List[Refusal]:
    """Evaluated over the NIC as planned, also when it is attached already.

    virtio_net and vmxnet3 accept an MTU under XDP that they cannot hold (no check in
    ndo_change_mtu, Linux 6.1 to 7.2), so an attached NIC can be wrong without any refusal.
    Conditions of a setting are evaluated wherever it is asked for.
    """
    names = namespace(nic, node, "", comparison.planned, desired.frags)
    return [
        Refusal(
            nic.name,
            f"{each.concerns or 'xdp'} ({each.id})",
            f"{each.explain} (the kernel would answer {each.errno}).",
            each.remedy,
        )
        for each in desired.profile.constraints
        if (each.concerns or hook.goal is XdpMode.NATIVE) and not each.holds(names)
    ]


def unmet_at_detach(node: Node, nic: Nic, desired: DesiredNic, steps: Sequence[Step]) -> List[Refusal]:
    """Conditions that the driver also asks for when the program goes, over the NIC as it is by then.

    Not all drivers guard their checks by the program being there (ixgbe_xdp_setup, igb_xdp_setup, igc_xdp_set_prog,
    ena_xdp_set, gve_verify_xdp_configuration: Linux 6.12).
    """
    values: Dict[Setting, Values] = {setting: dict(facts.values) for setting, facts in nic.settings.items()}
    for step in steps:
        if step.action is Action.DETACH and step.before.get("mode") == XdpMode.NATIVE.value:
            return _refused_detach(nic, desired, step, namespace(nic, node, "", values, desired.frags))
        if step.action is Action.SET and Setting(step.resource) in values:
            setting = Setting(step.resource)
            values[setting] = {**values[setting], **step.after}
    return []


def _refused_detach(nic: Nic, desired: DesiredNic, step: Step, names: Mapping[str, Any]) -> List[Refusal]:
    return [
        Refusal(
            nic.name,
            f"xdp ({each.id})",
            f"{step.because} needs the program to be detached, and {nic.driver} refuses that as it is set now (the "
            f"kernel would answer {each.errno}): it asks for {each.id} ({each.origin}) at a detach too.",
            f"Bring that back into order first, in a run of its own or by hand. {each.remedy}",
        )
        for each in desired.profile.constraints
        if each.on_detach and not each.holds(names)
    ]


def too_disruptive(desired: DesiredNic, steps: Sequence[Step]) -> List[Refusal]:
    limit = desired.max_disruption
    return [
        Refusal(
            step.target,
            step.resource,
            f"{step.action} costs {step.disruption} ({step.why}), and max_disruption is {limit}.",
            f"Allow max_disruption: {step.disruption} for this NIC, or change it in a maintenance window.",
        )
        for step in steps
        if step.disruption.exceeds(limit)
    ]


def foreign_in_the_way(nic: Nic, desired: DesiredNic, comparison: Comparison) -> List[Refusal]:
    """A setting needs a detach, but the program on the hook is not ours to detach."""
    blocked = blocked_settings(nic, desired.profile, comparison)
    if not blocked or nic.xdp is None or nic.xdp.pipeline is not None:
        return []
    return [
        Refusal(
            nic.name,
            blocked[0],
            f"{nic.driver} refuses it while program {nic.xdp.prog_id} ({nic.xdp.prog_name or 'unnamed'}) is attached, "
            "and Wirespeed did not attach that program.",
            "Detach it with the tool that attached it, or drop the setting.",
        )
    ]
