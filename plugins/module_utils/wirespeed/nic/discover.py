# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about the NICs of this network namespace, as the kernel and udev tell it. Changes nothing."""

from __future__ import annotations

import errno
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..errors import KernelRefusal, NotSupported
from ..kernel import (
    bpf_objects,
    dcb,
    device_tree,
    ethtool_binding,
    ethtool_ioctl,
    ethtool_netlink,
    netdev_netlink,
    rtnetlink,
)
from ..kernel.bpf_objects import XdpLink
from ..kernel.device_tree import NOWHERE
from ..kernel.port import Port
from ..kernel.rtnetlink import Link
from ..model.nic import Nic, XdpAttachment
from ..model.settings import Setting, SettingFacts
from .table import ROOMS
from .uppers import lies_on

_T = TypeVar("_T")

_RENAMES = 3
_VIRTUAL_BUSES = frozenset({"", "netdevsim"})


def discover(names: Sequence[str] = ()) -> Dict[str, Nic]:
    """Every NIC that has hardware (or a virtio device) behind it, and those of ``names`` that exist.

    The fields ``xdp.pipeline``, ``dead_link`` and ``witness`` are left to those who know pipelines.
    Raises :class:`KernelRefusal` where programs may not be looked at (no root).
    """
    links = rtnetlink.links()
    chosen = [link for link in links if link.name in names or link.parent_bus not in _VIRTUAL_BUSES]
    xdp_links = bpf_objects.xdp_links() if any(link.xdp for link in chosen) else []
    addresses = rtnetlink.addresses_by_link()
    found = [_steady(link, lambda now: _nic(now, links, xdp_links, addresses)) for link in chosen]
    return {nic.name: nic for nic in found if nic is not None}


def _steady(link: Link, look: Callable[[Link], Nic]) -> Optional[Nic]:
    """The NIC, also where udev renames it meanwhile; None for one that has gone.

    VFs that have just been made are renamed one after the other while they are looked at. Raises
    :class:`KernelRefusal` for one that is there and does not answer.
    """
    for _attempt in range(_RENAMES):
        try:
            return look(link)
        except KernelRefusal as error:
            now = _if_there(link.ifindex) if error.code == errno.ENODEV else link
            if now is None:
                return None
            if now.name == link.name:
                raise
            link = now
    return look(link)


def _if_there(ifindex: int) -> Optional[Link]:
    try:
        return rtnetlink.link(ifindex)
    except KernelRefusal as error:
        if error.code != errno.ENODEV:
            raise
        return None


def _nic(
    link: Link, links: Sequence[Link], xdp_links: Sequence[XdpLink], addresses: Mapping[int, Sequence[str]]
) -> Nic:
    virtual = link.parent_bus in _VIRTUAL_BUSES
    info = _if_supported(lambda: ethtool_ioctl.driver_info(link.name))
    driver, bus = _if_supported(lambda: ethtool_binding.identity(link.name)) or (link.kind, "")
    place = NOWHERE if virtual else device_tree.place(link.parent_bus, link.parent_name)
    peer = _peer(link, links)
    settings, unsupported = _settings(link)
    return Nic(
        name=link.name,
        ifindex=link.ifindex,
        mac=link.mac,
        driver=driver,
        kind="virtual" if virtual else link.parent_bus,
        bus_address="" if virtual else place.address or bus or link.parent_name,
        firmware=info.firmware if info else "",
        driver_version=info.version if info else "",
        pci=place.pci,
        numa_node=place.numa_node,
        up=link.up,
        carrier=link.carrier,
        carrier_changes=link.carrier_changes,
        speed_mbps=_if_supported(lambda: ethtool_netlink.speed(link.port)) or 0,
        upper=_upper(link, links),
        device=f"{link.parent_bus}/{link.parent_name}" if link.parent_bus else "",
        beside=_beside(link, links),
        addresses=tuple(addresses.get(link.ifindex, ())),
        peer_mtu=peer.mtu if peer else None,
        peer_tx_queues=_tx_queues(peer.port) if peer and link.peer_netnsid is None else None,
        dcb=None if virtual else _if_supported(lambda: dcb.enabled(link.port)),
        settings=settings,
        unsupported=unsupported,
        private_flags=_private_flags(settings),
        xdp=_attachment(link, xdp_links),
        xdp_features=_if_supported(lambda: netdev_netlink.xdp_features(link.ifindex)),
    )


def _settings(link: Link) -> Tuple[Mapping[Setting, SettingFacts], Mapping[Setting, str]]:
    """What can be read, and why the rest cannot. Raises :class:`KernelRefusal` for an interface that has gone."""
    settings: Dict[Setting, SettingFacts] = {}
    unsupported: Dict[Setting, str] = {}
    for setting, room in ROOMS.items():
        try:
            settings[setting] = room.read(link.port)
        except KernelRefusal as error:
            if error.code == errno.ENODEV:
                raise
            unsupported[setting] = _lacking(link, error)
    return settings, unsupported


def _private_flags(settings: Mapping[Setting, SettingFacts]) -> Mapping[str, bool]:
    """By the name under which expressions always find them, also where the driver has none."""
    facts = settings.get(Setting.PRIVATE_FLAGS)
    return {name: bool(value) for name, value in facts.values.items()} if facts else {}


def _lacking(link: Link, error: KernelRefusal) -> str:
    """Why a setting cannot be read: a driver that fails at one setting (EIO from its PHY) keeps all others.

    vmxnet3 sizes its RSS table when the interface goes up (Linux 6.1 to 7.2): before, it seems to have none.
    """
    if not isinstance(error, NotSupported):
        return error.problem.rstrip(".")
    reason = error.call  # what we found lacking ourselves says so in brackets
    if not reason.endswith(")"):
        reason += f": {error.reason or 'the driver has no such operation'} (EOPNOTSUPP)"
    return reason if link.up else f"{reason}; the interface is down, and some drivers tell only while it is up"


def _upper(link: Link, links: Sequence[Link]) -> Tuple[str, ...]:
    """Bond, bridge or team that owns the port, and VLANs and the like on top of it."""
    return tuple(other.name for other in links if lies_on(other, link))


def _beside(link: Link, links: Sequence[Link]) -> Tuple[str, ...]:
    """mlx4 has two ports in one PCI function, nfp up to eight; a switchdev driver has an interface for each VF."""
    own = (link.parent_bus, link.parent_name)
    return tuple(
        other.name
        for other in links
        if link.parent_bus and (other.parent_bus, other.parent_name) == own and other.ifindex != link.ifindex
    )


def _peer(link: Link, links: Sequence[Link]) -> Optional[Link]:
    """A veth's other end, also in another namespace: native XDP depends on its MTU and queues."""
    if link.kind != "veth" or not link.peer_index:
        return None
    if link.peer_netnsid is None:
        return next((other for other in links if other.ifindex == link.peer_index), None)
    try:
        return rtnetlink.link(link.peer_index, link.peer_netnsid)
    except KernelRefusal:
        return None  # gone, or in a namespace that we may not look into


def _tx_queues(port: Port) -> Optional[int]:
    """ethtool reaches this namespace only; netlink tells just the number allocated, not the number in use."""
    sizes = _if_supported(lambda: ethtool_netlink.channels(port))
    return sizes.current.get("tx") if sizes else None


def _attachment(link: Link, xdp_links: Sequence[XdpLink]) -> Optional[XdpAttachment]:
    if not link.xdp:
        return None
    mode, prog_id = link.xdp[0]
    holding: List[int] = [
        found.link_id for found in xdp_links if (found.ifindex, found.prog_id) == (link.ifindex, prog_id)
    ]
    return XdpAttachment(mode, prog_id, bpf_objects.program_name(prog_id), holding[0] if holding else None)


def _if_supported(ask: Callable[[], _T]) -> Optional[_T]:
    try:
        return ask()
    except NotSupported:
        return None
