# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every plan, over random NICs, rules and intents, and over the profiles that ship.

Steps are carried out on a simulated node (``simulated.py``). The examples are the same at every run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from wirespeed.apply.undo import undo
from wirespeed.converge import MAX_PASSES
from wirespeed.errors import BadInput, OutOfRange, WirespeedError
from wirespeed.model.desired import Constraint, Desired, DesiredNic, DesiredPipeline, OperationRule, ResolvedProfile
from wirespeed.model.nic import Nic, XdpAttachment, XdpMode
from wirespeed.model.node import Member, Node, Upper
from wirespeed.model.settings import Setting, SettingFacts, Values
from wirespeed.model.step import Action, Disruption, Plan, Step
from wirespeed.plan.planner import plan

from . import golden_cases
from .golden_cases import Case
from .plan_cases import SETTLE, nic, node, profile
from .simulated import Simulated

# Without Phase.shrink, which takes minutes over such examples: add it to have a failure's example made small.
QUICK = settings(
    derandomize=True, max_examples=60, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck)
)
OURS = XdpAttachment(XdpMode.NATIVE, 7, "root", 3, "scrubber")
HOLDERS = (None, None, OURS, OURS, replace(OURS, mode=XdpMode.GENERIC), XdpAttachment(XdpMode.NATIVE, 9, "other"))
PIPELINES = (DesiredPipeline("scrubber", "g1", "d1", {}, "scrubber 1"),)
VALUES: Mapping[Setting, Mapping[str, Sequence[Any]]] = {
    Setting.PRIVATE_FLAGS: {"flag": (False, True)},
    Setting.FEATURES: {"rx-lro": (False, True)},
    Setting.MTU: {"mtu": (1500, 3000, 9000)},
    Setting.CHANNELS: {"combined": (1, 2, 3, 4)},
    Setting.RINGS: {"rx": (256, 512), "tx": (256, 512)},
    Setting.RSS: {"indirection": ("equal", "all 0")},
    Setting.COALESCE: {"rx-usecs": (0, 8)},
    Setting.IRQ_AFFINITY: {"cpus": ("spread", "0 1")},
}
FORGETS = {
    Setting.RSS: ("channels", "rings", "attach", "detach"),
    Setting.COALESCE: ("channels", "rings"),
    Setting.IRQ_AFFINITY: ("channels", "attach", "detach"),
}
COSTS = st.sampled_from(list(Disruption)[:4])


@dataclass(frozen=True, repr=False)
class World:
    node: Node
    desired: Desired

    def __repr__(self) -> str:
        """What a failure needs: the plan, and what stands against it."""
        made = self.planned()
        orders = {name: (rules.order, rules.reset_by, rules.undone_by) for name, rules in self.rules.items()}
        held = {name: each.xdp for name, each in self.node.nics.items()}
        return f"{told(made)} {[str(each) for each in made.refusals]} {held} {orders} {self.node.uppers}"

    @property
    def rules(self) -> Dict[str, ResolvedProfile]:
        return {each.nic: each.profile for each in self.desired.nics}

    def planned(self, there: Optional[Node] = None) -> Plan:
        return plan(there or self.node, self.desired, {**SETTLE, Setting.RSS: settle_table})


def settle_table(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Any]:
    queues = int(str(planned[Setting.CHANNELS]["combined"])) if want["indirection"] == "equal" else 1
    return {"indirection": tuple(i % queues for i in range(4))}


@st.composite
def nics(draw: st.DrawFn, name: str) -> Nic:
    picked = {
        setting: {key: draw(st.sampled_from(list(each))) for key, each in keys.items()}
        for setting, keys in VALUES.items()
    }
    queue = st.integers(0, picked[Setting.CHANNELS]["combined"] - 1)
    picked[Setting.RSS] = {"indirection": draw(st.tuples(queue, queue, queue, queue))}
    found = nic(
        draw(st.sampled_from(HOLDERS)),
        name=name,
        up=True,
        settings={setting: SettingFacts(values) for setting, values in picked.items()},
    )
    return replace(found, witness=draw(st.sampled_from([{}, {Setting.RSS: found.epoch}])))


@st.composite
def orders(draw: st.DrawFn) -> Tuple[str, ...]:
    """Any order, but a table is laid over channels that are there, and what an attach asks for comes before it."""
    order = draw(st.permutations([setting.value for setting in VALUES if setting is not Setting.RSS]))
    order.insert(draw(st.integers(order.index("channels") + 1, len(order))), "rss")
    order.insert(draw(st.integers(max(map(order.index, ("mtu", "features", "channels"))) + 1, len(order))), "attach")
    return tuple(order)


@st.composite
def profiles(draw: st.DrawFn) -> ResolvedProfile:
    tuned = sorted(draw(st.sets(st.sampled_from(list(VALUES)))))
    forgotten = {
        setting: tuple(sorted(draw(st.sets(st.sampled_from(names), min_size=1))))
        for setting, names in FORGETS.items()
        if draw(st.booleans())
    }
    for setting, names in forgotten.items():
        if {"attach", "detach"} & set(names):  # a driver that makes its rings anew at the one does so at the other
            forgotten[setting] = tuple(sorted({*names, "attach", "detach"}))
    falsely = {Setting.RSS: forgotten.pop(Setting.RSS)} if Setting.RSS in forgotten and draw(st.booleans()) else {}
    rules = {each.value: OperationRule(draw(COSTS), draw(st.one_of(COSTS, st.none()))) for each in VALUES}
    for setting in (*forgotten, *falsely):  # what must be written after an attach cannot be refused then
        rules[setting.value] = OperationRule(draw(COSTS), draw(COSTS))
    rules["attach"] = OperationRule(draw(COSTS), Disruption.NONE)
    return profile(
        {
            setting: {key: draw(st.sampled_from(list(each))) for key, each in VALUES[setting].items()}
            for setting in tuned
        },
        operations=rules,
        order=draw(orders()),
        native=draw(st.sampled_from([True, True, True, False])),
        native_note="a test",
        constraints=tuple(draw(constraints())),
        reset_by=forgotten,
        undone_by=falsely,
    )


@st.composite
def constraints(draw: st.DrawFn) -> List[Constraint]:
    limit, on_detach = draw(st.sampled_from([1500, 3000, 9000])), draw(st.booleans())
    fits = Constraint(
        "mtu", lambda names: names["planned"]["mtu"]["mtu"] <= limit, "EINVAL", "x", "y", "t:1", on_detach
    )
    plain = Constraint("lro", lambda names: not names["planned"]["features"]["rx-lro"], "EINVAL", "x", "y", "t:2", True)
    return [each for each in (fits, plain) if draw(st.booleans())]


@st.composite
def worlds(draw: st.DrawFn, bonded: bool = False) -> World:
    """``bonded``: two members that serve, and nothing that would keep a plan from changing both."""
    names = ("eth1", "eth2", "eth3")[: 2 if bonded else draw(st.integers(1, 3))]
    found = [draw(nics(name)) for name in names]
    members = tuple(Member(name, bonded or draw(st.sampled_from([True, True, False]))) for name in (*names[:2], "eth9"))
    bond = Upper("bond0", "bond", True, 1500, members[: 2 if bonded else draw(st.integers(2, 3))])
    asked = tuple(
        DesiredNic(
            name,
            draw(profiles()),
            draw(st.sampled_from([None, "scrubber", "scrubber"])),
            draw(st.sampled_from([None, XdpMode.NATIVE, XdpMode.GENERIC])),
            Disruption.GAP if bonded else draw(st.sampled_from([*Disruption, Disruption.GAP, Disruption.GAP])),
        )
        for name in names
    )
    there = node(*found)
    if bonded or draw(st.booleans()):
        there = replace(there, uppers={"bond0": bond})
    return World(there, Desired(asked, PIPELINES))


def carried_out(world: World, made: Plan) -> Simulated:
    """All of the plan, each step in a state in which no kernel refuses it."""
    simulated = Simulated(world.node, world.rules)
    for step in made.steps:
        simulated.apply(step)
    return simulated


def witnessed(there: Node, steps: Sequence[Step]) -> Node:
    """What a run writes down of the settings that it wrote."""
    found = {}
    for name, each in there.nics.items():
        own = [Setting(step.resource) for step in steps if step.action is Action.SET and step.target == name]
        found[name] = replace(each, witness={**each.witness, **dict.fromkeys(own, each.epoch)})
    return replace(there, nics=found)


def told(made: Plan) -> List[str]:
    return [
        f"{step.target} {step.action} {step.resource} {dict(step.before)} -> {dict(step.after)}" for step in made.steps
    ]


@QUICK
@given(worlds())
def test_no_kernel_refuses_a_step(world: World) -> None:
    made = world.planned()
    if not made.refusals:
        carried_out(world, made)


@QUICK
@given(worlds(bonded=True))
def test_bond_is_never_without_a_carrier_not_even_while_all_is_undone(world: World) -> None:
    made = world.planned()
    if made.refusals:
        return
    simulated = carried_out(world, made)
    simulated.down.clear()  # a run waits for its members at the end of each pass
    undo(list(reversed(list(enumerate(made.steps)))), simulated.actuators, None)


@QUICK
@given(worlds())
def test_everything_wanted_holds_in_the_device_afterwards(world: World) -> None:
    made = world.planned()
    if made.refusals:
        return
    simulated = carried_out(world, made)
    for asked in world.desired.nics:
        kept = simulated.kept[asked.nic]
        for setting, wants in asked.profile.tuning.items():
            values = {key: want.value for key, want in wants.items()}
            values = settle_table(SettingFacts({}), values, kept) if setting is Setting.RSS else values
            assert {key: kept[setting][key] for key in values} == values, told(made)
            written = any(step.target == asked.nic and step.resource == setting.value for step in made.steps)
            assert not written or (asked.nic, setting) not in simulated.forgotten, told(made)


@QUICK
@given(worlds())
def test_planning_what_was_planned_finds_nothing_to_do(world: World) -> None:
    made = world.planned()
    if made.refusals:
        return
    there = witnessed(carried_out(world, made).observed(), made.steps)
    again = world.planned(there)
    assert told(again) == [] and again.refusals == (), told(made)


@QUICK
@given(worlds(), st.integers(0, 40))
def test_undo_of_all_steps_or_of_the_first_ones_is_the_start(world: World, until: int) -> None:
    made = world.planned()
    start = Simulated(world.node, world.rules)
    if made.refusals or not all(map(start.may_carry_its_program, world.rules)):
        return
    simulated = Simulated(world.node, world.rules)
    for step in made.steps[:until]:
        simulated.apply(step)
    done = list(reversed(list(enumerate(made.steps[:until]))))
    left = undo(done, simulated.actuators, None, made.steps[until:])[1]
    tuned = {name: rules.tuning for name, rules in world.rules.items()}
    assert left == []
    for name, kept in start.kept.items():
        for setting in tuned[name]:
            assert simulated.kept[name][setting] == kept[setting], (setting, told(made))
    holders = [{name: _holder(each) for name, each in each.node.nics.items()} for each in (simulated, start)]
    assert holders[0] == holders[1]


def _holder(each: Nic) -> Any:
    return each.xdp and (each.xdp.mode, each.xdp.pipeline)


@QUICK
@given(worlds())
def test_what_a_step_costs_is_allowed_or_the_plan_is_refused(world: World) -> None:
    made = world.planned()
    limits = {each.nic: each.max_disruption for each in world.desired.nics}
    beyond = [step for step in made.steps if step.target in limits and step.disruption.exceeds(limits[step.target])]
    assert made.refusals or not beyond


@QUICK
@given(worlds())
def test_settings_are_written_in_the_order_of_their_profile(world: World) -> None:
    """Save for what must come earlier, because it would be refused later, and for what is written again."""
    for asked in world.desired.nics:
        rules = asked.profile
        forgotten = {*rules.reset_by, *rules.undone_by}
        own = [step for step in world.planned().steps if step.target == asked.nic and step.action is Action.SET]
        if {"rss", "channels"} <= {step.resource for step in own}:
            forgotten.add(Setting.RSS)  # a table of fewer queues makes room for fewer channels
        names = [step.resource for step in own if Setting(step.resource) not in forgotten]
        bare = [name for name in names if rules.operations[name].attached is None]
        held = [name for name in names if name not in bare]
        assert held == sorted(held, key=rules.order.index) and bare == sorted(bare, key=rules.order.index)


@pytest.mark.parametrize("driver", sorted({name.partition("/")[0] for name in golden_cases.names()}))
@settings(QUICK, max_examples=8)
@given(st.data())
def test_profiles_that_ship(driver: str, data: st.DataObject) -> None:
    """Their rules, over the NIC of their golden plans as random hands have left it, in up to three passes."""
    case = Case(f"{driver}/fresh")
    case.kernel = data.draw(st.sampled_from(["6.1", "6.12", "7.2"]))
    case.written = {"intent": data.draw(asked_of_a_driver(case.facts))}
    case.nic = replace(case.nic, xdp=data.draw(st.sampled_from(HOLDERS[:5])))
    try:
        made = case.planned()
        rules = case.resolved(case.nic)
    except (BadInput, OutOfRange):
        return  # the intent asks for what this NIC does not have, and is told so
    limit = case.intent.max_disruption
    assert made.refusals or all(not step.disruption.exceeds(limit) for step in made.steps)
    start = Simulated(case.node(case.nic), {"eth1": rules})
    if made.refusals or not start.may_carry_its_program("eth1"):
        return
    simulated = Simulated(case.node(case.nic), {"eth1": rules})
    try:
        for step in made.steps:
            simulated.apply(step)
    except WirespeedError as error:
        raise AssertionError(f"{error}: {told(made)}") from error
    steps, again = list(made.steps), made
    for dummy in range(MAX_PASSES):
        again = case.planned(witnessed(simulated.observed(), again.steps).nics["eth1"])
        for step in again.steps:
            simulated.apply(step)
        steps += again.steps
    assert told(again) == [] and again.refusals == (), told(made)
    assert undo(list(reversed(list(enumerate(steps)))), simulated.actuators, None)[1] == []
    assert {setting: simulated.kept["eth1"][setting] for setting in rules.tuning} == {
        setting: start.kept["eth1"][setting] for setting in rules.tuning
    }, told(made)


@st.composite
def asked_of_a_driver(draw: st.DrawFn, facts: Mapping[str, Any]) -> Dict[str, Any]:
    tuning: Dict[str, Any] = {}
    if draw(st.booleans()):
        tuning["mtu"] = {"mtu": draw(st.sampled_from([1400, 1500, 3000]))}
    for setting in ("channels", "rings"):
        present = {key: value for key, value in (facts.get(setting) or {}).items() if value and key != "other"}
        if present and draw(st.booleans()):
            key = draw(st.sampled_from(sorted(present)))
            tuning[setting] = {key: draw(st.sampled_from([max(1, present[key] // 2), present[key]]))}
    return {
        "workload": draw(st.sampled_from(["drop", "forward", "stack"])),
        "mode": draw(st.sampled_from(["auto", "generic"])),
        "max_disruption": draw(st.sampled_from(["gap", "gap", "bounce", "pause"])),
        "tuning": tuning,
    }
