# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong in a rollout. Each test file with a fixture ``fleet`` has these tests of it.

The second batch has the members 2 and 3, and perhaps more; the third is never empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .fleet import BEFORE, Fleet, kill, places


def test_a_fault_on_the_canary_leaves_every_host_as_it_was(fleet: Fleet[Any]) -> None:
    with fleet.filtering():
        with fleet[1].faulty():
            answer = fleet.rollout()
        assert answer.code == 2, answer.said
        expected = fleet.expected(1, {1: "rolled_back"})
        assert fleet.ended() == places(expected)
    assert fleet.states() == expected
    assert "napi" in fleet.record(1)["message"] and fleet.record(2) == {}


def test_a_fault_in_the_second_batch_takes_back_that_host_alone_and_stops(fleet: Fleet[Any]) -> None:
    with fleet.filtering():
        with fleet[3].faulty():
            answer = fleet.rollout()
        assert answer.code == 2, answer.said
        expected = fleet.expected(2, {3: "rolled_back"})
        assert fleet.ended() == places(expected)
    assert fleet.states() == expected


def test_a_gate_that_fails_after_the_change_takes_back_that_host_alone_and_stops(fleet: Fleet[Any]) -> None:
    a_gate_that_fails(fleet)


def a_gate_that_fails(fleet: Fleet[Any]) -> str:
    """What Ansible says of it."""
    sour = fleet[2].variables(replace(fleet.after, constants={"sour_after": 30}))
    with fleet.filtering():
        answer = fleet.rollout(hosts={fleet[2].name: sour})
        assert answer.code == 2, answer.said
        expected = fleet.expected(2, {2: "rolled_back"})
        assert fleet.ended() == places(expected)
    assert fleet.states() == expected
    assert "verdict spoilt is" in fleet.record(2)["message"]
    assert fleet.record(2)["soak"]["windows"]["guard"]["after"]["verdicts"]["spoilt"] > 0
    return answer.out


def test_a_host_that_is_lost_while_it_proves_itself_takes_itself_back_and_stops_the_rest(fleet: Fleet[Any]) -> None:
    lost = fleet[2]
    with fleet.filtering(), fleet.rolling_out(fleet.at_leisure) as run:
        fleet.until(lost.published_in_run, fleet.output)
        lost.cut_off()
        try:
            fleet.until(lambda: run.poll() is not None, fleet.output)
            assert run.returncode == 2, fleet.output()
            fleet.until(lambda: not lost.underway(), lambda: "the host did not take itself back")
        finally:
            lost.back()
        expected = fleet.expected(2, {2: "unreachable"})
        assert fleet.ended() == places(expected)
    assert fleet.states() == expected


def test_a_control_node_that_is_killed_leaves_each_host_whole_and_a_second_run_goes_on(fleet: Fleet[Any]) -> None:
    last = len(fleet.members)
    with fleet.filtering():
        with fleet.rolling_out(fleet.at_leisure) as run:
            # It has yet to prove itself then, so none of the batch is through, and some may not have begun.
            fleet.until(lambda: fleet[2].published_in_run() or fleet[3].published_in_run(), fleet.output)
            kill(run)
        for member in fleet.members:
            fleet.until(member.idle, lambda: "a host did not take itself back")
        expected = fleet.expected(1)
        assert fleet.ended() == places(expected)
        assert [fleet.record(number).get("state") for number in (1, 2, last)] == ["changed", "begun", None]
        first = fleet.record(1)["before"]
        answer = fleet.rollout()
        assert answer.code == 0, answer.said
        assert fleet.ended() == places(["changed"] * last)
    assert fleet.states() == ["unchanged", *["changed"] * (last - 1)]
    assert fleet.record(1)["before"] == first != fleet.record(1)["after"]


def test_nothing_is_changed_where_one_host_would_be_refused(fleet: Fleet[Any]) -> None:
    last = fleet.members[-1]
    refused = {"wirespeed_nics": [{"name": "eth77", "pipeline": "guard"}]}
    with fleet.filtering():
        answer = fleet.rollout(hosts={last.name: refused})
        assert fleet.ended() == [BEFORE] * len(fleet.members)
    assert answer.code == 2
    assert f"Nothing was changed on any host. {last.name}: " in answer.said and "'eth77'" in answer.said
    assert list(fleet.results.rglob("*.json")) == []
