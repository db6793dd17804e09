# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted values of one NIC: profile entries, the intent laid over them, evaluated, in range, rounded.

A profile speaks for many NICs, so what this one cannot do is clamped, or left out with a finding.
An intent speaks for this NIC, so the same is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from .. import expression
from ..errors import Lacking, OutOfRange, Place
from ..model.desired import Want
from ..model.feature_names import ALIASES
from ..model.intent import NicIntent, unknown_word
from ..model.nic import Nic
from ..model.settings import Setting, SettingFacts, Value
from ..namespace import View
from .kept import kept
from .limits import Limit, limit
from .merge import Merged
from .moot import moot
from .queue_first import queue_first
from .typed import typed

INTENT = Place("intent")
AS_IT_IS = Place("as it is")

Tuning = Dict[Setting, Dict[str, Want]]


@dataclass(frozen=True)
class Asked:
    """One value as somebody asks for it, not yet evaluated."""

    setting: Setting
    key: str
    value: Any
    why: str
    place: Place
    field: str
    by_intent: bool

    @property
    def name(self) -> str:
        return f"{self.setting}.{self.key}"


def tune(nic: Nic, merged: Merged, intent: NicIntent, names: Mapping[str, Any]) -> Tuple[Tuning, List[str]]:
    """The wants by setting, and findings. Raises :class:`BadInput` and :class:`OutOfRange`."""
    wants: Tuning = {}
    findings: List[str] = []
    absent: Dict[Setting, List[str]] = {}
    for asked in _asked(nic, merged, intent):
        facts = nic.settings.get(asked.setting)
        if facts is None or asked.key not in facts.values:
            _refuse_absent(nic, asked, facts)
            if not moot(nic, asked.setting, asked.value, names, asked.place, asked.field):
                absent.setdefault(asked.setting, []).append(f"{asked.key} ({asked.place})")
            continue
        want, finding = _want(nic, merged, asked, facts, names, _so_far(nic, wants, names))
        if finding:
            findings.append(finding)
        if want is not None:
            wants.setdefault(asked.setting, {})[asked.key] = want
    findings += queue_first(wants)
    findings += [_left_out(nic, setting, keys) for setting, keys in absent.items()]
    return wants, findings


def _so_far(nic: Nic, wants: Tuning, names: Mapping[str, Any]) -> Mapping[str, Any]:
    """``names`` with ``planned``: what limits know of the settings that come before theirs (VFs take queues)."""
    planned = {
        setting.value: {**facts.values, **{key: want.value for key, want in wants.get(setting, {}).items()}}
        for setting, facts in nic.settings.items()
    }
    return View("", {**names, "planned": planned})


def _asked(nic: Nic, merged: Merged, intent: NicIntent) -> List[Asked]:
    """The profile's entries with the intent's laid over them; the intent's null removes."""
    by_profile = _of_profile(merged) if intent.profile_tuning else _as_it_is(nic, merged, intent)
    asked = {(each.setting, each.key): each for each in by_profile}
    for name, values in intent.tuning.items():
        if name not in [setting.value for setting in Setting]:
            raise unknown_word(INTENT, f"{nic.name}: tuning.{name}", name, [setting.value for setting in Setting])
        setting = Setting(name)
        for written, value in values.items():
            for key in _kernel_names(nic, written) if setting is Setting.FEATURES else (written,):
                asked.pop((setting, key), None)
                if value is not None:
                    field = f"{nic.name}: tuning.{name}.{written}"
                    asked[setting, key] = Asked(setting, key, value, "the intent asks for it", INTENT, field, True)
    order = list(Setting)
    return sorted(asked.values(), key=lambda each: (order.index(each.setting), each.by_intent))


def _of_profile(merged: Merged) -> Iterator[Asked]:
    for setting in Setting:
        for key, entry in merged.section("tuning", setting.value).items():
            why = str(entry.part("why", f"profile {entry.document.name}"))
            yield Asked(setting, key, entry.part("value"), why, entry.place, entry.field, False)


def _as_it_is(nic: Nic, merged: Merged, intent: NicIntent) -> Iterator[Asked]:
    for each in _of_profile(merged):
        value = kept(nic, merged, intent, each.setting, each.key)
        if value is not None:
            why = "Wirespeed set it, and only the keys that are named change"
            yield replace(each, value=value, why=why, place=AS_IT_IS)


def _kernel_names(nic: Nic, name: str) -> Tuple[str, ...]:
    """A group of features, such as ``tx-checksumming``, stands for those of them that can be changed."""
    facts = nic.settings.get(Setting.FEATURES)
    names = ALIASES.get(name, (name,))
    free = tuple(each for each in names if facts and each in facts.values and each not in facts.fixed)
    return free or names


def _refuse_absent(nic: Nic, asked: Asked, facts: Optional[SettingFacts]) -> None:
    if not asked.by_intent:
        return
    if facts is None:
        unread = "its firmware settings are not among these facts ('wirespeed facts --firmware' tells them)"
        lacking = unread if asked.setting is Setting.FIRMWARE else "this driver has no such setting"
        reason = nic.unsupported.get(asked.setting, lacking)
        raise Lacking(asked.place, asked.field, f"{nic.driver}: {reason.rstrip('.')}.", "Remove it for this NIC.")
    if asked.setting is Setting.FIRMWARE:  # only what was asked for was read
        tell = f"'wirespeed facts --firmware' tells what {nic.name} has."
        raise Lacking(
            asked.place, asked.field, "this card has no such parameter, or an array, which takes an index.", tell
        )
    raise unknown_word(asked.place, asked.field, asked.key, list(facts.values))


def _left_out(nic: Nic, setting: Setting, keys: List[str]) -> str:
    reason = nic.unsupported.get(setting, "this NIC has no such setting")
    return f"{setting}: {', '.join(keys)} left out: {nic.driver}: {reason.rstrip('.')}."


def _want(
    nic: Nic,
    merged: Merged,
    asked: Asked,
    facts: SettingFacts,
    names: Mapping[str, Any],
    so_far: Mapping[str, Any],
) -> Tuple[Optional[Want], str]:
    """The want, or None where nothing is to be set, and a finding or nothing."""
    evaluated = expression.evaluate(asked.value, names, asked.place, asked.field)
    if evaluated is None:
        return None, ""
    current = facts.values[asked.key]
    value = typed(evaluated, current, asked.place, asked.field, asked.setting)
    bounds = limit(asked.setting, asked.key, facts, merged.get("limits", asked.setting.value, asked.key), so_far)
    if bounds.fixed:
        if value == current or not asked.by_intent:
            finding = f"{asked.name}: stays {current!r}; {asked.place} wants {value!r}: {bounds.fixed.rstrip('.')}."
            return None, "" if value == current else finding
        raise OutOfRange(f"{nic.name}: tuning.{asked.name}", value, f"only {current!r}, as it is: {bounds.fixed}")
    if isinstance(value, tuple) and asked.setting is Setting.QUEUE_COALESCE:
        held = [_held(nic, asked, each, current, bounds) for each in value]
        findings = " ".join(dict.fromkeys(finding for _each, finding in held if finding))
        values = tuple(each for each, _finding in held)  # all of the type that the key's own value has
        return Want(values, str(asked.place), asked.why), findings  # type: ignore[arg-type]
    value, finding = _held(nic, asked, value, current, bounds)
    return Want(value, str(asked.place), asked.why), finding


def _held(nic: Nic, asked: Asked, value: Value, current: Value, bounds: Limit) -> Tuple[Value, str]:
    """The value as the driver will hold it, and a finding where that is another than the intent's."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value, ""
    if asked.by_intent and value != current and not bounds.contains(value):
        raise OutOfRange(f"{nic.name}: tuning.{asked.name}", value, str(bounds))
    rounded = value if asked.by_intent and value == current else bounds.rounded(bounds.clamped(value))
    if asked.by_intent and rounded != value:
        return rounded, f"{asked.name}: {value} becomes {rounded}, as {nic.driver} holds it ({bounds})."
    return rounded, ""
