# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts for drift reports, as the module ``node`` tells them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from wirespeed.drift.document import Host, State, compared, not_compared
from wirespeed.drift.fleet import Report, of_hosts

MADE_AT = "2026-11-27T04:00:12Z"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202e</style></td>"


def deviation(path: str = "eth0.rings.rx", kind: str = "rings", **words: Any) -> Dict[str, Any]:
    return {
        "kind": kind,
        "path": path,
        "target": path.partition(".")[0],
        "want": 4096,
        "have": 256,
        "why": "bursts are longer than the default ring",
        "origin": "igb.yml:31",
        "disruption": "reset",
        **words,
    }


def refused(path: str = "eth0.xdp", unsupported: bool = False) -> Dict[str, Any]:
    told = deviation(path, "program", want="Detach it.", why="It is held by another.", origin="", disruption=None)
    return {**told, **({"unsupported": True} if unsupported else {})}


def result(*deviations: Dict[str, Any], driver: str = "igb", kernel: str = "6.12.57", **words: Any) -> Dict[str, Any]:
    nic = {
        "name": "eth0",
        "driver": driver,
        "firmware": "3.25",
        "profile": ["generic", driver],
        "profile_digest": "9f2c01d4ab77e0aa",
        "pipeline": "scrubber",
        "xdp": {"mode": "native", "prog_id": 7, "prog_name": "wirespeed_root", "link_id": 3, "pipeline": "scrubber"},
    }
    pipeline = {
        "name": "scrubber",
        "object_hash": "5c1d77aa02bb91fe",
        "generation": "5c1d77aa02bb",
        "running_object_hash": "5c1d77aa02bb91fe",
        "running_generation": "5c1d77aa02bb",
        "config_version": 14,
    }
    told = {"hostname": "n1", "kernel": kernel, "nics": [nic], "pipelines": [pipeline]}
    return {**told, "deviations": list(deviations), **words}


def host(name: str, *deviations: Dict[str, Any], **words: Any) -> Host:
    found = compared(name, result(*deviations, **words))
    assert found is not None
    return found


def fleet(*hosts: Host) -> Report:
    return of_hosts(MADE_AT, "0.1.0", hosts)


def unreachable(name: str, reason: str = "no route to host") -> Host:
    return not_compared(name, State.UNREACHABLE, reason)


def mixed(clean: int = 3, hostile: Optional[str] = None) -> Report:
    """Every state and many kinds; with ``hostile`` that text wherever a host or a file can put one."""
    hosts: List[Host] = [
        host("edge1.example.net", deviation(), deviation("eth0.mtu.mtu", "mtu", want=1500, have=9000)),
        host(
            "edge2.example.net",
            deviation("eth0.channels.combined", "channels", disruption="bounce"),
            refused(),
            driver="mlx5_core",
            kernel="6.1.0",
        ),
        host("lacks.example.net", refused("eth1.xdp", unsupported=True), driver="e1000e"),
        unreachable("gone.example.net"),
        not_compared("broken.example.net", State.FAILED, "intent: nics[0].name: 'eth9' is not on this node."),
        *(host(f"clean{number}.example.net", driver="ice") for number in range(clean)),
    ]
    if hostile is not None:
        bad = deviation(hostile, hostile, want=hostile, have=[hostile], why=hostile, origin=hostile, also=[hostile])
        worse = host(hostile, bad, refused(hostile), driver=hostile, kernel=hostile)
        worse["hostname"] = hostile
        hosts += [worse, unreachable(f"gone {hostile}", hostile), host(f"clean {hostile}")]
    return fleet(*hosts)
