# SPDX-License-Identifier: GPL-3.0-or-later
"""Small nodes, NICs and profiles for the planner's tests, written by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Mapping, Optional

from wirespeed.model.desired import Desired, DesiredNic, DesiredPipeline, OperationRule, ResolvedProfile, Want
from wirespeed.model.nic import Nic, XdpAttachment, XdpMode
from wirespeed.model.node import InstanceFacts, Kernel, Node
from wirespeed.model.settings import Setting, SettingFacts, Values
from wirespeed.model.step import Disruption, Plan
from wirespeed.plan.planner import plan

OURS = XdpAttachment(XdpMode.NATIVE, prog_id=7, prog_name="root", link_id=3, pipeline="scrubber")
ORDER = ("features", "mtu", "channels", "rings", "rss", "attach")
RULES = {
    "channels": OperationRule(Disruption.BOUNCE, Disruption.BOUNCE),
    "rings": OperationRule(Disruption.RESET, Disruption.RESET),
    "features": OperationRule(Disruption.NONE, Disruption.NONE),
    "mtu": OperationRule(Disruption.NONE, Disruption.NONE),
    "rss": OperationRule(Disruption.NONE, Disruption.NONE),
    "attach": OperationRule(Disruption.BOUNCE, None),
}


def settle_as_asked(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Any]:
    return dict(want)


SETTLE = dict.fromkeys(Setting, settle_as_asked)


def nic(xdp: Optional[XdpAttachment] = None, **changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: SettingFacts({"rx-lro": False}),
        Setting.MTU: SettingFacts({"mtu": 1500}),
        Setting.CHANNELS: SettingFacts({"combined": 2}, maxima={"combined": 4}),
        Setting.RINGS: SettingFacts({"rx": 256, "tx": 256}, maxima={"rx": 4096, "tx": 4096}),
        Setting.RSS: SettingFacts({"indirection": (0, 1, 0, 1)}),
    }
    base = Nic(
        name="eth1",
        ifindex=2,
        mac="52:54:00:00:00:02",
        driver="testnic",
        kind="pci",
        carrier=True,
        settings=settings,
        xdp=xdp,
    )
    return replace(base, **changes)


def node(*nics: Nic, instances: Any = (InstanceFacts("scrubber", "g1", "d1", 9, True),)) -> Node:
    return Node(
        hostname="host",
        kernel=Kernel("6.12.1", (6, 12)),
        boot_id="boot",
        cpus=2,
        cpus_online=2,
        cpus_by_numa={0: 2},
        ram_mib=1024,
        libbpf="1.1",
        nics={each.name: each for each in nics},
        instances=instances,
    )


def profile(tuning: Mapping[Setting, Mapping[str, Any]], **changes: Any) -> ResolvedProfile:
    wants = {
        setting: {key: Want(value, "testnic.yml:1", "a reason") for key, value in values.items()}
        for setting, values in tuning.items()
    }
    base = ResolvedProfile(
        names=("generic", "testnic"), digest="0", tuning=wants, operations=RULES, order=ORDER, native=True
    )
    return replace(base, **changes)


def desired_nic(resolved: ResolvedProfile, **changes: Any) -> DesiredNic:
    return replace(DesiredNic("eth1", resolved, "scrubber", None, Disruption.GAP), **changes)


def desired(resolved: ResolvedProfile, **changes: Any) -> Desired:
    pipelines = (DesiredPipeline("scrubber", "g1", "d1", {}, "scrubber 1"),)
    return Desired((desired_nic(resolved, **changes),), pipelines)


def planned(at: Nic, resolved: ResolvedProfile, instances: Any = None, **changes: Any) -> Plan:
    there = node(at) if instances is None else node(at, instances=instances)
    return plan(there, desired(resolved, **changes), SETTLE)
