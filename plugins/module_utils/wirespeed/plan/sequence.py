# SPDX-License-Identifier: GPL-3.0-or-later
"""Put one NIC's changes and its hook into the order that its driver needs.

The order of operations is the profile's data (tune first, attach second, for all 18 native
drivers of Linux 6.12). A setting that the driver refuses under a program opens a gap: the
program is detached right before the first such setting and attached again in its place.
A setting that an operation makes the driver forget is written after that operation. One that makes
the interface anew is followed by all that is wanted of the NIC.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Optional, Tuple

from ..model.desired import OperationRule, ResolvedProfile
from ..model.nic import Nic, XdpMode
from ..model.settings import MAKES_ANEW, READS_BACK_FALSELY, Setting
from ..model.step import Action, Disruption, Step
from . import anew, lists
from .changes import Change, Comparison
from .hook import Hook

ATTACH, DETACH, SWAP = "attach", "detach", "swap"
_EPOCHS = (ATTACH, DETACH, Setting.CHANNELS.value)
"""Operations after which our own record of a write is worth nothing (:attr:`~..model.nic.Nic.epoch`)."""

_UNSTATED = OperationRule(Disruption.BOUNCE, Disruption.BOUNCE, "the profile states no cost: taken as a bounce")


def blocked_settings(nic: Nic, profile: ResolvedProfile, comparison: Comparison) -> List[str]:
    """The changed settings that this driver refuses while its native program is attached.

    An interface that is made anew drops its program without a word, whatever its mode.
    """
    if nic.xdp is None:
        return []
    never = {setting.value for setting in MAKES_ANEW}
    if nic.xdp.mode is XdpMode.NATIVE:
        never |= {name for name in profile.order if _rule(profile, name).attached is None}
    changed = {change.setting.value for change in comparison.changes}
    return [name for name in profile.order if name in changed & never]


def sequence(nic: Nic, profile: ResolvedProfile, comparison: Comparison, hook: Hook) -> Tuple[Step, ...]:
    """The NIC's steps in order, each with its cost in the state that the NIC is in by then."""
    changed = {change.setting.value: change for change in comparison.changes}
    changed.update(anew.lost(nic, profile, comparison))
    native = nic.xdp is not None and nic.xdp.mode is XdpMode.NATIVE
    order = lists.ordered(_order(profile, changed), changed)
    lifts = lists.lifted(nic, profile, comparison, changed, order)
    order = lifts.order
    blocked = sorted(blocked_settings(nic, profile, comparison), key=order.index)
    attaches = hook.attaches or bool(blocked)
    late = _late(profile, order, changed) if attaches and hook.goal is XdpMode.NATIVE else []
    gap = _gap(profile, order, changed, blocked)
    steps: List[Step] = []
    for name in order:
        if name == gap:
            steps.append(_detach(nic, hook, because=blocked[0]))
            native = False
        steps += [_set(nic, profile, lift, native, because=name) for lift in lifts.away.get(name, ())]
        if name in changed and name not in late:
            because = anew.served(comparison, name) or lifts.back.get(name)
            steps.append(_set(nic, profile, changed[name], native, because=because))
        if name == ATTACH and attaches:
            if hook.present is not None and not blocked:
                steps.append(_detach(nic, hook, because=ATTACH))
            steps.append(_attach(nic, profile, hook, because=None if hook.attaches else blocked[0]))
            native = hook.goal is XdpMode.NATIVE
        if name == ATTACH and not attaches and hook.swap is not None:
            steps.append(hook.swap)
    for setting in _forgotten_by(profile):
        steps += _rewrite(nic, profile, comparison, setting, steps, native)
    return tuple(steps)


def _gap(
    profile: ResolvedProfile, order: Tuple[str, ...], changed: Dict[str, Change], blocked: List[str]
) -> Optional[str]:
    """Before which operation the program goes: the first that is refused under it, or the table that makes room for
    fewer channels, if the detach would make the driver forget that.
    """
    rss = Setting.RSS
    early = [rss.value] if _makes_room(changed) and DETACH in _forgotten_by(profile).get(rss, ()) else []
    return min([*blocked, *early], key=order.index) if blocked else None


def _order(profile: ResolvedProfile, changed: Dict[str, Change]) -> Tuple[str, ...]:
    """The profile's order, save for what would be refused in it.

    What the driver refuses under a program goes before the attach wherever the profile has it. A
    table of fewer queues goes before the channels that it makes room for: the kernel refuses a
    channel count that is too low for a table that a user has set (ethtool_check_max_channel,
    net/ethtool/channels.c, Linux 6.12).
    """
    attach = profile.order.index(ATTACH)
    early = [name for name in profile.order[attach + 1 :] if name in changed and _rule(profile, name).attached is None]
    order = [*profile.order[:attach], *early, *(name for name in profile.order[attach:] if name not in early)]
    rss, channels = Setting.RSS.value, Setting.CHANNELS.value
    if _makes_room(changed) and order.index(rss) > order.index(channels):
        order.remove(rss)
        order.insert(order.index(channels), rss)
    return tuple(order)


def _makes_room(changed: Dict[str, Change]) -> bool:
    """Whether fewer channels wait for a table of fewer queues."""
    return _shrinks(changed.get(Setting.RSS.value)) and Setting.CHANNELS.value in changed


def _shrinks(rss: Optional[Change]) -> bool:
    key = "indirection"
    return rss is not None and key in rss.after and max(rss.after[key]) < max(rss.before[key])


def _late(profile: ResolvedProfile, order: Tuple[str, ...], changed: Dict[str, Change]) -> List[str]:
    """Changed settings that the coming attach would make the driver forget: written after it, once.

    Not a table that makes room for fewer channels: that one is needed before them, and again.
    """
    forgotten = [setting.value for setting, ops in _forgotten_by(profile).items() if ATTACH in ops]
    if _makes_room(changed):
        forgotten = [name for name in forgotten if name != Setting.RSS.value]
    return [name for name in forgotten if name in changed and order.index(name) < order.index(ATTACH)]


def _forgotten_by(profile: ResolvedProfile) -> Dict[Setting, Tuple[str, ...]]:
    """Setting -> operations that make the driver forget it, whether it says so or not."""
    settings = dict.fromkeys([*profile.undone_by, *profile.reset_by])
    return {each: (*profile.undone_by.get(each, ()), *profile.reset_by.get(each, ())) for each in settings}


def _rewrite(
    nic: Nic, profile: ResolvedProfile, comparison: Comparison, setting: Setting, steps: List[Step], native: bool
) -> List[Step]:
    """The last write of a setting that the driver forgot in this plan, or has since an earlier write.

    What still reads back as wanted has no witness but our own record of when it was written.
    """
    own = next((change for change in comparison.changes if change.setting is setting), None)
    change = own or comparison.rewrites.get(setting)
    if change is None:
        return []
    ran = [_operation(step) for step in steps]
    falsely = setting in READS_BACK_FALSELY and setting in profile.undone_by
    forgotten_at = {*_forgotten_by(profile)[setting], *(_EPOCHS if falsely else ())}
    culprits = [i for i, name in enumerate(ran) if name in forgotten_at]
    if culprits:
        if setting.value in ran[culprits[-1] :]:
            return []
        if setting.value in ran:
            change = replace(change, before=change.after)
        why = f"{change.why}; {nic.driver} forgets {setting} at {ran[culprits[-1]]}"
        why += " although it still reads back" if falsely else ""
        return [_set(nic, profile, change, native, why, because=None if own else ran[culprits[-1]])]
    if own is None and falsely and nic.witness.get(setting) != nic.epoch:
        why = f"{change.why}; it reads back, but {nic.driver} may have forgotten it: not written since ({nic.epoch})"
        return [_set(nic, profile, change, native, why)]
    return []


def _operation(step: Step) -> str:
    """The profile's word for a step; generic XDP never enters the driver, so it is none of them."""
    if step.action is Action.SET:
        return step.resource
    if step.action is Action.SWAP:
        return SWAP
    attachment = step.after if step.action is Action.ATTACH else step.before
    return step.action.value if attachment.get("mode") == XdpMode.NATIVE.value else ""


def _rule(profile: ResolvedProfile, operation: str) -> OperationRule:
    return profile.operations.get(operation, _UNSTATED)


def _set(
    nic: Nic, profile: ResolvedProfile, change: Change, native: bool, why: str = "", because: Optional[str] = None
) -> Step:
    rule = _rule(profile, change.setting.value)
    cost = rule.attached if native and rule.attached is not None else rule.bare
    return Step(
        target=nic.name,
        action=Action.SET,
        resource=change.setting.value,
        before=change.before,
        after=change.after,
        why=why or change.why,
        origin=change.origin,
        disruption=cost,
        because=because,
        anew=anew.record(nic, profile) if change.setting in MAKES_ANEW else None,
    )


def _detach(nic: Nic, hook: Hook, because: str) -> Step:
    why = f"{nic.driver} refuses {because} while a native program is attached"
    if because in [setting.value for setting in MAKES_ANEW]:
        why = f"{because} makes the interface anew, and would drop the program unasked"
    elif because == ATTACH:
        why = "another mode or pipeline is to be attached"
    return Step(nic.name, Action.DETACH, "xdp", hook.present or {}, {}, why, "profile", Disruption.GAP, because)


def _attach(nic: Nic, profile: ResolvedProfile, hook: Hook, because: Optional[str]) -> Step:
    cost = _rule(profile, ATTACH).bare if hook.goal is XdpMode.NATIVE else Disruption.NONE
    why = hook.why if because is None else f"attached again after {because}"
    return Step(nic.name, Action.ATTACH, "xdp", {}, hook.wanted or {}, why, "intent", cost, because)
