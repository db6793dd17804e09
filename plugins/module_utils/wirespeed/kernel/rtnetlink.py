# SPDX-License-Identifier: GPL-3.0-or-later
"""Links over rtnetlink: state, MTU, XDP hook, relations, statistics.

Numbers from include/uapi/linux/if_link.h.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..model.nic import XdpMode
from . import netlink
from .netlink import Attribute, Message, Nest, Reply
from .port import Port

_NEWLINK, _GETLINK, _GETADDR, _GETSTATS = 16, 18, 22, 94
_UP = 1  # IFF_UP
_STATS_LINK_64 = 1
_LINK_HEAD = (("family", "B"), ("pad", "B"), ("type", "H"), ("index", "i"), ("flags", "I"), ("change", "I"))

_XDP_MULTI = 4  # XDP_ATTACHED_MULTI
_XDP_SINGLE = {1: XdpMode.NATIVE, 2: XdpMode.GENERIC, 3: XdpMode.OFFLOAD}
_XDP_BY_MODE = {"driver": XdpMode.NATIVE, "offload": XdpMode.OFFLOAD, "generic": XdpMode.GENERIC}

_LINK = Message(
    _LINK_HEAD,
    (
        Attribute(1, "address", "cdata"),
        Attribute(3, "name", "asciiz"),
        Attribute(4, "mtu", "uint32"),
        Attribute(5, "link", "uint32"),
        Attribute(10, "master", "uint32"),
        Attribute(13, "txqueuelen", "uint32"),
        Attribute(
            18,
            "info",
            Nest(
                (
                    Attribute(1, "kind", "asciiz"),
                    Attribute(2, "data", "cdata"),
                    Attribute(4, "slave_kind", "asciiz"),
                    Attribute(5, "slave_data", "cdata"),
                )
            ),
        ),
        Attribute(33, "carrier", "uint8"),
        Attribute(35, "carrier_changes", "uint32"),
        Attribute(37, "link_netnsid", "int32"),
        Attribute(
            43,
            "xdp",
            Nest(
                (
                    Attribute(2, "attached", "uint8"),
                    Attribute(4, "prog_id", "uint32"),
                    Attribute(5, "driver", "uint32"),
                    Attribute(6, "generic", "uint32"),
                    Attribute(7, "offload", "uint32"),
                )
            ),
        ),
        Attribute(46, "target_netnsid", "int32"),
        Attribute(50, "min_mtu", "uint32"),
        Attribute(51, "max_mtu", "uint32"),
        Attribute(56, "parent_name", "asciiz"),
        Attribute(57, "parent_bus", "asciiz"),
    ),
)

_ADDRESS = Message(
    (("family", "B"), ("prefixlen", "B"), ("flags", "B"), ("scope", "B"), ("index", "I")),
    (Attribute(1, "address", "cdata"), Attribute(2, "local", "cdata")),
)

_STATS = Message(
    (("family", "B"), ("pad1", "B"), ("pad2", "H"), ("index", "I"), ("filter", "I")),
    (Attribute(_STATS_LINK_64, "link", "cdata"),),
)

_STAT_NAMES = (
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
    "rx_otherhost_dropped",
)


@dataclass(frozen=True)
class Link:
    """``peer_index`` is IFLA_LINK: the peer of a veth, the lower device of a VLAN; 0 where none.

    ``peer_netnsid`` is set when that one lives in another network namespace. ``kind`` is empty for
    hardware. ``parent_bus``/``parent_name`` name the device that carries it: ``pci``/``0000:01:00.0``
    (Linux 5.14). ``xdp`` lists mode and program id, the driver's first. ``kind_data`` are the attributes of the
    link's own kind, ``slave_data`` those that its master's kind has for it (``slave_kind``), not decoded.
    """

    name: str
    ifindex: int
    mac: str
    up: bool
    carrier: bool
    carrier_changes: int
    mtu: int
    min_mtu: int
    max_mtu: int
    txqueuelen: int
    master: int
    peer_index: int
    peer_netnsid: Optional[int]
    kind: str
    parent_bus: str
    parent_name: str
    xdp: Tuple[Tuple[XdpMode, int], ...]
    kind_data: bytes = b""
    slave_kind: str = ""
    slave_data: bytes = b""

    @property
    def port(self) -> Port:
        return Port(self.name, self.ifindex)


def links() -> List[Link]:
    """Every link of this network namespace."""
    replies = netlink.request(netlink.ROUTE, _GETLINK, _LINK, {}, {}, "rtnetlink GETLINK", dump=True)
    return [_link(reply) for reply in replies]


def link(ifindex: int, netnsid: Optional[int] = None) -> Link:
    """One link, also of another namespace by the id that this one knows it by. Refused: ENODEV."""
    where = {} if netnsid is None else {"target_netnsid": netnsid}
    call = f"rtnetlink GETLINK {ifindex}" + ("" if netnsid is None else f" in namespace {netnsid}")
    (reply,) = netlink.request(netlink.ROUTE, _GETLINK, _LINK, {"index": ifindex}, where, call)
    return _link(reply)


def link_named(name: str) -> Link:
    (reply,) = netlink.request(netlink.ROUTE, _GETLINK, _LINK, {}, {"name": name}, f"rtnetlink GETLINK {name}")
    return _link(reply)


def addresses() -> Dict[bytes, int]:
    """The ifindex of each IP address of this network namespace; the address in network order, 4 or 16 bytes."""
    replies = netlink.request(netlink.ROUTE, _GETADDR, _ADDRESS, {}, {}, "rtnetlink GETADDR", dump=True)
    found = [(reply.values.get("local") or reply.values.get("address"), reply.head["index"]) for reply in replies]
    return {bytes(address): ifindex for address, ifindex in found if address}


def addresses_by_link() -> Dict[int, List[str]]:
    """``192.0.2.1/24`` and the like by ifindex; not the link-local ones of IPv6, which the kernel makes by itself."""
    replies = netlink.request(netlink.ROUTE, _GETADDR, _ADDRESS, {}, {}, "rtnetlink GETADDR", dump=True)
    found: Dict[int, List[str]] = {}
    for reply in replies:
        raw = reply.values.get("local") or reply.values.get("address")
        if raw:
            address = ipaddress.ip_interface((bytes(raw), reply.head["prefixlen"]))
            if address.version == 4 or not address.is_link_local:
                found.setdefault(reply.head["index"], []).append(str(address))
    return found


def set_mtu(port: Port, mtu: int) -> None:
    call = f"rtnetlink SETLINK {port.name} mtu {mtu}"
    netlink.request(netlink.ROUTE, _NEWLINK, _LINK, {"index": port.ifindex}, {"mtu": mtu}, call)


def set_txqueuelen(port: Port, packets: int) -> None:
    call = f"rtnetlink SETLINK {port.name} txqueuelen {packets}"
    netlink.request(netlink.ROUTE, _NEWLINK, _LINK, {"index": port.ifindex}, {"txqueuelen": packets}, call)


def set_up(port: Port) -> None:
    head = {"index": port.ifindex, "flags": _UP, "change": _UP}
    netlink.request(netlink.ROUTE, _NEWLINK, _LINK, head, {}, f"rtnetlink SETLINK {port.name} up")


def link_stats(ifindex: int) -> Dict[str, int]:
    """Counters by their name in struct rtnl_link_stats64; older kernels lack the last ones."""
    head = {"index": ifindex, "filter": 1 << (_STATS_LINK_64 - 1)}
    (reply,) = netlink.request(netlink.ROUTE, _GETSTATS, _STATS, head, {}, f"rtnetlink GETSTATS {ifindex}")
    raw: bytes = reply.values["link"]
    return dict(zip(_STAT_NAMES, struct.unpack(f"={len(raw) // 8}Q", raw)))


def _link(reply: Reply) -> Link:
    values = reply.values
    info = values.get("info", {})
    return Link(
        name=values["name"],
        ifindex=reply.head["index"],
        mac=":".join(f"{byte:02x}" for byte in values.get("address", b"")),
        up=bool(reply.head["flags"] & _UP),
        carrier=bool(values.get("carrier")),
        carrier_changes=values.get("carrier_changes", 0),
        mtu=values["mtu"],
        min_mtu=values.get("min_mtu", 0),
        max_mtu=values.get("max_mtu", 0),
        txqueuelen=values.get("txqueuelen", 0),
        master=values.get("master", 0),
        peer_index=values.get("link", 0),
        peer_netnsid=values.get("link_netnsid"),
        kind=info.get("kind", ""),
        parent_bus=values.get("parent_bus", ""),
        parent_name=values.get("parent_name", ""),
        xdp=_xdp(values.get("xdp", {})),
        kind_data=info.get("data", b""),
        slave_kind=info.get("slave_kind", ""),
        slave_data=info.get("slave_data", b""),
    )


def _xdp(values: Mapping[str, Any]) -> Tuple[Tuple[XdpMode, int], ...]:
    attached = values.get("attached", 0)
    if attached == _XDP_MULTI:
        return tuple((mode, values[key]) for key, mode in _XDP_BY_MODE.items() if values.get(key))
    if attached in _XDP_SINGLE:
        return ((_XDP_SINGLE[attached], values.get("prog_id", 0)),)
    return ()
