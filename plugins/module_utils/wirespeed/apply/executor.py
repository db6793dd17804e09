# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a plan: journal, act, read back; on any failure undo what was done, newest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Mapping, Optional, Protocol, Sequence, Tuple

from ..errors import ReadBackMismatch, WirespeedError
from ..model.settings import READS_BACK_FALSELY
from ..model.step import Action, Step
from . import journal as journals


class Actuator(Protocol):
    """What carries out the steps of some actions; each lives with what it changes.

    ``apply`` raises :class:`WirespeedError`; it may be called for what is so already.
    ``deviation`` reads back: empty when the node is as ``step.after`` says, else a sentence about
    what is there instead.
    """

    def apply(self, step: Step) -> None: ...

    def deviation(self, step: Step) -> str: ...


Actuators = Mapping[Action, Actuator]


@dataclass(frozen=True)
class Outcome:
    """``done`` in the order in which they ran; ``undone`` newest first, after a failure."""

    done: Tuple[Step, ...]
    undone: Tuple[Step, ...] = ()


class ApplyFailed(WirespeedError):
    """A step failed. ``outcome`` says what was undone; ``clean`` whether all of it was."""

    def __init__(self, step: Step, cause: WirespeedError, outcome: Outcome, left: Sequence[str]) -> None:
        problem = f"{step.path}: {step.action} {_change(step)} failed: {cause.problem}"
        if left:
            remedy = f"NOT undone: {'; '.join(left)}. The next run tries again to undo it."
        else:
            remedy = f"{len(outcome.undone)} earlier step(s) were undone; the node is as before."
        super().__init__(problem, f"{remedy} {cause.remedy}".strip())
        self.step = step
        self.cause = cause
        self.outcome = outcome
        self.clean = not left


class Transaction:
    """Steps under one journal, in as many goes as it takes: in the end all of them stand, or none.

    A process that dies in between leaves the journal, and the next run undoes what it names.
    """

    def __init__(self, actuators: Actuators, journal: journals.Journal) -> None:
        self._actuators = actuators
        self._journal = journal
        self._begun: List[Tuple[int, Step]] = []

    @property
    def steps(self) -> Tuple[Step, ...]:
        return tuple(step for _index, step in self._begun)

    def run(self, steps: Sequence[Step]) -> None:
        """Raises :class:`ApplyFailed` after rolling back everything since the transaction began."""
        for number, step in enumerate(steps, 1):
            self._begun.append((self._journal.begin(step), step))
            try:
                _act(step, self._actuators)
            except WirespeedError as cause:
                earlier = self.steps[:-1]
                if cause.nothing_changed:
                    self._journal.undone(self._begun.pop()[0])
                undone, left = self.roll_back(steps[number:])
                outcome = Outcome(earlier, tuple(each for each in undone if each is not step))
                raise ApplyFailed(step, cause, outcome, left) from cause

    def roll_back(self, ahead: Sequence[Step] = ()) -> Tuple[List[Step], List[str]]:
        """Newest first; ``ahead`` were not begun. The journal stays for the next run if something resists."""
        undone, left = undo(list(reversed(self._begun)), self._actuators, self._journal, ahead)
        if left:
            self._journal.keep()
        else:
            self._journal.close()
        return undone, left

    def commit(self) -> Tuple[Step, ...]:
        self._journal.close()
        return self.steps


def _act(step: Step, actuators: Actuators) -> None:
    actuator = actuators[step.action]
    actuator.apply(step)
    found = actuator.deviation(step)
    if found:
        raise ReadBackMismatch(f"the call succeeded, but reading back finds: {found}")


def undo(
    newest_first: Sequence[Tuple[int, Step]],
    actuators: Actuators,
    journal: Optional[journals.Journal],
    ahead: Sequence[Step] = (),
) -> Tuple[List[Step], List[str]]:
    """Undo what can be undone; returns those steps, and a sentence for each that resisted.

    Steps ``ahead`` were never begun, but what an earlier one made the driver forget may be theirs to write again.

    The newest step may be half done or not begun at all, so actuators take an inverse that has
    nothing to do, and do nothing then.
    """
    undone: List[Step] = []
    left: List[str] = []
    stuck: List[Tuple[int, Step]] = []

    def try_one(index: int, step: Step, older: Sequence[Step]) -> List[str]:
        resisting = [] if _put_back_by(older, step) else _undo(step, actuators)
        if not resisting:
            undone.append(step)
            if journal is not None:
                journal.undone(index)
        return resisting

    for number, (index, step) in enumerate(newest_first, 1):
        older = [each for _index, each in newest_first[number:]]
        if try_one(index, step, older):
            stuck.append((index, step))
        if step.target not in [each.target for each in older if each.action is not Action.AWAIT]:
            left += _written_again([*reversed(ahead), *undone], step.target, actuators)
            # What a forgotten setting stood in the way of goes now: fewer channels, once the table is back.
            left += [problem for at, each in stuck for problem in try_one(at, each, ())]
            if stuck:
                left += _written_again([*reversed(ahead), *undone], step.target, actuators)
            stuck = []
    return undone, left


def _written_again(all_newest_first: Sequence[Step], target: str, actuators: Actuators) -> List[str]:
    """Write once more what the undo of an older step has made the driver forget; a sentence for what resisted.

    Channels are undone after the RSS table that was set for them, and drivers put their own table in place then (igb,
    ena, qede); what they forget although it still reads back is written whenever anything was undone after it.
    """
    left = []
    newest_first = [step for step in all_newest_first if step.target == target and step.action is not Action.AWAIT]
    for position, step in reversed(list(enumerate(newest_first))):
        older = newest_first[position + 1 :]
        own = [each for each in older if each.action is step.action and each.resource == step.resource]
        values = {key: value for key, value in step.before.items() if not any(key in each.before for each in own)}
        if step.action is not Action.SET or step.anew is not None or not older or not values:
            continue
        original = replace(step.inverted(), before={}, after=values)
        deviates = True
        falsely = step.resource in READS_BACK_FALSELY and len(own) < len(older)
        try:
            deviates = bool(actuators[Action.SET].deviation(original))
            if deviates or falsely:
                _act(original, actuators)
        except WirespeedError as error:
            if deviates:  # else it reads as it was, and a driver that forgets falsely does not refuse to be told again
                left.append(f"{step.path} ({error.problem})")
    return left


def _put_back_by(older: Sequence[Step], step: Step) -> bool:
    """Whether the undo of an older step makes the interface anew, and writes this step's setting then."""
    return step.action is Action.SET and any(
        each.anew is not None and each.target == step.target and step.resource in each.anew["settings"]
        for each in older
    )


def _undo(step: Step, actuators: Actuators) -> List[str]:
    """All that its undo takes, also after a part of it failed; a sentence for each part that did."""
    left = []
    for part in step.undoing():
        try:
            _act(part, actuators)
        except WirespeedError as error:
            left.append(f"{part.path} ({error.problem})")
    return left


def _change(step: Step) -> str:
    keys = [key for key in (*step.after, *step.before) if key in step.after or key in step.before]
    pairs = (f"{key} {step.before.get(key, 'none')} -> {step.after.get(key, 'none')}" for key in dict.fromkeys(keys))
    return ", ".join(pairs)
