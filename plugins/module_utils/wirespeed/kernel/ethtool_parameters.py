# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of numbers and switches over ethtool netlink: interrupt coalescing, pause frames, EEE.

Numbers from include/uapi/linux/ethtool_netlink.h; they are the same in Linux 5.7 to 7.2, newer
kernels add at the end. Keys are the words of the ``ethtool`` command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, Union

from ..errors import NotSupported
from .ethtool_netlink import call, message
from .netlink import Attribute, Message
from .port import Port

NUMBER, SWITCH = "uint32", "uint8"


@dataclass(frozen=True)
class Parameters:
    """One pair of messages. ``layout`` lists the attributes; a switch is a byte that is 0 or 1."""

    name: str
    get: int
    set: int
    layout: Message


def _parameters(name: str, get: int, set_: int, **kinds: Mapping[str, int]) -> Parameters:
    attributes = [Attribute(number, key, kind) for kind, keys in kinds.items() for key, number in keys.items()]
    return Parameters(name, get, set_, message(*attributes))


COALESCE = _parameters(
    "COALESCE",
    19,
    20,
    uint32={
        "rx-usecs": 2,
        "rx-frames": 3,
        "rx-usecs-irq": 4,
        "rx-frames-irq": 5,
        "tx-usecs": 6,
        "tx-frames": 7,
        "tx-usecs-irq": 8,
        "tx-frames-irq": 9,
        "stats-block-usecs": 10,
        "pkt-rate-low": 13,
        "rx-usecs-low": 14,
        "rx-frames-low": 15,
        "tx-usecs-low": 16,
        "tx-frames-low": 17,
        "pkt-rate-high": 18,
        "rx-usecs-high": 19,
        "rx-frames-high": 20,
        "tx-usecs-high": 21,
        "tx-frames-high": 22,
        "sample-interval": 23,
        "tx-aggr-max-bytes": 26,
        "tx-aggr-max-frames": 27,
        "tx-aggr-time-usecs": 28,
    },
    uint8={"adaptive-rx": 11, "adaptive-tx": 12, "cqe-mode-tx": 24, "cqe-mode-rx": 25},
)
PAUSE = _parameters("PAUSE", 21, 22, uint8={"autoneg": 2, "rx": 3, "tx": 4})
EEE = _parameters("EEE", 23, 24, uint8={"enabled": 5, "tx-lpi": 6}, uint32={"tx-timer": 7})


def read(parameters: Parameters, port: Port) -> Dict[str, Union[int, bool]]:
    """The values that the kernel tells; it leaves out most of those that the driver has not.

    Raises :class:`~..errors.NotSupported` where the driver has none.
    """
    values = call(f"{parameters.name}_GET", parameters.get, parameters.layout, port)
    found = {
        attribute.key: bool(values[attribute.key]) if attribute.kind == SWITCH else int(values[attribute.key])
        for attribute in parameters.layout.attributes
        if attribute.key in values and attribute.key != "header"
    }
    if not found:
        raise NotSupported(f"ethtool {parameters.name}_GET {port.name} (no values)")
    return found


def write(parameters: Parameters, port: Port, values: Mapping[str, object]) -> None:
    """What is not given stays."""
    body = {key: int(str(value)) if not isinstance(value, bool) else int(value) for key, value in values.items()}
    call(f"{parameters.name}_SET", parameters.set, parameters.layout, port, body)
