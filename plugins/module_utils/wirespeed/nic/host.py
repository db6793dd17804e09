# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the whole machine and still decides how a NIC's packets travel.

``busy-poll``   microseconds that poll() and select() spin over a NIC's queue before they sleep
``busy-read``   the same for a blocking read; the default of new sockets (SO_BUSY_POLL)
``rps-sock-flow-entries``  flows for which the kernel remembers the CPU of their reader (RFS), a power
                of two; 0 turns RFS off

A plan has such a step once, whichever of its NICs ask for it (``plan/host.py``).
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported
from ..kernel import sysctl
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted, power_of_two

FLOWS = "rps-sock-flow-entries"
_FILES = {"busy-poll": "busy_poll", "busy-read": "busy_read", FLOWS: "rps_sock_flow_entries"}
_MAXIMA = {"busy-poll": 2**31 - 1, "busy-read": 2**31 - 1, FLOWS: 1 << 29}
"""proc_dointvec; rps_sock_flow_sysctl (net/core/sysctl_net_core.c, Linux 6.1 to 7.2)."""


def read(_port: Port) -> SettingFacts:
    """Raises :class:`NotSupported` in a network namespace of its own, which has none of them."""
    values: Dict[str, Value] = {}
    for key, file in _FILES.items():
        try:
            values[key] = sysctl.net_core(file)
        except NotSupported:
            continue
    if not values:
        raise NotSupported("sysctl net.core (the machine's first network namespace alone has its values)")
    return SettingFacts(values, {key: most for key, most in _MAXIMA.items() if key in values})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """The kernel rounds the table of flows up (roundup_pow_of_two)."""
    settled = {key: counted(facts, key, value, 0) for key, value in want.items()}
    return {key: power_of_two(value) if key == FLOWS else value for key, value in settled.items()}


def write(_port: Port, values: Values) -> None:
    for key, value in values.items():
        sysctl.set_net_core(_FILES[key], int(str(value)))
