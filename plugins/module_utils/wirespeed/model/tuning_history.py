# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a node's tuning, and what it takes to go back to one: pure; :mod:`..tuning_history` keeps them.

Version N is the tuning after the Nth change, counted from 1; before the first one it is as it was found (0). A run that
only repairs what drifted is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .step import Action, Step
from .stored import Stored, StoredNic

FORMAT = 1
KEPT = 10

Values = Mapping[str, Mapping[str, Any]]
"""JSON values by setting and key."""


@dataclass(frozen=True)
class NicBefore:
    """One NIC before a change: ``entry`` is what runs had asked for its tuning, as an intent's entry (None: nothing),
    ``profiles`` the digest of the profile set for that; ``values`` what the settings read that the change has set."""

    entry: Optional[Mapping[str, Any]] = None
    profiles: str = ""
    values: Values = field(default_factory=dict)

    def over(self, later: "NicBefore") -> "NicBefore":
        """Before this change and a later one."""
        names = dict.fromkeys([*later.values, *self.values])
        values = {name: {**later.values.get(name, {}), **self.values.get(name, {})} for name in names}
        return replace(self, values=values)


@dataclass(frozen=True)
class TuningChange:
    """``at`` is in seconds since 1970; ``rollback_to`` the version that it went back to."""

    version: int
    at: float
    nics: Mapping[str, NicBefore]
    rollback_to: Optional[int] = None


@dataclass(frozen=True)
class TuningHistory:
    """``changes``, oldest first."""

    changes: Tuple[TuningChange, ...] = ()

    @property
    def version(self) -> int:
        return self.changes[-1].version if self.changes else 0

    @property
    def known(self) -> Sequence[int]:
        """The versions that one can go back to."""
        return [change.version - 1 for change in self.changes]

    @property
    def previous(self) -> Optional[int]:
        """Where a rollback goes that names no version; None where there is no change, or the last was a rollback."""
        if not self.changes or self.changes[-1].rollback_to is not None:
            return None
        return self.changes[-1].version - 1

    def since(self, version: int) -> Dict[str, NicBefore]:
        """The NICs that changed after ``version``, each as it was then."""
        found: Dict[str, NicBefore] = {}
        for change in reversed(self.changes):
            if change.version > version:
                for name, before in change.nics.items():
                    found[name] = before.over(found[name]) if name in found else before
        return found

    def noted(self, nics: Mapping[str, NicBefore], at: float, rollback_to: Optional[int] = None) -> "TuningHistory":
        """With one more change, where there is any; the oldest go beyond :data:`KEPT`."""
        if not nics:
            return self
        change = TuningChange(self.version + 1, at, nics, rollback_to)
        return TuningHistory((*self.changes, change)[-KEPT:])

    @property
    def digests(self) -> Tuple[str, ...]:
        """Of the profile sets that are to be kept."""
        found = [before.profiles for change in self.changes for before in change.nics.values()]
        return tuple(dict.fromkeys(digest for digest in found if digest))

    def to_json(self) -> Dict[str, Any]:
        return {
            "format": FORMAT,
            "changes": [
                {
                    "version": change.version,
                    "at": change.at,
                    "rollback_to": change.rollback_to,
                    "nics": {
                        name: {
                            "entry": None if before.entry is None else dict(before.entry),
                            "profiles": before.profiles,
                            "values": {setting: dict(values) for setting, values in before.values.items()},
                        }
                        for name, before in change.nics.items()
                    },
                }
                for change in self.changes
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TuningHistory":
        """Raises KeyError, TypeError or ValueError for what :meth:`to_json` has not made."""
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}; this version reads {FORMAT}")
        return cls(tuple(_change(each) for each in data["changes"]))


def _change(data: Mapping[str, Any]) -> TuningChange:
    nics = {name: NicBefore(each["entry"], each["profiles"], each["values"]) for name, each in data["nics"].items()}
    return TuningChange(int(data["version"]), float(data["at"]), nics, data["rollback_to"])


def changed(earlier: Stored, now: Stored, steps: Sequence[Step]) -> Dict[str, NicBefore]:
    """The NICs whose tuning is asked for otherwise ``now`` than ``earlier``, each as it was before ``steps``.

    With other profiles, only where that has changed a value.
    """
    found: Dict[str, NicBefore] = {}
    values = values_before(steps)
    for name in dict.fromkeys([*(each for nic in now.nics for each in nic.found), *values]):
        was, now_asked = asked(earlier, name), asked(now, name)
        if _same(was, now_asked) and not (name in values and _profiles(was) != _profiles(now_asked)):
            continue
        found[name] = NicBefore(None if was is None else was.entry, _profiles(was), values.get(name, {}))
    return found


def touched(earlier: Stored, steps: Sequence[Step], names: Sequence[str] = ()) -> Dict[str, NicBefore]:
    """The NICs whose settings these steps have changed, and those of ``names``, whatever is stored of them."""
    found, values = {}, values_before(steps)
    for name in dict.fromkeys([*names, *values]):
        was = asked(earlier, name)
        found[name] = NicBefore(None if was is None else was.entry, _profiles(was), values.get(name, {}))
    return found


def asked(stored: Stored, name: str) -> Optional[StoredNic]:
    """What is stored of the tuning of one NIC, without its hook; None where that is nothing."""
    for nic in stored.nics:
        if name in nic.found and nic.tuned:
            return nic.named(name).bare
    return None


def values_before(steps: Sequence[Step]) -> Dict[str, Dict[str, Dict[str, Any]]]:
    """By NIC, setting and key: what it read before the first of these steps that changed it."""
    found: Dict[str, Dict[str, Dict[str, Any]]] = {}
    for step in reversed(steps):
        if step.action is Action.SET and step.before:
            found.setdefault(step.target, {}).setdefault(step.resource, {}).update(step.before)
    return found


def uncovered(values: Values, covered: Mapping[str, List[str]]) -> Dict[str, Dict[str, Any]]:
    """The values of keys that nothing asks for: setting -> key -> value."""
    left = {
        setting: {key: value for key, value in keys.items() if key not in covered.get(setting, ())}
        for setting, keys in values.items()
    }
    return {setting: keys for setting, keys in left.items() if keys}


def _same(one: Optional[StoredNic], other: Optional[StoredNic]) -> bool:
    return (None if one is None else one.entry) == (None if other is None else other.entry)


def _profiles(nic: Optional[StoredNic]) -> str:
    return "" if nic is None else nic.profiles
