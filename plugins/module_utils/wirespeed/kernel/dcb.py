# SPDX-License-Identifier: GPL-3.0-or-later
"""Data Center Bridging over rtnetlink: whether a NIC's driver has it on now.

Numbers from include/uapi/linux/dcbnl.h.
"""

from __future__ import annotations

from . import netlink
from .netlink import Attribute, Message
from .port import Port

_GETDCB = 78
_GSTATE = 1  # DCB_CMD_GSTATE

_DCB = Message(
    (("family", "B"), ("cmd", "B"), ("pad", "H")),
    (Attribute(1, "ifname", "asciiz"), Attribute(2, "state", "uint8")),
)


def enabled(port: Port) -> bool:
    """The driver's own answer (``dcbnl_ops.getstate``); for ixgbe the very flag by which it refuses XDP.

    Raises :class:`~..errors.NotSupported` for a driver without it and a kernel without CONFIG_DCB
    (net/dcb/dcbnl.c dcb_doit, dcbnl_getstate, Linux 6.1 to 7.2).
    """
    call = f"rtnetlink GETDCB {port.name} state"
    replies = netlink.request(netlink.ROUTE, _GETDCB, _DCB, {"cmd": _GSTATE}, {"ifname": port.name}, call)
    return any(reply.values.get("state") for reply in replies)
