# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on top of a NIC: bonds keep their carrier, VLANs and the like their MTU, and programs have the one hook.

A master that chooses among its members (bond, team) loses its carrier when the last of them does. So members are
changed one after the other, and between two of them the plan waits until the first serves again.
"""

from __future__ import annotations

import math
from typing import Dict, List, Sequence

from ..model.desired import DesiredNic
from ..model.nic import Nic, XdpMode
from ..model.node import CARRIER_PATIENCE, Member, Node, Upper
from ..model.settings import Setting
from ..model.step import Action, Disruption, Refusal, Step
from .hook import Hook

CARRIER = "carrier"

_CHOOSING = ("bond", "team")
_FOLLOWING = {"bridge": "br_mtu_auto_adjust", "ipvlan": "ipvlan_adjust_mtu"}
"""Kinds whose MTU also grows with that of what is below (Linux 6.1 to 7.2)."""

_OVERHEAD: Dict[str, int] = {"macsec": 32}
"""Bytes that a kind adds to each frame, so that its MTU must stay this much lower: SecTAG with SCI and ICV
(drivers/net/macsec.c macsec_notify, Linux 6.12)."""


def above(node: Node, nic: str) -> List[Upper]:
    """What has this NIC as a member, or was made on it."""
    return [upper for upper in node.uppers.values() if any(member.name == nic for member in upper.members)]


def waits(node: Node, earlier: Sequence[Step], coming: Sequence[Step]) -> List[Step]:
    """The waits that must stand before one NIC's steps: for each member of its bond that was changed before it."""
    first = next((step for step in coming if _drops(step)), None)
    if first is None:
        return []
    found = []
    for upper in above(node, first.target):
        if upper.kind in _CHOOSING:
            changed = [m for m in upper.members if m.serves and m.name != first.target and _open(earlier, m.name)]
            found += [_wait(upper, member, first) for member in changed]
    return found


def refusals(node: Node, nic: Nic, desired: DesiredNic, hook: Hook, steps: Sequence[Step]) -> List[Refusal]:
    found = []
    for upper in above(node, nic.name):
        if upper.kind in _CHOOSING:
            found += _last_carrier(upper, nic, steps)
        found += _mtu(upper, nic, steps)
        found += _program_above(upper, nic, hook, steps)
    return [*found, *_programs_below(node, nic, desired, hook)]


def warnings(node: Node, nic: Nic, steps: Sequence[Step]) -> List[str]:
    found = []
    if nic.name in node.session and any(_drops(step) for step in steps):
        found.append(
            f"{nic.name}: this run's SSH connection came over it, and the plan takes its link down for a moment."
        )
    for upper in above(node, nic.name):
        if upper.kind in _CHOOSING and len(upper.members) == 1 and any(_drops(step) for step in steps):
            found.append(
                f"{nic.name}: is the only member of {upper.name}, which loses its carrier with it for a moment."
            )
        mtu = _new_mtu(steps)
        if upper.kind in _FOLLOWING and mtu is not None and mtu > upper.mtu:
            found.append(
                f"{nic.name}: {upper.name} ({upper.kind}) may take the larger MTU over ({_FOLLOWING[upper.kind]})."
            )
    return found


def _drops(step: Step) -> bool:
    """Whether the link may go down: drivers that make rings anew often take it down, not all of them on purpose."""
    return step.disruption.rank >= Disruption.RESET.rank


def _open(earlier: Sequence[Step], member: str) -> bool:
    """Whether this member was changed and not waited for since."""
    own = [step for step in earlier if step.target == member and (_drops(step) or step.action is Action.AWAIT)]
    return bool(own) and own[-1].action is not Action.AWAIT


def _wait(upper: Upper, member: Member, first: Step) -> Step:
    seconds = CARRIER_PATIENCE + math.ceil(upper.updelay)
    return Step(
        target=member.name,
        action=Action.AWAIT,
        resource=CARRIER,
        before={},
        after={"master": upper.name, "next": first.target, "seconds": seconds},
        why=f"{upper.name} must not be without a carrier while {first.target} is changed",
        origin="plan",
        because=first.resource,
    )


def _last_carrier(upper: Upper, nic: Nic, steps: Sequence[Step]) -> List[Refusal]:
    """Nothing is lost where the master is down, has no carrier anyway, or has no member but this one."""
    needed = max(1, upper.min_links)
    others = sum(member.serves for member in upper.members if member.name != nic.name)
    here = sum(member.serves for member in upper.members if member.name == nic.name)
    lost = upper.up and others < needed <= others + here
    first = next((step for step in steps if _drops(step)), None)
    if first is None or not lost or len(upper.members) == 1:
        return []
    names = ", ".join(member.name for member in upper.members if member.name != nic.name)
    need = f" and it needs {needed} (min_links)" if needed > 1 else ""
    return [
        Refusal(
            nic.name,
            first.resource,
            f"{first.action} costs {first.disruption}, and {upper.name} would be without a carrier: of its other "
            f"members ({names}) {others or 'none'} can send{need}.",
            f"Bring the link of another member up first; or, in a maintenance window, take {nic.name} out of "
            f"{upper.name} (ip link set {nic.name} nomaster) for this run.",
        )
    ]


def _new_mtu(steps: Sequence[Step]) -> "int | None":
    return next((step.after["mtu"] for step in steps if step.resource == Setting.MTU.value), None)


def _mtu(upper: Upper, nic: Nic, steps: Sequence[Step]) -> List[Refusal]:
    """A bond gives its MTU to its members, a team refuses another one; what was made on the NIC shrinks unasked.

    bond_set_mtu (drivers/net/bonding/bond_main.c), team_device_event NETDEV_PRECHANGEMTU (drivers/net/team),
    vlan_device_event NETDEV_CHANGEMTU (net/8021q/vlan.c), macvlan_device_event, br_device_event: Linux 6.1 to 7.2.
    """
    mtu = _new_mtu(steps)
    if mtu is None:
        return []
    if upper.kind in _CHOOSING:
        if mtu == upper.mtu:
            return []
        reason = (
            f"is {upper.name}'s to set: a {upper.kind} has one MTU, now {upper.mtu}, for itself and all its members."
        )
        remedy = f"Leave mtu out here and set it there: ip link set {upper.name} mtu {mtu}."
        return [Refusal(nic.name, Setting.MTU.value, reason, remedy)]
    room = mtu - _OVERHEAD.get(upper.kind, 0)
    if upper.mtu <= room:
        return []
    return [
        Refusal(
            nic.name,
            Setting.MTU.value,
            f"MTU {mtu} would shrink {upper.name} ({upper.kind}) from {upper.mtu} to {room} as well, and no undo would "
            "give that back.",
            f"Lower it there first: ip link set {upper.name} mtu {room}.",
        )
    ]


def _program_above(upper: Upper, nic: Nic, hook: Hook, steps: Sequence[Step]) -> List[Refusal]:
    """dev_xdp_attach answers EEXIST, whatever the kind of the upper device and the mode (Linux 6.1, 6.12)."""
    if not upper.program or not any(step.action is Action.ATTACH for step in steps):
        return []
    return [
        Refusal(
            nic.name,
            "xdp",
            f"{upper.name} ({upper.kind}), which lies on top of it, carries an XDP program, and the kernel takes none "
            "below such a device (it would answer EEXIST).",
            f"Detach the program of {upper.name}, or leave this NIC's pipeline out.",
        )
    ]


def _programs_below(node: Node, nic: Nic, desired: DesiredNic, hook: Hook) -> List[Refusal]:
    """A bond hands its program to its members and takes none while one has its own (bond_xdp_set, Linux 6.1 to 7.2)."""
    bond = node.uppers.get(nic.name)
    if bond is None or bond.kind != "bond" or not hook.attaches or hook.goal is not XdpMode.NATIVE:
        return []
    holding = [member.name for member in bond.members if member.program]
    if not holding:
        return []
    return [
        Refusal(
            nic.name,
            "xdp",
            f"pipeline {desired.pipeline} cannot be attached natively: the bond's members {', '.join(holding)} carry "
            "programs of their own (the kernel would answer EOPNOTSUPP).",
            "Attach the pipeline to the members alone, or detach their programs first.",
        )
    ]
