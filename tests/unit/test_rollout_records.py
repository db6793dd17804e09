# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results of a rollout say of a host, when a batch may begin, and where a rollback goes."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

import pytest

from plugins.plugin_utils import rollback, rollout

RUN = {"id": "r1", "started": 100.0}
OLD = {"pipelines": {"edge": {"generation": "aaaa", "configuration": 1}}, "tuning": 3}
NEW = {"pipelines": {"edge": {"generation": "bbbb", "configuration": 1}}, "tuning": 4}
STEP = {"target": "eth1", "action": "set", "resource": "rings", "text": "eth1: set rings", "disruption": "reset"}
PLAN = {"steps": [STEP], "nics": [], "versions": {"before": OLD}, "changed": True}
CHANGED = {**PLAN, "versions": {"before": OLD, "after": NEW}}
UNCHANGED = {"steps": [], "nics": [], "versions": {"before": NEW, "after": NEW}, "changed": False}
UNDONE = {"failed": True, "msg": "no.", "outcome": {"done": [STEP], "undone": [STEP]}, "clean": True}
LOST = {"unreachable": True, "msg": "timed out"}


def record(
    change: Optional[Dict[str, Any]], *deliveries: Dict[str, Any], earlier: str = "", back: Any = ()
) -> Dict[str, Any]:
    plan = {**UNCHANGED, "versions": {"before": NEW}} if change is UNCHANGED else PLAN
    return rollout.record("edge1", RUN, plan, earlier, change, deliveries, 160.0, back)


def delivery(**result: Any) -> Dict[str, Any]:
    return {"rollout_document": {"pipeline": "edge"}, **result}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (None, "begun"),
        (CHANGED, "changed"),
        (UNCHANGED, "unchanged"),
        (UNDONE, "rolled_back"),
        ({**UNDONE, "clean": False}, "failed"),
        ({"failed": True, "msg": "no.", "outcome": {"deviations": []}}, "refused"),
        ({"failed": True, "msg": "no python"}, "failed"),
        (LOST, "unreachable"),
    ],
)
def test_a_state_tells_what_became_of_the_host(change: Any, state: str) -> None:
    made = record(change)
    assert made["state"] == state and made["reached"] == (state in ("changed", "unchanged"))
    assert bool(made["message"]) == (change is not None and not made["reached"])


def test_code_that_stays_without_its_document_is_no_rollback() -> None:
    failed = delivery(failed=True, msg="no.", outcome={"done": [STEP], "undone": [STEP]}, clean=True)
    assert record(CHANGED, failed)["state"] == "failed"
    assert record(UNCHANGED, failed)["state"] == "rolled_back"


REFUSED = {"failed": True, "msg": "no.", "outcome": {"done": [STEP], "undone": [STEP]}, "clean": True}
DELIVERED = {"version": 2, "before": 1, "changed": True}


@pytest.mark.parametrize(
    ("change", "deliveries", "left"),
    [
        (CHANGED, [REFUSED], True),
        (UNCHANGED, [DELIVERED, REFUSED], True),
        (UNCHANGED, [REFUSED], False),
        (CHANGED, [DELIVERED], False),
        (UNDONE, [], False),
        (CHANGED, [LOST], False),
        (None, [], False),
    ],
)
def test_a_part_is_left_where_something_changed_before_a_document_failed(
    change: Any, deliveries: List[Dict[str, Any]], left: bool
) -> None:
    assert rollout.partial(change, [delivery(**each) for each in deliveries]) is left


def test_a_host_whose_part_was_taken_back_is_where_it_was() -> None:
    back = [{"results": [{"changed": True}], "changed": True}, {"skipped": True, "results": []}]
    made = record(CHANGED, delivery(**REFUSED), back=back)
    assert (made["state"], made["message"], made["after"]) == ("rolled_back", "no.", OLD)


def test_a_host_whose_part_could_not_be_taken_back_needs_a_look() -> None:
    stuck = {"results": [{"failed": True, "msg": "that neither."}], "failed": True}
    made = record(CHANGED, delivery(**REFUSED), back=[stuck])
    assert (made["state"], made["message"]) == ("failed", "no. that neither.")


def test_a_delivered_document_is_in_the_versions_after() -> None:
    made = record(CHANGED, delivery(version=2, before=1, changed=True))
    assert made["after"]["pipelines"]["edge"] == {"generation": "bbbb", "configuration": 2}
    assert made["before"] == OLD


@pytest.mark.parametrize("state", ["changed", "begun"])
def test_a_second_run_keeps_what_was_before_the_first(state: str) -> None:
    earlier = {"schema": 1, "state": state, "before": OLD, "after": NEW if state == "changed" else None}
    assert record(UNCHANGED, earlier=json.dumps(earlier))["before"] == OLD


@pytest.mark.parametrize("earlier", ["", "{", "[]", json.dumps({"schema": 2, "state": "begun", "before": OLD})])
def test_a_result_that_cannot_be_read_is_none(earlier: str) -> None:
    assert record(UNCHANGED, earlier=earlier)["before"] == NEW


def test_a_result_of_another_change_is_not_what_was_before_this_one() -> None:
    earlier = {"schema": 1, "state": "changed", "before": {"tuning": 1}, "after": OLD}
    assert record(UNCHANGED, earlier=json.dumps(earlier))["before"] == NEW


def hosts(**states: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    """Variables as Ansible has them: a record by host, or None where no task has made one."""
    return {name: {} if made is None else {"rollout_reached": {"record": made}} for name, made in states.items()}


@pytest.mark.parametrize("bad", [record(UNDONE), record(LOST), None], ids=["rescued", "unreachable", "lost early"])
def test_no_batch_begins_after_a_host_that_did_not_get_there(bad: Optional[Dict[str, Any]]) -> None:
    known = hosts(a=record(CHANGED), b=bad, c=None, d=None)
    assert rollout.behind(list("abcd"), known, ["c", "d"]) == ["b"]
    assert rollout.behind(list("abcd"), known, ["b"]) == []


def test_hosts_that_cannot_be_planned_for_are_named_with_the_reason() -> None:
    known = {"a": {"rollout_plan": PLAN}, "b": {"rollout_plan": LOST}, "c": {}}
    assert rollout.refusals(list("abc"), known) == ["b: unreachable: timed out", "c: no plan was made."]


def test_the_summary_has_every_host_and_the_time_to_the_last_that_has_the_document() -> None:
    known = hosts(a=record(CHANGED), b=record(CHANGED), c=None)
    for name in "ab":
        known[name]["rollout_deliveries"] = {"results": [delivery(changed=True, document_written=90.0)]}
    told = rollout.summary(list("abc"), known, RUN, 0, 161.0)
    assert {host: each["state"] for host, each in told["hosts"].items()} == {
        "a": "changed",
        "b": "changed",
        "c": "not_reached",
    }
    assert told["configuration_seconds"] == {"edge": 70.0} and not told["whole"]
    assert rollout.summary(list("ab"), known, RUN, 150.0, 161.0)["configuration_seconds"] == {"edge": 10.0}
    assert rollout.lines(told)[0] == "changed: 2 (a, b)"


def test_what_went_wrong_is_told_first() -> None:
    told = rollout.summary(["a", "b"], hosts(a=record(CHANGED), b=record(UNDONE)), RUN, 0, 161.0)
    assert rollout.lines(told)[0] == "b: rolled_back: no."


@pytest.mark.parametrize(
    ("disruptions", "worst"), [([], "none"), (["pause", "none"], "pause"), (["reset", "gap", "bounce"], "gap")]
)
def test_the_worst_of_the_steps_counts(disruptions: List[str], worst: str) -> None:
    assert rollout.worst([{"disruption": each} for each in disruptions]) == worst


def goal(to: Any, *what: str, text: str = "", summary: str = "", detach: bool = False) -> Dict[str, Any]:
    return rollback.goal(to, what or rollback.WHAT, ["edge"], text, summary, detach)


def test_a_rollback_of_a_rollout_leaves_what_that_did_not_change() -> None:
    found = goal("rollout", text=json.dumps(record(CHANGED)))
    assert found["code"] == [{"name": "edge", "generation": "aaaa"}] and found["configuration"] == []
    assert found["tuning"] == [{"version": 3}]


@pytest.mark.parametrize("made", [record(UNDONE), record(UNCHANGED)])
def test_a_host_that_a_rollout_left_as_it_was_goes_nowhere(made: Dict[str, Any]) -> None:
    assert goal("rollout", text=json.dumps(made))["lines"] == ["nothing to go back to"]


def of_a_first_install() -> str:
    first = {"pipelines": {"edge": {"generation": None, "configuration": 0}}, "tuning": 4}
    after = {"pipelines": {"edge": {"generation": "bbbb", "configuration": 1}}, "tuning": 4}
    return json.dumps({"schema": 1, "before": first, "after": after})


def test_what_was_not_there_before_stays() -> None:
    found = goal("rollout", text=of_a_first_install())
    assert (found["code"], found["detached"], found["configuration"], found["tuning"]) == ([], [], [], [])
    assert found["lines"][0].startswith("edge was not there before")


def test_what_was_not_there_before_is_taken_off_when_that_is_wanted() -> None:
    found = goal("rollout", text=of_a_first_install(), detach=True)
    assert (found["code"], found["detached"], found["configuration"]) == ([], [{"name": "edge"}], [])
    assert found["lines"] == ["edge: off its NICs"]
    assert goal("rollout", "tuning", text=of_a_first_install(), detach=True)["detached"] == []


def test_a_host_that_no_rollout_came_to_goes_nowhere() -> None:
    assert goal("rollout", summary="{}")["lines"] == ["no rollout has come to this host"]


def test_named_versions_are_all_that_goes_back() -> None:
    assert goal({"configuration": 4})["configuration"] == [{"name": "edge", "configuration": 4}]
    assert goal({"configuration": 4})["code"] == [] == goal({"configuration": 4}, "code")["configuration"]
    assert goal("previous", "tuning")["tuning"] == [{"version": None}]


@pytest.mark.parametrize(
    ("to", "what", "text", "part"),
    [
        ("yesterday", "code", "", "'yesterday'"),
        ({"generatoin": "aa"}, "code", "", "generatoin"),
        ("previous", "colour", "", "colour"),
        ("rollout", "code", "", "no result of a rollout"),
        ("rollout", "code", "{", "damaged"),
        ("rollout", "code", '{"schema": 9}', "schema 1"),
        ("rollout", "code", '{"schema": 1, "before": null}', "not known"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_what_to_do(to: Any, what: str, text: str, part: str) -> None:
    with pytest.raises(rollback.BadGoal, match=part):
        goal(to, what, text=text)
