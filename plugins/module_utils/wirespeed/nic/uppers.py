# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices on top of NICs: bonds, teams and bridges with their members, VLANs and the like with what is below."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

from ..kernel import bonding, rtnetlink, session
from ..kernel.rtnetlink import Link
from ..model.node import Member, Upper

STACKED = frozenset({"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec"})
"""Link kinds whose IFLA_LINK is the device below; a veth's is its peer, a tunnel's its underlay."""


def uppers(links: Sequence[Link]) -> Dict[str, Upper]:
    """By name, those that lie on top of a link of this network namespace."""
    found = {link.name: tuple(_member(other) for other in links if lies_on(link, other)) for link in links}
    return {link.name: _upper(link, found[link.name]) for link in links if found[link.name]}


def session_path(links: Sequence[Link]) -> Tuple[str, ...]:
    """The link that has the address of this run's SSH connection, and all below it; none where that is unknown."""
    address = session.server_address()
    ifindex = rtnetlink.addresses().get(address) if address else None
    reached = [link for link in links if link.ifindex == ifindex]
    for link in reached:  # grows while it is walked: a VLAN on a bond leads to the bond's members
        reached += [other for other in links if lies_on(link, other) and other not in reached]
    return tuple(link.name for link in reached)


def lies_on(upper: Link, lower: Link) -> bool:
    """Whether ``upper`` is the master of ``lower``, or a VLAN or the like made on it."""
    if lower.master == upper.ifindex:
        return True
    return upper.kind in STACKED and upper.peer_index == lower.ifindex and upper.peer_netnsid is None


def serves(link: Link) -> bool:
    """Whether its master can send through it: see :class:`~..model.node.Member`."""
    agreed = link.slave_kind != bonding.KIND or bonding.in_use(link.slave_data)
    return link.up and link.carrier and agreed


def _member(link: Link) -> Member:
    return Member(link.name, serves(link), bool(link.xdp))


def _upper(link: Link, members: Tuple[Member, ...]) -> Upper:
    facts = bonding.bond(link.kind_data) if link.kind == bonding.KIND else bonding.BondFacts(0, 0.0)
    return Upper(link.name, link.kind, link.up, link.mtu, members, facts.min_links, facts.updelay, bool(link.xdp))
