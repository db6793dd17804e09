# SPDX-License-Identifier: GPL-3.0-or-later
"""A Step is data: what changes, from what to what, why, at what cost, and how to undo it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple

from .claim import Conflict


class Disruption(str, Enum):
    """What traffic feels while a step runs; ordered from nothing to the worst.

    ``none``    nothing.
    ``pause``   NAPI or rings stand still for a moment; packets wait or drop in the NIC.
    ``reset``   rings are re-created; packets in them are lost.
    ``bounce``  the carrier goes down and up; neighbours notice.
    ``gap``     XDP is absent for a moment: packets pass unfiltered.
    """

    NONE = "none"
    PAUSE = "pause"
    RESET = "reset"
    BOUNCE = "bounce"
    GAP = "gap"

    @property
    def rank(self) -> int:
        return list(Disruption).index(self)

    def exceeds(self, limit: "Disruption") -> bool:
        return self.rank > limit.rank

    def __str__(self) -> str:
        return self.value


class Action(str, Enum):
    """What a step does. Each has its inverse, so an undo is a step like any other."""

    SET = "set"  # a setting of a NIC
    LOAD = "load"  # an instance into bpffs
    UNLOAD = "unload"
    CONFIGURE = "configure"  # rows of an instance's table
    DELIVER = "deliver"  # a whole document into an instance's tables
    PUBLISH = "publish"  # the instance in the root's slot
    ROOT = "root"  # another root, beside the one that the NICs still carry
    FORMER_ROOT = "former root"
    ATTACH = "attach"  # the root on a NIC
    DETACH = "detach"
    SWAP = "swap"  # the program on a NIC's hook for another one, without a gap
    ADOPT = "adopt"  # a program that someone else attached, as it runs
    RELEASE = "release"
    CARRY = "carry"  # state of the generation before, once no NIC runs that any more
    TEST = "test"  # the manifest's packets, in a program that nobody runs
    WATCH = "watch"  # the counters over a window before a publish, and after it
    AWAIT = "await"  # the carrier of a NIC, before another member of its bond is touched

    @property
    def inverse(self) -> "Action":
        return _INVERSE.get(self, self)

    def __str__(self) -> str:
        return self.value


_INVERSE = {
    Action.LOAD: Action.UNLOAD,
    Action.UNLOAD: Action.LOAD,
    Action.ATTACH: Action.DETACH,
    Action.DETACH: Action.ATTACH,
    Action.ROOT: Action.FORMER_ROOT,
    Action.FORMER_ROOT: Action.ROOT,
    Action.ADOPT: Action.RELEASE,
    Action.RELEASE: Action.ADOPT,
}


@dataclass(frozen=True)
class Step:
    """One change.

    ``target``    the NIC's or the pipeline's name.
    ``resource``  a setting's name, ``xdp``, ``instance``, ``slot`` or a table's name.
    ``before``, ``after``  JSON values by key; only the keys that change.
    ``why``       the rule that asks for it, ``origin`` the file or intent it stands in.
    ``because``   set when the step repairs nothing by itself but another step needs it
                  (``channels`` on a detach, ``attach`` on an RSS rewrite): it is no drift.
    ``anew``      set when the step deletes the interface and makes a new one: the ``device`` behind it,
                  whether it was ``up``, and its ``settings``, which only the undo puts back; in the
                  order in which they must be written.
    """

    target: str
    action: Action
    resource: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str
    origin: str
    disruption: Disruption = Disruption.NONE
    because: Optional[str] = None
    anew: Optional[Mapping[str, Any]] = None

    @property
    def path(self) -> str:
        return f"{self.target}.{self.resource}"

    def inverted(self) -> "Step":
        """The step that undoes this one."""
        return replace(
            self,
            action=self.action.inverse,
            before=self.after,
            after=self.before,
            why=f"undo: {self.why}",
        )

    def undoing(self) -> "Tuple[Step, ...]":
        """The steps that undo this one: its inverse, then what that inverse in turn takes away."""
        lost = self.anew["settings"] if self.anew else {}
        return (
            self.inverted(),
            *(
                Step(self.target, Action.SET, name, {}, values, f"undo: {self.why}", self.origin)
                for name, values in lost.items()
            ),
        )

    def to_json(self) -> Dict[str, Any]:
        """``anew`` only where there is one."""
        data = {
            "target": self.target,
            "action": self.action.value,
            "resource": self.resource,
            "before": dict(self.before),
            "after": dict(self.after),
            "why": self.why,
            "origin": self.origin,
            "disruption": self.disruption.value,
            "because": self.because,
        }
        return {**data, "anew": dict(self.anew)} if self.anew else data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Step":
        fields = dict(data)
        fields["action"] = Action(fields["action"])
        fields["disruption"] = Disruption(fields["disruption"])
        return cls(**fields)


@dataclass(frozen=True)
class Refusal:
    """Why a NIC cannot be brought where the intent wants it, and what would cure it.

    ``unsupported``: this NIC, driver or kernel never could, whoever changed what.
    """

    target: str
    resource: str
    reason: str
    remedy: str
    unsupported: bool = False

    def __str__(self) -> str:
        return f"{self.target}: {self.resource}: {self.reason} {self.remedy}".strip()


@dataclass(frozen=True)
class Plan:
    """Ordered steps, what stands against them, and what the user should know.

    ``conflicts`` are the values that another manager of the host sets otherwise; each is a warning too.

    A plan with refusals is never applied, not even in part.
    """

    steps: Tuple[Step, ...] = ()
    refusals: Tuple[Refusal, ...] = ()
    warnings: Tuple[str, ...] = field(default_factory=tuple)
    conflicts: Tuple[Conflict, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.steps

    @property
    def drift(self) -> Tuple[Step, ...]:
        """The steps that stand for a deviation of their own."""
        return tuple(step for step in self.steps if step.because is None)
