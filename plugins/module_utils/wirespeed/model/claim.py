# SPDX-License-Identifier: GPL-3.0-or-later
"""A value of a NIC's setting that another manager of this host sets, and where it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .settings import Setting, Value


@dataclass(frozen=True)
class Claim:
    """One value, in the words and units of our settings.

    ``manager``  who sets it: ``tuned``, ``NetworkManager``, ``irqbalance`` ...
    ``file``     the file that says so, and ``line`` in it; for a daemon without one what shows that it runs.
    ``option``   what stands there, in the manager's own words: ``[net] ring``.
    ``value``    None where the file does not tell it: the manager computes it, or moves it all the time.
    ``active``   whether the manager sets it now or at its next occasion (boot, hotplug, link up); false for
                 one that is configured and does not run.
    ``made_by``  the file from which ``file`` is generated, with its line (netplan), or empty.
    """

    manager: str
    file: str
    line: Optional[int]
    option: str
    setting: Setting
    key: str
    value: Optional[Value]
    active: bool = True
    made_by: str = ""

    @property
    def origin(self) -> str:
        """``/etc/tuned/fast/tuned.conf:12, [net] ring``"""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [place, self.option, f"made from {self.made_by}" if self.made_by else ""]
        return ", ".join(part for part in parts if part)

    @property
    def does(self) -> str:
        """``tuned sets 1024``"""
        if self.value is None:
            return f"{self.manager} decides it by itself"
        return f"{self.manager} sets {worded(self.value)}"


@dataclass(frozen=True)
class Conflict:
    """A value of ours that another manager sets too, and otherwise. ``target`` is the NIC's name."""

    target: str
    claim: Claim
    want: Value

    @property
    def path(self) -> str:
        return f"{self.target}.{self.claim.setting}.{self.claim.key}"

    @property
    def other(self) -> str:
        return f"{self.claim.does} ({self.claim.origin})"

    def __str__(self) -> str:
        name = f"{self.claim.setting}.{self.claim.key}"
        return (
            f"{self.target}: {name}: {self.other}, Wirespeed {worded(self.want)}: both will win in turn. "
            f"Remove it there, or leave {name} out here."
        )


def worded(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
