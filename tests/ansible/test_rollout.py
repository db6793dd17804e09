# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook wirespeed.xdp.rollout on a fleet of four, in batches of one, two and one, while all of them filter.

On machines with drivers and kernels of their own: tests/lab/test_rollout.py.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.documentation import held
from tests.netns_node.node import NetnsNode
from tests.probes import requires
from tests.rollout import guard
from tests.rollout.fleet import BEFORE, Fleet, places
from tests.rollout.guard import ALLOWED, DENIED
from tests.rollout.netns_member import NetnsMember
from tests.rollout.scenarios import *  # noqa: F403 - tests, of which this file has the fleet
from tests.rollout.scenarios import a_gate_that_fails

from .conftest import Control

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "bpftool", "clang")

Four = Fleet[NetnsMember]
NAMES = {"edge": "fleet"}
"""What the hosts of the page are called here."""


@pytest.fixture(scope="module")
def made(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Four]:
    """Nodes that run edition 1 and deny, with GRO on."""
    work = tmp_path_factory.mktemp("fleet")
    manifest = guard.write(work)
    with contextlib.ExitStack() as stack:
        members = []
        for number in range(1, 5):
            node = NetnsNode(f"fleet{number}")
            node.up(2)
            stack.callback(node.down)
            members.append(NetnsMember(node))
        yield Fleet(Control(collections, work), members, manifest, batches=[1, 2, 1], soak=0.4, patience=60)


@pytest.fixture
def fleet(made: Four) -> Four:
    """All as before, and no result of an earlier test."""
    made.apply(made.before)
    made.forget()
    return made


def test_a_gate_that_fails_after_the_change_takes_back_that_host_alone_and_stops(fleet: Four) -> None:
    """The scenario, and the page that shows it."""
    said = a_gate_that_fails(fleet)
    held.stands_in(said, "rollout.md", "a host that was rolled back", NAMES)


def test_check_mode_shows_the_plans_and_changes_nothing(fleet: Four) -> None:
    with fleet.filtering():
        answer = fleet.rollout("--check")
        assert fleet.ended() == [BEFORE] * 4
    assert answer.code == 0, answer.said
    assert answer.out.count("guard: publish") == 4
    assert list(fleet.results.rglob("*.json")) == []


def test_rollback_brings_the_hosts_that_a_rollout_has_changed_back_to_what_they_ran_before(fleet: Four) -> None:
    with fleet.filtering():
        with fleet[3].faulty():
            assert fleet.rollout().code == 2
        answer = fleet.play("rollback", fleet.after)
        assert answer.code == 0, answer.said
        held.stands_in(answer.out, "rollout.md", "where a rollback goes", NAMES)
        assert fleet.ended() == [BEFORE] * 4
        again = fleet.play("rollback", fleet.after)
        assert again.code == 0 and "changed=1" not in again.out, again.said


def test_code_and_tuning_go_back_by_themselves_without_a_result(fleet: Four) -> None:
    with fleet.filtering():
        fleet.apply(fleet.after)
        previous = {"wirespeed_rollback_what": ["code"], "wirespeed_rollback_to": "previous"}
        answer = fleet.play("rollback", fleet.after, extra=previous)
        assert answer.code == 0, answer.said
        assert fleet.ended() == [(1, False)] * 4
        before = {"wirespeed_rollback_to": {"tuning": fleet[1].tuning() - 1}}
        answer = fleet.play("rollback", fleet.after, "--limit", fleet[1].name, extra=before)
        assert answer.code == 0, answer.said
        assert fleet.ended() == [(1, True), *[(1, False)] * 3]


def test_a_rollback_of_a_first_rollout_takes_the_pipeline_off_only_when_that_is_wanted(fleet: Four) -> None:
    def carried() -> int:
        return sum("prog/xdp" in member.inside("ip", "link", "show", member.nic) for member in fleet.members)

    for member in fleet.members:
        member.detach()
    unwatched = {**fleet.briefly, "wirespeed_rollout_soak": {"seconds": 0}}
    assert fleet.play("rollout", fleet.after, extra=unwatched).code == 0 and carried() == 4
    stays = fleet.play("rollback", fleet.after)
    assert stays.code == 0 and carried() == 4 and "guard was not there before" in stays.out, stays.said
    goes = fleet.play("rollback", fleet.after, extra={"wirespeed_rollback_detach": True})
    assert goes.code == 0 and carried() == 0, goes.said


def test_a_document_reaches_all_hosts_and_one_that_misbehaves_is_taken_back_on_the_first(fleet: Four) -> None:
    wanted = fleet.documented(DENIED)
    fleet.apply(replace(fleet.before, denied=()))
    answer = fleet.play("rollout", wanted, extra=fleet.briefly)
    assert answer.code == 0, answer.said
    assert fleet.summary()["configuration_seconds"]["guard"] > 0
    assert "configuration of guard: on the last host" in answer.out
    with fleet.filtering():
        soak = {"seconds": fleet.soak, "min_packets": 20, "max_change": 0.1}
        wrong = {**fleet.briefly, "wirespeed_rollout_soak": soak}
        answer = fleet.play("rollout", fleet.documented(DENIED, ALLOWED), extra=wrong)
        assert answer.code == 2, answer.said
    assert fleet.states() == fleet.expected(1, {1: "rolled_back"})
    assert "verdict denied went from" in fleet.record(1)["message"]


def test_code_goes_back_too_where_the_document_that_came_with_it_misbehaves(fleet: Four) -> None:
    fleet.apply(replace(fleet.before, denied=()))
    assert fleet.play("rollout", fleet.documented(DENIED), extra=fleet.briefly).code == 0
    document = fleet.documented(DENIED, ALLOWED).document
    soak = {"seconds": fleet.soak, "min_packets": 20, "max_change": 0.1}
    with fleet.filtering():
        wanted = replace(fleet.after, denied=(), document=document)
        answer = fleet.play("rollout", wanted, extra={**fleet.briefly, "wirespeed_rollout_soak": soak})
        assert answer.code == 2, answer.said
        expected = fleet.expected(1, {1: "rolled_back"})
        assert fleet.ended() == places(expected)
    assert fleet.states() == expected
    assert "verdict denied went from" in fleet.record(1)["message"]


def most_at_once(fleet: Four, at_once: int, **settings: Dict[str, Any]) -> int:
    """Of how many hosts the steps are under way at the same time, when all are in one batch."""
    hosts = {member.name: fleet.after.variables(member.nic, **settings) for member in fleet.members}
    soak = {"wirespeed_rollout_soak": {"seconds": 1}}
    extra = {"wirespeed_rollout_serial": [4], "wirespeed_rollout_at_once": at_once, **soak}
    most = 0
    with fleet.rolling_out(extra, hosts) as run:
        while run.poll() is None:
            most = max(most, sum(member.underway() for member in fleet.members))
    assert run.returncode == 0, fleet.output()
    assert fleet.states() == ["changed"] * 4
    return most


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_hosts_at_once_carry_out_a_plan_that_takes_the_carrier_down(fleet: Four, at_once: int) -> None:
    for member in fleet.members:
        member.inside("ethtool", "-L", member.nic, "tx", "2")
    assert most_at_once(fleet, at_once, channels={"tx": 1}) == at_once


def test_a_plan_that_disturbs_no_traffic_is_carried_out_by_all_hosts_of_a_batch(fleet: Four) -> None:
    assert most_at_once(fleet, at_once=1) > 1
