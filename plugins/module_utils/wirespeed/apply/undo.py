# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo steps, newest first, and write again what an undo makes a driver forget."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

from ..errors import WirespeedError
from ..model.settings import READS_BACK_FALSELY
from ..model.step import Action, Step
from .actuator import Actuators, act
from .journal import Journal


def undo(
    newest_first: Sequence[Tuple[int, Step]],
    actuators: Actuators,
    journal: Optional[Journal],
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
                act(original, actuators)
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
            act(part, actuators)
        except WirespeedError as error:
            left.append(f"{part.path} ({error.problem})")
    return left
