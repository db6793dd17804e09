# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept for a next boot when several runs ask different things of one node, and how its file is read."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest

from wirespeed import stored as states
from wirespeed.errors import WirespeedError
from wirespeed.model.stored import Stored, StoredNic, StoredPipeline
from wirespeed.pipeline.pins import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "bpffs", tmp_path / "run", tmp_path / "state")


def nic(name: str, pipeline: str = "", found: Sequence[str] = (), profiles: str = "p", **entry: Any) -> StoredNic:
    """``name`` is a NIC's, or ``driver=igb`` and the like."""
    key, _, value = name.rpartition("=")
    asked = {key or "name": value, **({"pipeline": pipeline} if pipeline else {}), **entry}
    return StoredNic(asked, tuple(found or ([] if key else [value])), profiles)


def pipeline(name: str, asked: bool = True, digest: str = "o") -> StoredPipeline:
    return StoredPipeline({"manifest": {"name": name}, "object": digest}, {"name": name} if asked else None)


def selectors(stored: Stored) -> List[str]:
    return ["=".join(each.selector) for each in stored.nics]


def names(stored: Stored) -> List[str]:
    return [each.name for each in stored.pipelines]


A = Stored((nic("eth1", "scrubber"),), (pipeline("scrubber"),), {"root": "r"})


def test_runs_on_different_nics_are_both_kept() -> None:
    merged = A.merged(Stored((nic("eth2", "edge"),), (pipeline("edge"),), {"root": "r"}))
    assert selectors(merged) == ["name=eth1", "name=eth2"] and names(merged) == ["scrubber", "edge"]


def test_a_nic_is_as_the_later_run_says() -> None:
    merged = A.merged(Stored((nic("eth1", "scrubber", workload="stack"),), (pipeline("scrubber"),), {"root": "r"}))
    assert [each.entry.get("workload") for each in merged.nics] == ["stack"]


def test_a_pipeline_is_as_the_later_run_says_also_for_nics_that_it_does_not_name() -> None:
    merged = A.merged(Stored((nic("eth2", "scrubber"),), (pipeline("scrubber", digest="new"),), {"root": "r"}))
    assert [each.bundled["object"] for each in merged.pipelines] == ["new"] and len(merged.nics) == 2


def test_one_nic_under_two_selectors_is_kept_once() -> None:
    assert selectors(A.merged(Stored((nic("driver=igb", found=["eth1", "eth2"]),)))) == ["driver=igb"]


def test_an_entry_of_several_nics_keeps_those_that_the_later_run_does_not_name() -> None:
    earlier = Stored((nic("driver=igb", workload="stack", found=["eth1", "eth2"]),))
    merged = earlier.merged(Stored((nic("eth1"),)))
    assert selectors(merged) == ["name=eth2", "name=eth1"] and merged.nics[0].entry["workload"] == "stack"


def test_an_entry_that_matched_no_nic_stays() -> None:
    assert selectors(Stored((nic("driver=ice"),)).merged(Stored((nic("eth1"),)))) == ["driver=ice", "name=eth1"]


def test_an_entry_that_matches_no_nic_is_kept_once() -> None:
    ice = Stored((nic("driver=ice"),))
    assert ice.merged(ice) == ice


def test_a_pipeline_that_lost_its_last_nic_goes() -> None:
    assert names(A.merged(Stored((nic("eth1", "edge"),), (pipeline("edge"),), {"root": "r"}))) == ["edge"]


def test_a_pipeline_that_never_had_a_nic_stays() -> None:
    assert names(Stored((), (pipeline("edge"),)).merged(A)) == ["edge", "scrubber"]


def test_what_came_along_for_redirect_targets_goes_with_the_last_that_redirects() -> None:
    earlier = Stored((nic("eth1", redirect_to=["eth2"]),), (pipeline("pass", asked=False),))
    assert names(earlier.merged(Stored((nic("eth3"),)))) == ["pass"]
    assert names(earlier.merged(Stored((nic("eth1"),)))) == []


def test_the_newest_root_holds_for_all_pipelines() -> None:
    newer = {"root": "newer"}
    assert A.merged(Stored((nic("eth2", "edge"),), (pipeline("edge"),), newer)).support == newer
    assert A.merged(Stored((nic("eth2"),))).support == A.support != {}


def test_a_nic_that_lost_its_pipeline_stays_tuned_and_the_pipeline_goes_with_its_last() -> None:
    assert A.without(["eth1"], []) == Stored((nic("eth1"),), (), {"root": "r"})


def test_one_nic_of_several_loses_its_pipeline_alone() -> None:
    both = Stored((nic("driver=igb", "edge", found=["eth1", "eth2"]),), (pipeline("edge"),))
    left = both.without(["eth2"], [])
    assert [dict(each.entry) for each in left.nics] == [{"name": "eth2"}, {"name": "eth1", "pipeline": "edge"}]


def test_a_forgotten_pipeline_goes_and_its_nics_stay_tuned() -> None:
    without = A.without([], ["scrubber"])
    assert names(without) == [] and [dict(each.entry) for each in without.nics] == [{"name": "eth1"}]


UNTUNED = {"profile_tuning": False}


def test_a_run_about_hooks_leaves_a_nics_tuning_as_it_was_asked() -> None:
    tuning = {"workload": "stack", "max_disruption": "bounce", "tuning": {"mtu": {"mtu": 1400}}}
    later = nic("eth1", "edge", profiles="q", max_disruption="none", **UNTUNED)
    (now,) = Stored((nic("eth1", "scrubber", mode="generic", **tuning),)).merged(Stored((later,))).nics
    assert (dict(now.entry), now.profiles) == ({"name": "eth1", "pipeline": "edge", **tuning}, "p")


def test_a_run_about_hooks_leaves_a_nic_that_no_other_run_named_untuned() -> None:
    now = A.merged(Stored((nic("eth2", "scrubber", **UNTUNED),), (pipeline("scrubber"),)))
    assert [(each.entry["name"], each.tuned) for each in now.nics] == [("eth1", True), ("eth2", False)]


def test_a_run_about_hooks_keeps_each_nics_tuning_under_another_selector() -> None:
    earlier = Stored((nic("driver=igb", workload="stack", found=["eth1", "eth2"]),))
    now = earlier.merged(Stored((nic("eth1", "edge", **UNTUNED),), (pipeline("edge"),)))
    assert [dict(each.entry) for each in now.nics] == [
        {"name": "eth2", "workload": "stack"},
        {"name": "eth1", "workload": "stack", "pipeline": "edge"},
    ]


def test_a_nic_that_is_only_attached_goes_with_its_pipeline() -> None:
    assert Stored((nic("eth1", "edge", **UNTUNED),), (pipeline("edge"),)).without([], ["edge"]).nics == ()


def test_nics_of_different_profile_sets_are_brought_back_one_set_after_the_other() -> None:
    merged = A.merged(Stored((nic("eth2", "edge", profiles="q"),), (pipeline("edge"), pipeline("idle")), {"root": "r"}))
    assert [(selectors(each), names(each)) for each in merged.batches()] == [
        (["name=eth1"], ["scrubber"]),
        (["name=eth2"], ["edge", "idle"]),
    ]


# --- the file ----------------------------------------------------------------------------------------------------


def bundle(code: bytes = b"code", name: str = "scrubber") -> Dict[str, Any]:
    item = {"manifest": {"name": name, "version": "1"}, "object": base64.b64encode(code).decode()}
    return {
        "profiles": {"format": 1, "documents": []},
        "support": {"root": base64.b64encode(b"root").decode()},
        "pipelines": [item],
    }


INTENT = {
    "nics": [{"name": "eth1", "pipeline": "scrubber", "mode": None}],
    "pipelines": [
        {"name": "scrubber", "manifest": "/home/me/scrubber.pipeline.yml", "tables": {"deny_v4": ["192.0.2.0/24"]}}
    ],
}


def kept(paths: Paths) -> Stored:
    found = states.read(paths)
    assert found is not None
    return found


def test_what_a_run_asked_is_read_back_as_intent_and_bundle(paths: Paths) -> None:
    assert states.keep(paths, INTENT, bundle(), [["eth1"]]) == []
    (batch,) = kept(paths).batches()
    assert states.bundle_of(paths, batch) == bundle()
    assert batch.intent == {
        "nics": [{"name": "eth1", "pipeline": "scrubber"}],
        "pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
    }


def test_only_root_can_read_it(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    files = [path for path in paths.state.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_run_that_asks_the_same_writes_nothing(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    before = {path: path.stat().st_ino for path in paths.state.rglob("*")}
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    assert {path: path.stat().st_ino for path in paths.state.rglob("*")} == before


def test_a_run_that_names_nothing_stores_nothing(paths: Paths) -> None:
    assert states.keep(paths, {"nics": [], "pipelines": []}, {**bundle(), "pipelines": []}, []) == []
    assert states.read(paths) is None and not paths.state.exists()


def test_objects_that_nobody_names_any_more_go(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(b"old"), [["eth1"]])
    states.keep(paths, INTENT, bundle(b"new"), [["eth1"]])
    assert {path.name for path in (paths.state / "desired").iterdir()} == set(kept(paths).digests)


def test_a_pipeline_that_is_taken_off_its_last_nic_is_not_in_the_file(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    states.forget(paths, nics=["eth1"])
    assert [dict(each.entry) for each in kept(paths).nics] == [{"name": "eth1"}] and kept(paths).pipelines == ()


def test_to_forget_where_nothing_is_stored_is_no_error(paths: Paths) -> None:
    states.forget(paths, nics=["eth1"], pipelines=["scrubber"])
    assert states.read(paths) is None


def test_a_rollback_replaces_object_and_rows(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    states.replace_pipeline(paths, "scrubber", bundle(b"earlier")["pipelines"][0], {"deny_v4": ("198.51.100.0/24",)})
    (batch,) = kept(paths).batches()
    assert states.bundle_of(paths, batch) == bundle(b"earlier")
    assert batch.intent["pipelines"] == [{"name": "scrubber", "tables": {"deny_v4": ["198.51.100.0/24"]}}]


def test_a_rollback_of_what_is_not_stored_stores_nothing(paths: Paths) -> None:
    states.replace_pipeline(paths, "scrubber", bundle()["pipelines"][0], {})
    assert states.read(paths) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "1"}',
        '{"format": 1, "nics": [], "pipelines": [',
        '{"format": 1, "support": {}, "nics": [{"entry": {}, "found": [], "profiles": ""}], "pipelines": []}',
        '{"format": 1, "support": {}, "nics": [], "pipelines": [{"bundled": {"manifest": {}}, "asked": null}]}',
    ],
)
def test_a_damaged_file_is_told_with_its_name_and_what_to_do(paths: Paths, content: str) -> None:
    paths.state.mkdir()
    (paths.state / "desired.json").write_text(content)
    with pytest.raises(states.UnreadableState, match=r"/desired\.json is damaged.*Run the playbook again"):
        states.read(paths)


def test_every_truncation_of_the_file_is_told(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    whole = states.path(paths).read_bytes()
    for length in range(len(whole)):
        states.path(paths).write_bytes(whole[:length])
        with pytest.raises(states.UnreadableState):
            states.read(paths)


def test_a_file_of_a_newer_format_is_refused_and_kept(paths: Paths) -> None:
    paths.state.mkdir()
    states.path(paths).write_text('{"format": 2}')
    with pytest.raises(
        states.UnreadableState, match=r"newer version of Wirespeed \(format 2; this one reads up to 1\)"
    ):
        states.read(paths)
    (warning,) = states.keep(paths, INTENT, bundle(), [["eth1"]])
    assert "not stored for the next boot" in warning and json.loads(states.path(paths).read_text()) == {"format": 2}


def test_a_run_begins_a_damaged_file_anew_and_says_so(paths: Paths) -> None:
    paths.state.mkdir()
    states.path(paths).write_text("{")
    (warning,) = states.keep(paths, INTENT, bundle(), [["eth1"]])
    assert "is damaged" in warning and selectors(kept(paths)) == ["name=eth1"]


@pytest.mark.parametrize("harm", [lambda file: file.unlink(), lambda file: file.write_bytes(b"other")])
def test_a_lost_or_changed_object_is_told(paths: Paths, harm: Any) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    (digest,) = [str(each.bundled["object"]) for each in kept(paths).pipelines]
    harm(states.part_path(paths, digest))
    with pytest.raises(states.UnreadableState, match=f"{digest} is damaged"):
        states.bundle_of(paths, kept(paths).batches()[0])


def test_a_run_mends_a_changed_object(paths: Paths) -> None:
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    (digest,) = [str(each.bundled["object"]) for each in kept(paths).pipelines]
    states.part_path(paths, digest).write_bytes(b"other")
    states.keep(paths, INTENT, bundle(), [["eth1"]])
    assert states.bundle_of(paths, kept(paths).batches()[0]) == bundle()


def test_where_nothing_can_be_written_the_run_warns(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("wirespeed.whole_file.os.replace", full)
    for_rollback, warning = states.keep(paths, INTENT, bundle(), [["eth1"]])
    assert "not kept for a rollback" in for_rollback
    assert "not stored for the next boot: Cannot write" in warning and "No space left on device" in warning


def test_an_object_that_is_no_base64_is_an_error() -> None:
    with pytest.raises(WirespeedError, match="not Base64"):
        states.of_run(INTENT, {**bundle(), "support": {"root": "%"}}, [["eth1"]])
