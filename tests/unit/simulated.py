# SPDX-License-Identifier: GPL-3.0-or-later
"""A node without a kernel: steps change it as drivers do, and it refuses what kernels refuse.

What an operation makes a driver reset or forget is taken from the rules that the planner was given; that the
planner heeds them is what is tested here. Bonds lose their carrier when their last member does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Set, Tuple

from wirespeed.apply.actuator import Actuators
from wirespeed.errors import KernelRefusal
from wirespeed.model.desired import ResolvedProfile
from wirespeed.model.nic import Nic, XdpAttachment, XdpMode
from wirespeed.model.node import Node, Upper
from wirespeed.model.settings import Setting, Value, Values
from wirespeed.model.step import Action, Disruption, Step
from wirespeed.namespace import namespace

RESET_TO: Value = 7777
"""What a driver puts in place of its own accord; no test asks for it."""

_REFUSED, _BUSY = 22, 16


class Broken(Exception):
    """Something happened that must never happen."""


@dataclass
class Simulated:
    """``kept`` are the values that the devices work with, by NIC; ``forgotten`` those of them that only read back."""

    node: Node
    rules: Mapping[str, ResolvedProfile]
    forgotten: Set[Tuple[str, Setting]] = field(default_factory=set)
    down: Set[str] = field(default_factory=set)
    links: int = 100
    ran: List[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept: Dict[str, Dict[Setting, Dict[str, Value]]] = {
            name: {setting: {**facts.values, **facts.requested} for setting, facts in nic.settings.items()}
            for name, nic in self.node.nics.items()
        }

    @property
    def actuators(self) -> Actuators:
        return dict.fromkeys(Action, self)

    def observed(self) -> Node:
        """As the node reads now: a carrier comes back in the time that a look takes."""
        return replace(self.node, nics={name: self._seen(nic) for name, nic in self.node.nics.items()})

    def may_carry_its_program(self, name: str) -> bool:
        """Whether a native program that is there now could be attached anew, as an undo may have to."""
        nic = self.node.nics[name]
        names = namespace(nic, self.node, "", self.kept[name])
        return not _native(nic) or all(each.holds(names) for each in self.rules[name].constraints)

    def apply(self, step: Step) -> None:
        if step.action is Action.AWAIT:
            self.down -= {step.target if step.after else step.before["next"]}
        elif step.target in self.node.nics:
            self._drop_carrier(step)
            {Action.SET: self._set, Action.ATTACH: self._attach, Action.DETACH: self._detach}[step.action](step)
        self.ran.append(step)

    def deviation(self, step: Step) -> str:
        if step.action is not Action.SET:
            return ""
        have = self.kept[step.target][Setting(step.resource)]
        wrong = [key for key, value in step.after.items() if have[key] != _frozen(value)]
        return f"{step.path}: {wrong}" if wrong else ""

    def _seen(self, nic: Nic) -> Nic:
        settings = {}
        for setting, facts in nic.settings.items():
            values: Values = self.kept[nic.name][setting]
            if _native(nic):
                values = {**values, **self.rules[nic.name].reads_attached.get(setting, {})}
            settings[setting] = replace(facts, values=values, requested={})
        return replace(nic, settings=settings)

    def _set(self, step: Step) -> None:
        nic, setting = self.node.nics[step.target], Setting(step.resource)
        rule = self.rules[nic.name].operations.get(step.resource)
        if rule is not None and rule.attached is None and _native(nic):
            raise KernelRefusal(f"SET {step.path}", _BUSY, "not while a program is attached")
        values = {key: _frozen(value) for key, value in step.after.items()}
        if setting is Setting.CHANNELS:
            self._hold_table(nic.name, values)
        self.kept[nic.name][setting].update(values)
        self.forgotten.discard((nic.name, setting))
        self._side_effects(nic.name, step.resource)

    def _hold_table(self, nic: str, channels: Mapping[str, Value]) -> None:
        """ethtool_check_max_channel: no fewer channels than a table names. One that nobody asks for is the driver's."""
        table = self.kept[nic].get(Setting.RSS, {}).get("indirection", ())
        queues = _queues({**self.kept[nic][Setting.CHANNELS], **channels})
        if Setting.RSS in self.rules[nic].tuning and isinstance(table, tuple) and max(map(int, table)) >= queues:
            raise KernelRefusal(f"SET {nic}.channels", _REFUSED, "requested channel counts are too low for existing")

    def _attach(self, step: Step) -> None:
        nic = self.node.nics[step.target]
        if nic.xdp is not None:
            raise Broken(f"{step.target} carries a program already")
        mode = XdpMode(step.after["mode"])
        if mode is XdpMode.NATIVE:
            self._hold_constraints(nic, list(self.rules[nic.name].constraints))
        self.links += 1
        attached = XdpAttachment(mode, 7, "root", self.links, step.after["pipeline"])
        self._replace(replace(nic, xdp=attached, dead_link=None))
        if mode is XdpMode.NATIVE:
            self._side_effects(nic.name, "attach")

    def _detach(self, step: Step) -> None:
        nic = self.node.nics[step.target]
        if nic.xdp is None:
            raise Broken(f"{step.target} carries no program")
        if nic.xdp.pipeline is None:
            raise Broken(f"{step.target} carries a program that is not ours")
        native = _native(nic)
        if native:
            self._hold_constraints(nic, [each for each in self.rules[nic.name].constraints if each.on_detach])
        self._replace(replace(nic, xdp=None))
        if native:
            self._side_effects(nic.name, "detach")

    def _hold_constraints(self, nic: Nic, constraints: List[Any]) -> None:
        names = namespace(nic, self.node, "", self.kept[nic.name])
        for each in constraints:
            if not each.holds(names):
                raise KernelRefusal(f"XDP {nic.name}", _REFUSED, each.id)

    def _side_effects(self, nic: str, operation: str) -> None:
        rules = self.rules[nic]
        for setting, operations in rules.reset_by.items():
            if operation in operations:
                kept = self.kept[nic][setting]
                kept.update({key: _own(setting, self.kept[nic], value) for key, value in kept.items()})
        for setting, operations in rules.undone_by.items():
            if operation in operations:
                self.forgotten.add((nic, setting))

    def _drop_carrier(self, step: Step) -> None:
        if step.disruption.rank < Disruption.RESET.rank:
            return
        self.down.add(step.target)
        for bond in self.node.uppers.values():
            own = [member for member in bond.members if member.name == step.target and member.serves]
            if own and len(bond.members) > 1 and not self._carries(bond):
                raise Broken(f"{bond.name} has no carrier while {step.target} is changed")

    def _carries(self, bond: Upper) -> bool:
        return any(member.serves and member.name not in self.down for member in bond.members)

    def _replace(self, nic: Nic) -> None:
        self.node = replace(self.node, nics={**self.node.nics, nic.name: nic})


def _native(nic: Nic) -> bool:
    return nic.xdp is not None and nic.xdp.mode is XdpMode.NATIVE


def _own(setting: Setting, kept: Mapping[Setting, Values], value: Value) -> Value:
    """A table is spread over the queues that there are; anything else becomes a value that nobody asks for."""
    if setting is not Setting.RSS or not isinstance(value, tuple):
        return RESET_TO
    queues = _queues(kept.get(Setting.CHANNELS, {}))
    return tuple(i * queues // len(value) for i in range(len(value)))


def _queues(channels: Values) -> int:
    return sum(int(str(channels.get(key, 0))) for key in ("rx", "combined")) or 1


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
