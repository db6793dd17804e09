# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a node that a killed run left half-way back to the state before that run."""

from __future__ import annotations

from pathlib import Path
from typing import Collection, Tuple

from ..errors import WirespeedError
from ..model.step import Action
from . import journal as journals
from .actuator import Actuators
from .undo import undo

_OF_A_NIC = (Action.SET, Action.ATTACH, Action.DETACH, Action.AWAIT)


def pending(journal_path: Path) -> bool:
    """Whether a run was killed half-way; what check mode tells, since it may not undo anything."""
    return journal_path.exists()


def recover(journal_path: Path, boot_id: str, actuators: Actuators, nics: Collection[str]) -> Tuple[str, ...]:
    """Undo the steps of an unfinished journal, newest first, and remove it.

    Returns one sentence per undone step, for the report. Steps on a NIC that is no longer there
    have nothing to undo, unless a later one of them took it away to make it anew: its undo brings it
    back. Raises :class:`WirespeedError` when an undo fails: the journal stays.
    """
    steps = journals.unfinished(journal_path, boot_id)
    if steps is None:
        return ()
    there = {*nics, *(step.target for _index, step in steps if step.anew)}
    alive = [(i, step) for i, step in steps if step.action not in _OF_A_NIC or step.target in there]
    undone, left = undo(alive, actuators, None)
    if left:
        raise WirespeedError(
            f"An earlier run was killed half-way and this could not be undone: {'; '.join(left)}.",
            f"Mend the cause and run again. To give up on the undo, remove {journal_path}.",
        )
    journal_path.unlink()
    return tuple(f"{step.path}: {step.action} of a killed run was undone" for step in undone)
