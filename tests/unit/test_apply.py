# SPDX-License-Identifier: GPL-3.0-or-later
"""Running steps: journal ahead, read back, undo newest first, recovery after a kill."""

from __future__ import annotations

import json

import pytest

from wirespeed.apply import journal as journals
from wirespeed.apply.executor import ApplyFailed, Transaction
from wirespeed.apply.lock import node_lock
from wirespeed.apply.recover import recover
from wirespeed.errors import Busy, KernelRefusal, WirespeedError
from wirespeed.model.step import Action, Step


class Dial:
    """A setting that remembers every write; it refuses, ignores or dies at chosen values."""

    def __init__(self, value=0, refuses=(), ignores=(), dies_at=None):
        self.value = value
        self.writes = []
        self.refuses = refuses
        self.ignores = ignores
        self.dies_at = dies_at

    def apply(self, step):
        wanted = step.after["value"]
        self.writes.append(wanted)
        if wanted in self.refuses:
            raise KernelRefusal("ethtool RINGS_SET eth1", 22, "requested ring size exceeds maximum")
        if wanted == self.dies_at:
            raise KeyboardInterrupt
        if wanted not in self.ignores:
            self.value = wanted

    def deviation(self, step):
        return "" if self.value == step.after["value"] else f"value is {self.value}"


def step(before, after):
    return Step("eth1", Action.SET, "rings", {"value": before}, {"value": after}, "a reason", "test")


def run(steps, actuators, journal, boot):
    transaction = Transaction(actuators, journals.start(journal, boot))
    transaction.run(steps)
    transaction.commit()


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "state" / "journal"


def test_steps_run_in_order_and_the_journal_is_gone(journal):
    dial = Dial()
    run([step(0, 1), step(1, 2)], {Action.SET: dial}, journal, "boot")
    assert dial.writes == [1, 2] and not journal.exists()


def test_each_step_is_in_the_journal_before_it_runs(journal):
    seen = []

    class Watching(Dial):
        def apply(self, each):
            seen.append(json.loads(journal.read_text().splitlines()[-1])["begin"]["after"])
            super().apply(each)

    run([step(0, 1)], {Action.SET: Watching()}, journal, "boot")
    assert seen == [{"value": 1}]


def test_a_refusal_undoes_the_earlier_steps_newest_first(journal):
    dial = Dial(refuses=(99,))
    with pytest.raises(ApplyFailed) as failure:
        run([step(0, 1), step(1, 2), step(2, 99)], {Action.SET: dial}, journal, "boot")
    assert dial.writes == [1, 2, 99, 2, 1, 0] and not journal.exists()
    assert len(failure.value.outcome.undone) == 2


def test_the_error_names_nic_setting_value_errno_and_extack(journal):
    with pytest.raises(ApplyFailed) as failure:
        run([step(0, 99)], {Action.SET: Dial(refuses=(99,))}, journal, "boot")
    for part in ("eth1.rings", "99", "EINVAL", "requested ring size exceeds maximum"):
        assert part in str(failure.value)


def test_a_write_that_does_not_stick_is_a_failure(journal):
    with pytest.raises(ApplyFailed, match="reading back finds: value is 0"):
        run([step(0, 5)], {Action.SET: Dial(ignores=(5,))}, journal, "boot")


def test_a_failed_undo_is_told_and_the_journal_stays(journal):
    dial = Dial(refuses=(0, 99))
    with pytest.raises(ApplyFailed, match=r"NOT undone: eth1\.rings"):
        run([step(0, 1), step(1, 99)], {Action.SET: dial}, journal, "boot")
    assert journal.exists()


def test_a_later_go_that_fails_undoes_the_earlier_goes_too(journal):
    dial = Dial(refuses=(99,))
    transaction = Transaction({Action.SET: dial}, journals.start(journal, "boot"))
    transaction.run([step(0, 1)])
    with pytest.raises(ApplyFailed):
        transaction.run([step(1, 99)])
    assert dial.value == 0 and not journal.exists()


def killed(journal, dial):
    with pytest.raises(KeyboardInterrupt):
        run([step(0, 1), step(1, 2)], {Action.SET: dial}, journal, "boot")
    dial.dies_at = None


def test_recovery_brings_a_killed_run_back_to_before(journal):
    dial = Dial(dies_at=2)
    killed(journal, dial)
    assert len(recover(journal, "boot", {Action.SET: dial}, ["eth1"])) == 2
    assert dial.value == 0 and not journal.exists()


def test_after_a_reboot_there_is_nothing_to_undo(journal):
    dial = Dial(dies_at=2)
    killed(journal, dial)
    assert recover(journal, "another boot", {Action.SET: dial}, ["eth1"]) == ()
    assert not journal.exists()


def test_a_torn_last_line_was_never_acted_on(journal):
    dial = Dial(dies_at=2)
    killed(journal, dial)
    with journal.open("a") as stream:
        stream.write('{"begin": {"target": "et')
    assert len(recover(journal, "boot", {Action.SET: dial}, ["eth1"])) == 2


def test_a_journal_of_another_format_is_left_alone(journal):
    journal.parent.mkdir(parents=True)
    journal.write_text('{"journal": 99, "boot": "boot"}\n')
    with pytest.raises(WirespeedError, match="another version"):
        recover(journal, "boot", {}, [])
    assert journal.exists()


def test_a_vanished_nic_has_nothing_to_undo(journal):
    dial = Dial(dies_at=2)
    killed(journal, dial)
    dial.writes.clear()
    recover(journal, "boot", {Action.SET: dial}, [])
    assert dial.writes == [] and not journal.exists()


def test_journals_are_for_root_alone(journal):
    opened = journals.start(journal, "boot")
    assert journal.stat().st_mode & 0o777 == 0o600
    opened.close()


def test_a_second_run_is_told_who_holds_the_lock(tmp_path):
    with node_lock(tmp_path / "lock"):
        with pytest.raises(Busy, match=r"process [0-9]+"):
            with node_lock(tmp_path / "lock"):
                pass


def test_the_lock_is_free_after_a_run(tmp_path):
    for _ in range(2):
        with node_lock(tmp_path / "lock"):
            pass
