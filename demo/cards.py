# SPDX-License-Identifier: GPL-3.0-or-later
"""One node as the demo shows it: hardware, profile, what changed, XDP, verdicts, counters."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from .fleet import Member
from .play import Result
from .table import card
from .verdicts import PIPELINE

SHOWN = ("wire_packets", "nic_drop", "host_drop", "error", "driver_packets", "xdp_drop", "xdp_pass", "delivered")


def lines(member: Member, result: Result) -> List[str]:
    nic = result.nic
    numbered = [f"{number}. {text.removeprefix(nic['name'] + ': ')}" for number, text in enumerate(result.steps, 1)]
    return card(
        [
            (member.name, [f"kernel {nic['kernel']}"]),
            ("  NIC", [f"{nic['name']}, driver {nic['driver']}, firmware {nic['firmware'] or 'none told'}"]),
            ("  profile", [" + ".join(nic["profile"])]),
            ("  changed", numbered),
            ("  XDP", [_xdp(nic)]),
            ("  verdicts", [_verdicts(result.counters)]),
            ("  counters", _counters(nic["name"], result.counters)),
        ]
    )


def _xdp(nic: Mapping[str, Any]) -> str:
    xdp = nic["xdp"]
    return f"{xdp['mode']}, program {xdp['prog_name']} id {xdp['prog_id']}, pipeline {nic['pipeline']}"


def _verdicts(counters: Mapping[str, Any]) -> str:
    counts: Dict[str, Any] = counters["pipelines"][PIPELINE]["verdicts"]["by_name"]
    return ", ".join(f"{name} {count['packets']}" for name, count in counts.items() if count["packets"])


def _counters(name: str, counters: Mapping[str, Any]) -> List[str]:
    """A counter that this driver does not have is absent, which is not zero: it is shown as a dash."""
    found = next(nic for nic in counters["nics"] if nic["name"] == name)["counters"]
    values = [(counter, found[counter]["value"]) for counter in SHOWN if counter in found]
    return [", ".join(f"{counter} {'-' if value is None else value}" for counter, value in values)]
