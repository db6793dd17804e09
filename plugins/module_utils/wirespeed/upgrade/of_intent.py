# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes for a NIC by what its intent and its profiles come to under two kernels. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Optional

from ..counters.table import CounterTable
from ..model.desired import DesiredNic, OperationRule
from ..model.nic import XdpMode
from ..plain import plain
from . import counter_ways
from .change import Aspect, Change, Severity
from .counter_ways import Ways
from .sight import Sight, mode

_SERVED = "can be told from then on, where the device serves it"
_RULES = ("undone_by", "reset_by", "lifted_for")


def of_nic(name: str, now: Sight, then: Sight) -> Iterator[Change]:
    before, after = now.nics.get(name), then.nics.get(name)
    if before is None or after is None:
        return
    yield from _modes(name, now, then)
    yield from _conditions(name, before, after)
    yield from _costs(name, before, after)
    yield from _tuning(name, before, after)
    yield from _rules(name, before, after)


def _modes(name: str, now: Sight, then: Sight) -> Iterator[Change]:
    before, after = now.nics[name], then.nics[name]
    was, will = mode(before), mode(after)
    if was is not will and after.pipeline is not None:
        cost = after.profile.operations.get("attach")
        why = after.profile.native_note or before.profile.native_note
        if will is XdpMode.NATIVE and cost is not None:
            why = f"{why + ': ' if why else ''}the attach costs {cost.bare} then"
        grave = Severity.BREAKS if will is None else Severity.CHANGES
        yield Change(name, Aspect.XDP, "attach", grave, plain(was), plain(will) or "refused", why)
    if _disagree(now, name) is False and _disagree(then, name):
        why = "the profile says otherwise than the module does; the first attach will show, and is undone if it fails"
        said = "native" if after.profile.native else "none"
        found = "none" if after.profile.native else "native"
        key = "native XDP by the profile"
        yield Change(name, Aspect.XDP, key, Severity.CHANGES, None, f"profile: {said}, module: {found}", why)


def _disagree(sight: Sight, name: str) -> Optional[bool]:
    """Whether profile and module differ on native XDP; None where the module does not tell."""
    driver = sight.facts.drivers.get(name)
    told = driver.able("native") if driver else None
    return None if told is None else told is not sight.nics[name].profile.native


def _conditions(name: str, before: DesiredNic, after: DesiredNic) -> Iterator[Change]:
    """Those that a driver begins or ceases to ask for at a detach; whether they are met, the plan says."""
    was = {each.id: each for each in before.profile.constraints}
    for each in after.profile.constraints:
        if each.id in was and was[each.id].on_detach is not each.on_detach:
            asked_now, asked_then = (_asked_at(one.on_detach) for one in (was[each.id], each))
            yield Change(name, Aspect.CONDITION, each.id, Severity.INFORMS, asked_now, asked_then, each.explain)


def _asked_at(on_detach: bool) -> str:
    return "at a detach too" if on_detach else "at the attach"


def _costs(name: str, before: DesiredNic, after: DesiredNic) -> Iterator[Change]:
    was, will = before.profile.operations, after.profile.operations
    for operation in (*will, *(each for each in was if each not in will)):
        one, other = _cost(was.get(operation)), _cost(will.get(operation))
        if one != other and one is not None and other is not None:
            why = will[operation].note
            yield Change(name, Aspect.COST, operation, Severity.CHANGES, one, other, why)


def _cost(rule: Optional[OperationRule]) -> Optional[str]:
    if rule is None:
        return None
    attached = "refused" if rule.attached is None else str(rule.attached)
    return attached if attached == str(rule.bare) else f"{rule.bare}, under a program {attached}"


def _tuning(name: str, before: DesiredNic, after: DesiredNic) -> Iterator[Change]:
    was, will = wants(before), wants(after)
    for key in dict.fromkeys((*was, *will)):
        if was.get(key) != will.get(key):
            setting, _dot, inner = key.partition(".")
            profile = (after if key in will else before).profile
            found = next((each[inner] for word, each in profile.tuning.items() if word.value == setting), None)
            why = f"{found.why} ({found.origin})" if found else ""
            yield Change(name, Aspect.TUNING, key, Severity.CHANGES, was.get(key), will.get(key), why)


def wants(nic: DesiredNic) -> Dict[str, Any]:
    """``rings.rx`` -> the wanted value."""
    return {
        f"{setting}.{key}": plain(want.value)
        for setting, each in nic.profile.tuning.items()
        for key, want in each.items()
    }


def _rules(name: str, before: DesiredNic, after: DesiredNic) -> Iterator[Change]:
    one, other = before.profile, after.profile
    if one.names != other.names:
        yield Change(name, Aspect.PROFILE, "profiles", Severity.CHANGES, list(one.names), list(other.names))
    if one.redirect_target.value != other.redirect_target.value:
        was, will, why = one.redirect_target.value, other.redirect_target.value, other.redirect_target.note
        yield Change(name, Aspect.XDP, "redirect into it", Severity.CHANGES, was, will, why)
    for rule in _RULES:
        if getattr(one, rule) != getattr(other, rule):
            was, will = plain(getattr(one, rule)), plain(getattr(other, rule))
            yield Change(name, Aspect.PROFILE, rule, Severity.INFORMS, was, will)
    for finding in other.findings:
        if finding not in one.findings:
            yield Change(name, Aspect.PROFILE, "note", Severity.INFORMS, None, "told from then on", finding)
    for finding in one.findings:
        if finding not in other.findings:
            yield Change(name, Aspect.PROFILE, "note", Severity.INFORMS, "told now", None, finding)


def of_counters(name: str, table: CounterTable, now: Ways, then: Ways) -> Iterator[Change]:
    """``now`` has one way or none for each counter, ``then`` the candidates."""
    for counter, candidates in then.items():
        present = now.get(counter, ())
        was, will = present[0] if present else None, counter_ways.joined(candidates)
        if was is None and will is not None:
            yield Change(
                name,
                Aspect.COUNTER,
                counter,
                Severity.INFORMS,
                None,
                will,
                "can be told from then on, where the device serves it",
            )
        elif was is not None and will is None:
            why = counter_ways.lost(table, counter) or "the driver has none of its names any more"
            yield Change(name, Aspect.COUNTER, counter, Severity.CHANGES, was, None, why)
        elif was is not None and was not in candidates:
            why = "the first that the device serves" if len(candidates) > 1 else "moved"
            yield Change(name, Aspect.COUNTER, counter, Severity.CHANGES, was, will, why)
        elif was is not None and candidates[0] != was:
            why = "a better source, where the device serves it"
            yield Change(name, Aspect.COUNTER, counter, Severity.INFORMS, was, will, why)


def of_plan(now: Sight, then: Sight) -> Iterator[Change]:
    """What stands against the plan there and does not here."""
    if then.problem and not now.problem:
        yield Change("node", Aspect.PLAN, "intent", Severity.BREAKS, "resolves", "does not", then.problem)
    known = {(each.target, each.resource) for each in now.plan.refusals}
    for each in then.plan.refusals:
        if (each.target, each.resource) not in known:
            why = f"{each.reason} {each.remedy}".strip()
            yield Change(each.target, Aspect.PLAN, each.resource, Severity.BREAKS, "planned", "refused", why)
    left = {(each.target, each.resource) for each in then.plan.refusals}
    for each in now.plan.refusals:
        if (each.target, each.resource) not in left and not then.problem and each.target in then.nics:
            yield Change(each.target, Aspect.PLAN, each.resource, Severity.CHANGES, "refused", "planned", each.reason)
