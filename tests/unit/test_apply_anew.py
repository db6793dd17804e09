# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo and recovery of a step that deletes the interface and makes a new one, with the driver's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import pytest

from wirespeed.apply import journal as journals
from wirespeed.apply.executor import ApplyFailed, Transaction
from wirespeed.apply.recover import recover
from wirespeed.errors import KernelRefusal
from wirespeed.model.step import Action, Step

TUNED = {"channels": 2, "rings": 512}
OWN = {"channels": 8, "rings": 1024}
ANEW = {"device": "pci/0000:01:00.0", "up": True, "settings": {"channels": {"value": 2}, "rings": {"value": 512}}}


class Card:
    """A NIC whose driver starts anew with its own settings; it refuses a value, or dies when it has set one."""

    def __init__(self, refuses: Optional[int] = None, dies_at: Optional[int] = None, untouched: bool = False) -> None:
        self.queues = 1
        self.settings: Optional[Dict[str, int]] = dict(TUNED)
        self.starts = 0
        self.refuses, self.dies_at, self.untouched = refuses, dies_at, untouched

    def apply(self, step: Step) -> None:
        value = step.after["value"]
        if value == self.refuses:
            refusal = KernelRefusal("a call", 22)
            refusal.nothing_changed = self.untouched
            raise refusal
        if step.anew:
            self.queues, self.settings = value, dict(OWN)
            self.starts += 1
        elif self.settings is None:
            raise KernelRefusal("rtnetlink GETLINK eth1", 19)
        else:
            self.settings[step.resource] = value
        if value == self.dies_at:
            raise KeyboardInterrupt

    def deviation(self, step: Step) -> str:
        found = self.queues if step.anew else (self.settings or {}).get(step.resource)
        return "" if found == step.after["value"] else f"{step.resource} is {found}"


def set_to(resource: str, before: int, after: int, anew: Optional[Mapping[str, Any]] = None) -> Step:
    return Step("eth1", Action.SET, resource, {"value": before}, {"value": after}, "a reason", "test", anew=anew)


STEPS = [set_to("queues", 1, 3, ANEW), set_to("channels", 2, 2), set_to("rings", 512, 4096)]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def run(card: Card, journal: Path, steps: List[Step] = STEPS) -> Transaction:
    transaction = Transaction({Action.SET: card}, journals.start(journal, "boot"))
    transaction.run(steps)
    return transaction


def test_all_settings_are_as_before_after_a_later_step_failed(journal: Path) -> None:
    card = Card(refuses=4096)
    with pytest.raises(ApplyFailed) as failed:
        run(card, journal)
    assert (card.queues, card.settings, failed.value.clean) == (1, TUNED, True)
    assert card.starts == 2 and not journal.exists()


def test_a_step_that_changed_nothing_is_not_undone(journal: Path) -> None:
    card = Card(refuses=3, untouched=True)
    with pytest.raises(ApplyFailed):
        run(card, journal)
    assert (card.queues, card.settings, card.starts) == (1, TUNED, 0) and not journal.exists()


def test_one_that_failed_half_way_is(journal: Path) -> None:
    card = Card(refuses=3)
    with pytest.raises(ApplyFailed):
        run(card, journal)
    assert card.starts == 1 and card.settings == TUNED


@pytest.mark.parametrize("dies_at", [3, 2, 4096])
def test_a_killed_run_is_undone_from_its_journal_alone(journal: Path, dies_at: int) -> None:
    card = Card(dies_at=dies_at)
    with pytest.raises(KeyboardInterrupt):
        run(card, journal)
    card.dies_at = None
    recover(journal, "boot", {Action.SET: card}, {"eth1"})
    assert (card.queues, card.settings) == (1, TUNED) and not journal.exists()


def test_a_nic_whose_driver_left_no_interface_comes_back(journal: Path) -> None:
    card = Card(dies_at=3)
    with pytest.raises(KeyboardInterrupt):
        run(card, journal)
    card.dies_at, card.settings = None, None
    assert recover(journal, "boot", {Action.SET: card}, ())
    assert (card.queues, card.settings) == (1, TUNED) and not journal.exists()


def test_what_was_set_after_the_start_needs_no_undo_of_its_own(journal: Path) -> None:
    """It would meet no interface, or write what goes with the next one."""
    card = Card(dies_at=4096)
    with pytest.raises(KeyboardInterrupt):
        run(card, journal)
    card.dies_at, card.settings = None, None
    recover(journal, "boot", {Action.SET: card}, ())
    assert (card.queues, card.settings) == (1, TUNED) and not journal.exists()


def test_a_nic_that_went_for_another_reason_has_nothing_to_undo(journal: Path) -> None:
    card = Card(dies_at=4096)
    with pytest.raises(KeyboardInterrupt):
        run(card, journal, STEPS[1:])
    assert recover(journal, "boot", {Action.SET: card}, ()) == ()


def test_what_cannot_be_put_back_keeps_the_journal_and_does_not_stop_the_rest(journal: Path) -> None:
    card = Card(refuses=4096)
    steps = [set_to("queues", 1, 3, {**ANEW, "settings": {"channels": {"value": 4096}, "rings": {"value": 512}}})]
    with pytest.raises(ApplyFailed) as failed:
        run(card, journal, [*steps, set_to("rings", 512, 4096)])
    assert not failed.value.clean and "eth1.channels" in failed.value.remedy and journal.exists()
    assert card.settings is not None and card.settings["rings"] == 512
