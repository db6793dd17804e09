# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a plan: journal, act, read back; on any failure undo what was done, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import List, Mapping, Optional, Sequence, Tuple, Type

from ..errors import WirespeedError
from ..model.step import Step
from . import journal as journals
from .actuator import Actuators, act
from .undo import undo


@dataclass(frozen=True)
class Outcome:
    """``done`` in the order in which they ran; ``undone`` newest first, after a failure."""

    done: Tuple[Step, ...]
    undone: Tuple[Step, ...] = ()


class ApplyFailed(WirespeedError):
    """A step failed. ``outcome`` says what was undone; ``clean`` whether all of it was."""

    def __init__(self, step: Step, cause: WirespeedError, outcome: Outcome, left: Sequence[str]) -> None:
        problem = f"{step.path}: {step.action} {_change(step)} failed: {cause.problem}"
        super().__init__(problem, f"{_told(len(outcome.undone), left)} {cause.remedy}".strip())
        self.step = step
        self.cause = cause
        self.outcome = outcome
        self.clean = not left


class Transaction:
    """Steps under one journal, in as many goes as it takes: in the end all of them stand, or none.

    A process that dies in between leaves the journal, and the next run undoes what it names. As a context, Ctrl-C in
    the body undoes everything too, and says so; a second one in the middle of that leaves the rest to the next run.
    """

    def __init__(self, actuators: Actuators, journal: journals.Journal) -> None:
        self._actuators = actuators
        self._journal = journal
        self._begun: List[Tuple[int, Step]] = []
        self._committed = False

    def __enter__(self) -> "Transaction":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if isinstance(error, KeyboardInterrupt) and not self._committed:
            undone, left = self.roll_back()
            error.args = (_told(len(undone), left),)

    @property
    def steps(self) -> Tuple[Step, ...]:
        return tuple(step for _index, step in self._begun)

    def run(self, steps: Sequence[Step]) -> None:
        """Raises :class:`ApplyFailed` after rolling back everything since the transaction began."""
        for number, step in enumerate(steps, 1):
            self._begun.append((self._journal.begin(step), step))
            try:
                act(step, self._actuators)
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
        self._committed = True
        self._journal.close()
        return self.steps


def _told(undone: int, left: Sequence[str]) -> str:
    if left:
        return f"NOT undone: {'; '.join(left)}. The next run tries again to undo it."
    return f"{undone} earlier step(s) were undone; the node is as before."


def _change(step: Step) -> str:
    keys = [key for key in (*step.after, *step.before) if not isinstance(step.after.get(key), Mapping)]
    pairs = (f"{key} {step.before.get(key, 'none')} -> {step.after.get(key, 'none')}" for key in dict.fromkeys(keys))
    return ", ".join(pairs)
