# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings of one NIC differ from what its profile and intent want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Tuple

from ..errors import OutOfRange
from ..model.desired import ResolvedProfile, Want
from ..model.nic import Nic, XdpMode
from ..model.settings import Setting, SettingFacts, Value, Values
from ..model.step import Refusal

Settle = Callable[[SettingFacts, Values, Mapping[Setting, Values]], Dict[str, Value]]
"""A room's ``settle``: wanted values to the values that the hardware will hold."""


@dataclass(frozen=True)
class Change:
    """One setting to be written: ``after`` holds only the keys that change."""

    setting: Setting
    before: Dict[str, Any]
    after: Dict[str, Any]
    why: str
    origin: str


@dataclass(frozen=True)
class Comparison:
    """The outcome for one NIC.

    ``planned`` is every setting's full values once all changes are made;
    ``rewrites`` holds, by setting, the change that writes all that is wanted of it, also what already
    reads back: for drivers that forget a setting, and for interfaces that are made anew.
    """

    changes: Tuple[Change, ...]
    rewrites: Mapping[Setting, Change]
    planned: Mapping[Setting, Values]
    refusals: Tuple[Refusal, ...]


def compare(nic: Nic, profile: ResolvedProfile, settle: Mapping[Setting, Settle]) -> Comparison:
    """Compare setting by setting in the profile's order, so that RSS is settled over planned channels."""
    changes: List[Change] = []
    rewrites: Dict[Setting, Change] = {}
    refusals: List[Refusal] = []
    planned: Dict[Setting, Values] = {setting: dict(facts.values) for setting, facts in nic.settings.items()}
    for setting in _in_order(profile):
        wants = profile.tuning[setting]
        facts = nic.settings.get(setting)
        if facts is None:
            refusals.append(_unsupported(nic, setting, wants))
            continue
        try:
            settled = settle[setting](facts, {key: want.value for key, want in wants.items()}, planned)
        except OutOfRange as error:
            refusals.append(_out_of_range(nic, setting, wants, error))
            continue
        planned[setting] = {**planned[setting], **settled}
        differing = [key for key in settled if not _holds(nic, profile, setting, facts, key, settled[key])]
        stuck = [key for key in differing if key in facts.fixed]
        refusals += [_fixed(nic, setting, key, facts, _asked(wants, key)) for key in stuck]
        differing = [key for key in differing if key not in stuck]
        if differing:
            changes.append(_change(setting, facts, settled, differing, wants))
        whole = [key for key in settled if key not in facts.fixed]
        if whole:
            rewrites[setting] = _change(setting, facts, settled, whole, wants)
    return Comparison(tuple(changes), rewrites, planned, tuple(refusals))


def plain(value: Value) -> Any:
    """A value as JSON has it: an indirection table becomes a list."""
    return list(value) if isinstance(value, tuple) else value


def _in_order(profile: ResolvedProfile) -> List[Setting]:
    return sorted(profile.tuning, key=lambda setting: profile.order.index(setting.value))


def _holds(nic: Nic, profile: ResolvedProfile, setting: Setting, facts: SettingFacts, key: str, value: Value) -> bool:
    """Whether the NIC is already as it should be.

    A value that the driver moves by itself now is none that was set. A feature holds only if it is
    also *requested* so: XDP masks LRO while its request bit stays set, and the driver turns it on
    again at the next feature change (vmxnet3, Linux 6.12).
    """
    if key in facts.floating:
        return False
    expected = value
    if nic.xdp is not None and nic.xdp.mode is XdpMode.NATIVE:
        expected = profile.reads_attached.get(setting, {}).get(key, value)
    return facts.values.get(key) == expected and facts.requested.get(key, expected) == expected


def _change(
    setting: Setting, facts: SettingFacts, settled: Values, keys: List[str], wants: Mapping[str, Want]
) -> Change:
    asked = [wants[key] for key in keys if key in wants] or list(wants.values())
    before = {key: plain(facts.requested.get(key, facts.values[key])) for key in keys if key in facts.values}
    return Change(
        setting=setting,
        before=before,
        after={key: plain(settled[key]) for key in keys},
        why="; ".join(dict.fromkeys(want.why for want in asked)),
        origin=", ".join(dict.fromkeys(want.origin for want in asked)),
    )


def _unsupported(nic: Nic, setting: Setting, wants: Mapping[str, Want]) -> Refusal:
    origin = next(iter(wants.values())).origin
    reason = nic.unsupported.get(setting, "this driver has no such setting")
    return Refusal(
        nic.name, setting.value, f"{nic.driver}: {reason}.", f"Remove it where it is asked for ({origin}).", True
    )


def _out_of_range(nic: Nic, setting: Setting, wants: Mapping[str, Want], error: OutOfRange) -> Refusal:
    want = _asked(wants, error.key)
    return Refusal(nic.name, f"{setting}.{error.key}", error.problem, f"Correct the value in {want.origin}.", True)


def _asked(wants: Mapping[str, Want], key: str) -> Want:
    """Who asked for a settled key; a room may have settled a group's name into several keys."""
    return wants.get(key) or next(iter(wants.values()))


def _fixed(nic: Nic, setting: Setting, key: str, facts: SettingFacts, want: Want) -> Refusal:
    return Refusal(
        nic.name,
        f"{setting}.{key}",
        f"is {facts.values[key]!r} and {nic.driver} does not let it be changed; wanted {want.value!r}.",
        f"Remove it where it is asked for ({want.origin}), or change it on the host that provides this NIC.",
        unsupported=True,
    )
