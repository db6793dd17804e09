# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook wirespeed.xdp.rollout on a fleet of four, in batches of one, two and one, while all of them filter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.probes import requires

from .fleet import ALLOWED, DENIED, Fleet, kill, netns_fleet, until

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "bpftool", "clang")

BATCHES = {"wirespeed_rollout_serial": [1, 2, 1]}
SHORT = {"wirespeed_rollout_soak": {"seconds": 0.4, "min_packets": 20, "verdicts": {"spoilt": {"max_share": 0.05}}}}
LONG = {"wirespeed_rollout_soak": {"seconds": 2}}
BEFORE, AFTER = (1, True), (2, False)


@pytest.fixture(scope="module")
def made(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with netns_fleet(collections, tmp_path_factory.mktemp("fleet"), 4) as fleet:
        yield fleet


@pytest.fixture
def fleet(made: Fleet) -> Fleet:
    """All as before, and no result of an earlier test."""
    made.apply(made.before)
    for file in made.results.rglob("*.json"):
        file.unlink()
    return made


def rollout(fleet: Fleet, *arguments: str, **hosts: Dict[str, Any]) -> Any:
    """``hosts``: variables of single hosts."""
    extra = {**BATCHES, **SHORT}
    return fleet.play("rollout", fleet.after, "-e", json.dumps(extra), *arguments, hosts=hosts)


def found(fleet: Fleet) -> List[Any]:
    return list(zip(fleet.editions(), fleet.gro()))


def test_a_fault_on_the_canary_leaves_every_host_as_it_was(fleet: Fleet) -> None:
    with fleet.filtering():
        with fleet[1].faulty():
            answer = rollout(fleet)
        assert answer.code == 2, answer.said
        assert found(fleet) == [BEFORE] * 4
    assert fleet.states() == ["rolled_back", *["not_reached"] * 3]
    assert "napi" in fleet.record(1)["message"] and fleet.record(2) == {}


def test_a_fault_in_the_second_batch_takes_back_that_host_alone_and_stops(fleet: Fleet) -> None:
    with fleet.filtering():
        with fleet[3].faulty():
            answer = rollout(fleet)
        assert answer.code == 2, answer.said
        assert found(fleet) == [AFTER, AFTER, BEFORE, BEFORE]
    assert fleet.states() == ["changed", "changed", "rolled_back", "not_reached"]


def test_a_gate_that_fails_after_the_change_takes_back_that_host_alone_and_stops(fleet: Fleet) -> None:
    sour = fleet.wanted(2, gro=False, sour_after=30)
    with fleet.filtering():
        answer = rollout(fleet, **{fleet[2].name: sour})
        assert answer.code == 2, answer.said
        assert found(fleet) == [AFTER, BEFORE, AFTER, BEFORE]
    assert fleet.states() == ["changed", "rolled_back", "changed", "not_reached"]
    assert "verdict spoilt is" in fleet.record(2)["message"]
    assert fleet.record(2)["soak"]["windows"]["guard"]["after"]["verdicts"]["spoilt"] > 0


def test_a_host_that_is_lost_while_it_proves_itself_takes_itself_back_and_stops_the_rest(fleet: Fleet) -> None:
    lost = fleet[2]
    with fleet.filtering(), fleet.playing("rollout", fleet.after, "-e", json.dumps({**BATCHES, **LONG})) as run:
        until(lost.published_in_run, fleet.output)
        lost.cut_off()
        try:
            assert run.wait(60) == 2, fleet.output()
            until(lambda: not lost.underway(), lambda: "the host did not take itself back")
        finally:
            lost.back()
        assert found(fleet) == [AFTER, BEFORE, AFTER, BEFORE]
    assert fleet.states() == ["changed", "unreachable", "changed", "not_reached"]


def test_a_control_node_that_is_killed_leaves_each_host_whole_and_a_second_run_goes_on(fleet: Fleet) -> None:
    with fleet.filtering():
        with fleet.playing("rollout", fleet.after, "-e", json.dumps({**BATCHES, **LONG})) as run:
            until(lambda: fleet[2].published_in_run() and fleet[3].published_in_run(), fleet.output)
            kill(run)
        until(lambda: not any(member.underway() for member in fleet.members), lambda: "a host did not take itself back")
        assert found(fleet) == [AFTER, *[BEFORE] * 3]
        assert [fleet.record(number).get("state") for number in (1, 2, 4)] == ["changed", "begun", None]
        first = fleet.record(1)["before"]
        answer = rollout(fleet)
        assert answer.code == 0, answer.said
        assert found(fleet) == [AFTER] * 4
    assert fleet.states() == ["unchanged", *["changed"] * 3]
    assert fleet.record(1)["before"] == first != fleet.record(1)["after"]


def test_nothing_is_changed_where_one_host_would_be_refused(fleet: Fleet) -> None:
    refused = {"wirespeed_nics": [{"name": "eth77", "pipeline": "guard"}]}
    with fleet.filtering():
        answer = rollout(fleet, **{fleet[4].name: refused})
        assert found(fleet) == [BEFORE] * 4
    assert answer.code == 2
    assert f"Nothing was changed on any host. {fleet[4].name}: " in answer.said and "'eth77'" in answer.said
    assert (found(fleet) == [BEFORE] * 4 and not fleet.results.exists()) or list(fleet.results.rglob("*.json")) == []


def test_check_mode_shows_the_plans_and_changes_nothing(fleet: Fleet) -> None:
    with fleet.filtering():
        answer = rollout(fleet, "--check")
        assert found(fleet) == [BEFORE] * 4
    assert answer.code == 0, answer.said
    assert answer.out.count("guard: publish") == 4
    assert list(fleet.results.rglob("*.json")) == []


def test_rollback_brings_the_hosts_that_a_rollout_has_changed_back_to_what_they_ran_before(fleet: Fleet) -> None:
    with fleet.filtering():
        with fleet[3].faulty():
            assert rollout(fleet).code == 2
        answer = fleet.play("rollback", fleet.after)
        assert answer.code == 0, answer.said
        assert found(fleet) == [BEFORE] * 4
        again = fleet.play("rollback", fleet.after)
        assert again.code == 0 and "changed=1" not in again.out, again.said


def test_code_and_tuning_go_back_by_themselves_without_a_result(fleet: Fleet) -> None:
    with fleet.filtering():
        fleet.apply(fleet.after)
        previous = {"wirespeed_rollback_what": ["code"], "wirespeed_rollback_to": "previous"}
        answer = fleet.play("rollback", fleet.after, "-e", json.dumps(previous))
        assert answer.code == 0, answer.said
        assert found(fleet) == [(1, False)] * 4
        before = {"wirespeed_rollback_to": {"tuning": fleet[1].tuning() - 1}}
        answer = fleet.play("rollback", fleet.after, "--limit", fleet[1].name, "-e", json.dumps(before))
        assert answer.code == 0, answer.said
        assert found(fleet) == [(1, True), *[(1, False)] * 3]


def test_a_document_reaches_all_hosts_and_one_that_misbehaves_is_taken_back_on_the_first(fleet: Fleet) -> None:
    wanted = fleet.with_document([DENIED])
    fleet.apply(fleet.without_tables(fleet.before))
    answer = fleet.play("rollout", wanted, "-e", json.dumps({**BATCHES, **SHORT}))
    assert answer.code == 0, answer.said
    assert fleet.summary()["configuration_seconds"]["guard"] > 0
    assert "configuration of guard: on the last host" in answer.out
    with fleet.filtering():
        wrong = {"wirespeed_rollout_soak": {"seconds": 0.4, "min_packets": 20, "max_change": 0.1}}
        answer = fleet.play("rollout", fleet.with_document([DENIED, ALLOWED]), "-e", json.dumps({**BATCHES, **wrong}))
        assert answer.code == 2, answer.said
    assert fleet.states() == ["rolled_back", *["not_reached"] * 3]
    assert "verdict denied went from" in fleet.record(1)["message"]
