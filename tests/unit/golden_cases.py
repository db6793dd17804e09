# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden plans: what a NIC is, what is asked of it, and the plan that its driver's source calls for.

``golden/<driver>/nic.yml`` is the NIC as its driver brings it up on a server; each other file beside it
is a case, which states only what differs from that::

    about: why this case is here
    kernel: "6.12"                  # 6.1, 6.12 or 7.2
    cpus: 8                         # possible and online; numa: CPUs on the NIC's memory node
    nic: {mtu: 9000, xdp: native}   # laid over nic.yml, mappings key by key
    intent: {workload: drop}        # as a user writes it; the pipeline is there unless pipeline: null
    plan:
      - {set: channels, combined: 16 -> 8, costs: bounce}
      - {attach: native, costs: bounce}
    refused: {"xdp (mtu)": "3502"}  # resource: a part of the reason or remedy
    told: [a part of a warning]

``others`` are further NICs of the node, by name: ``{driver: igb, nic: {...}, intent: {...}}``, as above; without an
intent nobody names them. ``uppers`` lie on top of NICs: ``{kind: bond, mtu: 1500, members: {eth1: true}}``, each member
with whether it has a carrier for it. A step on another NIC says so: ``at: eth2``.

``frags: true`` is a pipeline whose root takes frames of several buffers; ``governors`` and ``idle`` are the host's.

A step names its setting, its keys as ``before -> after``, its cost, and ``because`` where it has one.
An RSS table is written ``equal 4`` (0 1 2 3 0 1 ...), ``runs 4`` (0 0 ... 1 1 ...) or ``all 0``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import yaml

from wirespeed.errors import Place
from wirespeed.model.desired import Desired, DesiredNic, DesiredPipeline, ResolvedProfile
from wirespeed.model.intent import Intent, NicIntent, parse
from wirespeed.model.nic import Nic, PciIdentity, XdpAttachment, XdpMode
from wirespeed.model.node import CpuIdle, InstanceFacts, Kernel, Member, Node, Upper
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Action, Plan, Step
from wirespeed.nic.table import SETTLE
from wirespeed.plan.planner import plan
from wirespeed.profiles.resolve import resolve
from wirespeed.redirect import select_with_targets

from .profile_cases import built_in

GOLDEN = Path(__file__).parent / "golden"
FEATURES = ("rx-lro", "rx-gro-hw", "rx-gro", "rx-checksum", "rx-vlan-hw-parse", "rx-vlan-stag-hw-parse", "rx-fcs",
            "rx-all", "rx-ntuple-filter", "tx-vlan-hw-insert", "hw-tc-offload", "loopback")  # fmt: skip
ON_BY_DEFAULT = ("rx-gro", "rx-checksum")
PIPELINES = tuple(DesiredPipeline(name, "g1", "d1", {}, f"{name} 1") for name in ("scrubber", "pass"))
HOLDERS = {
    "native": XdpAttachment(XdpMode.NATIVE, 7, "root", link_id=3, pipeline="scrubber"),
    "generic": XdpAttachment(XdpMode.GENERIC, 7, "root", link_id=3, pipeline="scrubber"),
    "foreign": XdpAttachment(XdpMode.NATIVE, 9, "other"),
}


def names() -> List[str]:
    """``driver/case`` of every case."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in GOLDEN.glob("*/*.yml") if path.stem != "nic")


@cache
def _read(path: Path) -> Dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


class Case:
    """One golden plan, and what the program makes of the same facts."""

    def __init__(self, name: str) -> None:
        driver, _, case = name.partition("/")
        self.written = _read(GOLDEN / driver / f"{case}.yml")
        self.facts = _laid(_read(GOLDEN / driver / "nic.yml"), self.written.get("nic", {}))
        self.kernel: str = self.written.get("kernel", "6.12")
        if self.kernel == "6.1":  # has no netdev family (Linux 6.3) that could tell
            self.facts["xdp_features"] = None
        self.nic = _nic(self.facts)

    @property
    def intent(self) -> NicIntent:
        return _parsed({"eth1": self.written.get("intent", {})}).nics[0]

    def node(self, nic: Nic) -> Node:
        cpus = self.written.get("cpus", self.facts["cpus"])
        here = self.written.get("numa", cpus)
        return Node(
            hostname="host",
            kernel=Kernel(f"{self.kernel}.0-30-amd64", (int(self.kernel[0]), int(self.kernel[2:]))),
            boot_id="boot",
            cpus=cpus,
            cpus_online=cpus,
            cpus_by_numa={0: here, 1: cpus - here},
            ram_mib=16384,
            libbpf="1.1",
            nics={each.name: each for each in (nic, *self.others)},
            instances=tuple(InstanceFacts(each.name, each.generation, each.digest, 9, True) for each in PIPELINES),
            uppers={name: _upper(name, each) for name, each in self.written.get("uppers", {}).items()},
            governors=self.written.get("governors", {}),
            idle=CpuIdle(**self.written["idle"]) if "idle" in self.written else None,
        )

    @property
    def others(self) -> List[Nic]:
        written = self.written.get("others", {})
        facts = {
            name: _laid(_read(GOLDEN / each["driver"] / "nic.yml"), each.get("nic", {}))
            for name, each in written.items()
        }
        return [_nic(each, name) for name, each in facts.items()]

    @property
    def frags(self) -> bool:
        return bool(self.written.get("frags"))

    def resolved(self, nic: Nic) -> ResolvedProfile:
        return resolve(built_in(), nic, self.node(nic), self.intent, self.frags)

    def planned(self, nic: Optional[Nic] = None) -> Plan:
        """With ``nic`` given, that of this NIC alone."""
        node = self.node(nic or self.nic)
        entries = [(node.nics[self.nic.name], replace(self.intent, redirect_to=()))]
        if nic is None:
            others = {name: each["intent"] for name, each in self.written.get("others", {}).items() if "intent" in each}
            intent = _parsed({"eth1": self.written.get("intent", {}), **others})
            entries = select_with_targets(intent, node, built_in(), Place("intent"))
        desired = [
            DesiredNic(
                at.name,
                resolve(built_in(), at, node, asked, self.frags),
                asked.pipeline,
                asked.mode,
                asked.max_disruption,
                redirect_to=asked.redirect_to,
                frags=self.frags,
            )
            for at, asked in entries
        ]
        return plan(node, Desired(tuple(desired), PIPELINES), SETTLE)

    def after(self, steps: Tuple[Step, ...]) -> Nic:
        """The NIC when the steps have been taken, as its driver then reads."""
        nic = self.nic
        settings = dict(nic.settings)
        steps = tuple(step for step in steps if step.target == nic.name)
        for step in steps:
            if step.action is Action.SET:
                facts = settings[Setting(step.resource)]
                kept = {key: value for key, value in facts.requested.items() if key not in step.after}
                values = {**facts.values, **{key: _frozen(value) for key, value in step.after.items()}}
                moved = facts.floating - set(step.after)
                settings[Setting(step.resource)] = replace(facts, values=values, requested=kept, floating=moved)
            elif step.action in (Action.ATTACH, Action.DETACH):
                nic = replace(nic, xdp=HOLDERS[step.after["mode"]] if step.action is Action.ATTACH else None)
        if any(step.action is Action.ATTACH and step.after["mode"] == "native" for step in steps):
            for setting, reads in self.resolved(self.nic).reads_attached.items():
                settings[setting] = replace(settings[setting], values={**settings[setting].values, **reads})
        nic = replace(nic, settings=settings)
        return replace(nic, witness={Setting.RSS: nic.epoch})

    def expected(self) -> List[Dict[str, Any]]:
        return [self._step(dict(written)) for written in self.written.get("plan", ())]

    def _step(self, written: Dict[str, Any]) -> Dict[str, Any]:
        step = {"disruption": written.pop("costs"), "because": written.pop("because", None)}
        if "at" in written:
            step["at"] = written.pop("at")
        if "await" in written:
            resource, after = written.pop("await"), written
            return {"action": "await", "resource": resource, "before": {}, "after": after, **step}
        pipeline = written.pop("pipeline", "scrubber")
        if "set" in written:
            resource = written.pop("set")
            changes = {key: self._change(resource, text) for key, text in written.items()}
            before, after = ({key: pair[i] for key, pair in changes.items()} for i in (0, 1))
            return {"action": "set", "resource": resource, "before": before, "after": after, **step}
        action, mode = next(iter(written.items()))
        attachment = {"mode": mode, "pipeline": pipeline}
        before, after = ({}, attachment) if action == "attach" else (attachment, {})
        return {"action": action, "resource": "xdp", "before": before, "after": after, **step}

    def _change(self, resource: str, text: str) -> Tuple[Any, Any]:
        before, arrow, after = str(text).partition(" -> ")
        assert arrow, f"{text!r} is not written 'before -> after'"
        if resource == "rss":
            buckets = self.facts["buckets"]
            return list(table(before, buckets)), list(table(after, buckets))
        return yaml.safe_load(before), yaml.safe_load(after)


def table(text: str, buckets: int) -> Tuple[int, ...]:
    word, number = text.split()
    if word == "all":
        return (int(number),) * buckets
    return tuple(i % int(number) if word == "equal" else i * int(number) // buckets for i in range(buckets))


def told(step: Step) -> Dict[str, Any]:
    """A step in the words of a case: what is left out there says who asks, not what is done."""
    left_out = ("target", "why", "origin", "anew")
    at = {} if step.target == "eth1" else {"at": step.target}
    return {**{key: value for key, value in step.to_json().items() if key not in left_out}, **at}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _laid(base: Mapping[str, Any], over: Mapping[str, Any]) -> Dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _laid(result[key], value) if both else value
    return result


def _parsed(entries: Mapping[str, Mapping[str, Any]]) -> Intent:
    nics = [{"name": name, "pipeline": "scrubber", **asked} for name, asked in entries.items()]
    return parse({"nics": nics, "pipelines": [{"name": "scrubber"}]}, Place("intent"))


def _upper(name: str, written: Mapping[str, Any]) -> Upper:
    members = tuple(Member(each, serves) for each, serves in written["members"].items())
    return Upper(name, written["kind"], True, written.get("mtu", 1500), members, program=written.get("program", False))


def _nic(facts: Mapping[str, Any], name: str = "eth1") -> Nic:
    identity: Optional[PciIdentity] = None
    if facts.get("pci"):
        vendor, _, device = facts["pci"].partition(":")
        identity = PciIdentity(vendor, device, **facts.get("pcie", {}))
    nic = Nic(
        name=name,
        ifindex=2,
        mac="52:54:00:00:00:02",
        driver=facts["driver"],
        kind="pci" if identity else "virtual",
        pci=identity,
        numa_node=facts.get("numa_node", 0),
        up=True,
        carrier=True,
        speed_mbps=facts.get("speed_mbps", 0),
        dcb=facts.get("dcb"),
        upper=tuple(facts.get("upper", ())),
        device="pci/0000:01:00.0" if identity else "",
        beside=tuple(facts.get("beside", ())),
        addresses=tuple(facts.get("addresses", ())),
        settings=dict(_settings(facts)),
        private_flags=facts.get("private_flags", {}),
        peer_mtu=facts.get("peer_mtu"),
        peer_tx_queues=facts.get("peer_tx_queues"),
        xdp=HOLDERS.get(facts.get("xdp", "")),
        xdp_features=None if facts.get("xdp_features") is None else frozenset(facts["xdp_features"]),
    )
    return replace(nic, witness={Setting.RSS: nic.epoch} if facts.get("witnessed") else {})


def _settings(facts: Mapping[str, Any]) -> Iterator[Tuple[Setting, SettingFacts]]:
    most = facts.get("max", {})
    features = {**{name: name in ON_BY_DEFAULT for name in FEATURES}, **facts.get("features", {})}
    fixed = frozenset(FEATURES) - frozenset(facts.get("changeable", ())) - frozenset(ON_BY_DEFAULT)
    yield Setting.FEATURES, SettingFacts(features, fixed=fixed, requested=facts.get("requested", {}))
    yield Setting.MTU, SettingFacts({"mtu": facts["mtu"]}, {"mtu": most.get("mtu", 9000)})
    devlink = (Setting.DEVLINK_PERMANENT, Setting.DEVLINK_DRIVERINIT, Setting.DEVLINK_RUNTIME)
    if facts.get("firmware"):
        yield Setting.FIRMWARE, SettingFacts(**facts["firmware"])
    for setting in (Setting.SRIOV, Setting.CHANNELS, Setting.RINGS, Setting.PRIVATE_FLAGS, *devlink):
        if facts.get(setting.value):
            yield setting, SettingFacts(facts[setting.value], most.get(setting.value, {}))
    if facts.get("coalesce"):
        moved = {"rx-usecs", "rx-frames"} if facts["coalesce"].get("adaptive-rx") else set()
        yield Setting.COALESCE, SettingFacts(facts["coalesce"], floating=frozenset(moved & set(facts["coalesce"])))
    yield from _queue_cpus(facts)
    yield from _queue_lists(facts)
    if facts.get("rss_fields"):
        yield Setting.RSS_FIELDS, SettingFacts(facts["rss_fields"])
    if facts.get("rss"):
        channels = facts.get("channels") or {"rx": facts["queues"]}
        rings = sum(channels.get(key, 0) for key in ("rx", "combined"))
        indirection = table(facts["rss"], facts["buckets"])
        yield Setting.RSS, SettingFacts({"indirection": indirection}, {"indirection": rings - 1})


def _queue_cpus(facts: Mapping[str, Any]) -> Iterator[Tuple[Setting, SettingFacts]]:
    """The kernel's side of the queues: ``interrupts``, ``xps``, ``rps``, ``irqbalance``, ``rfs``."""
    if facts.get("interrupts"):
        cpus = tuple(range(facts["cpus"]))
        values = {"cpus": facts["interrupts"]}
        derived = {"near": cpus, "running": cpus, "far": facts.get("far", 0)}
        yield Setting.IRQ_AFFINITY, SettingFacts(values, {"cpus": 7}, derived=derived)
    running = {"near": tuple(range(facts["cpus"])), "running": tuple(range(facts["cpus"]))}
    for setting in (Setting.XPS, Setting.RPS):
        if facts.get(setting.value):
            yield setting, SettingFacts({"cpus": facts[setting.value]}, {"cpus": 7}, derived=running)
    if "irqbalance" in facts:
        yield Setting.IRQBALANCE, SettingFacts({"keeps-off": facts["irqbalance"]})
    if "rfs" in facts:
        yield Setting.RFS, SettingFacts({"flows-per-queue": facts["rfs"]})


def _queue_lists(facts: Mapping[str, Any]) -> Iterator[Tuple[Setting, SettingFacts]]:
    """What names queues: rules (``ntuple``), ``rss_contexts``, ``queue_coalesce``, each as it reads."""
    channels = facts.get("channels") or {}
    rings = sum(channels.get(key, 0) for key in ("rx", "combined"))
    if "ntuple" in facts:
        derived = {"locations": 1024, "driver-chooses": facts.get("driver_chooses", False)}
        yield Setting.NTUPLE, SettingFacts({"rules": tuple(facts["ntuple"])}, {"rules": rings - 1}, derived=derived)
    if "rss_contexts" in facts:
        values = {"contexts": tuple(facts["rss_contexts"])}
        yield Setting.RSS_CONTEXTS, SettingFacts(values, {"contexts": rings - 1}, derived={"buckets": facts["buckets"]})
    if "queue_coalesce" in facts:
        values = {key: _frozen(value) for key, value in facts["queue_coalesce"].items()}
        moved = {"rx-usecs", "rx-frames"} & set(values) if values.get("adaptive-rx") is True else set()
        yield Setting.QUEUE_COALESCE, SettingFacts(values, floating=frozenset(moved), derived={"queues": rings})
