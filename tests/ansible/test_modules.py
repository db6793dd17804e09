# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules through the real Ansiballz on this machine; nothing here changes a NIC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.probes import requires

from .conftest import Answer, Control

# A BPF file system that no other process sees.
WITH_BPFFS = ["unshare", "--mount", "sh", "-ec", 'mount -t bpf bpf /sys/fs/bpf; exec "$@"', "sh"]

SCRUBBED: Dict[str, Any] = {
    "nics": [{"name": "wirespeed-none", "pipeline": "scrubber"}],
    "pipelines": [{"name": "scrubber"}],
}


def result(answer: Answer) -> Dict[str, Any]:
    """The JSON object of an ad-hoc task."""
    return dict(json.loads(answer.out[answer.out.index("=> {") + 3 :]))


def problem(answer: Answer) -> str:
    """The one paragraph of a task that failed as it should."""
    assert answer.code != 0
    assert "Traceback" not in answer.said
    said = str(result(answer)["msg"])
    assert "\n" not in said
    assert "defect" not in said
    return said


def test_nic_info_describes_a_named_interface(control: Control) -> None:
    answer = control.module("nic_info", {"names": ["lo"]})
    assert answer.code == 0, answer.said
    found = result(answer)
    assert found["changed"] is False
    assert found["nics"]["lo"]["ifindex"] == 1
    assert "generic" in found["nics"]["lo"]["profile"]


def test_the_bundle_is_not_repeated_in_the_result(control: Control) -> None:
    answer = control.module("nic_info", {"names": ["lo"]}, "-vvv")
    assert answer.code == 0, answer.said
    assert "module_args" in answer.out
    assert '"bundle"' not in answer.out


def test_a_misspelt_option_is_answered_with_those_that_exist(control: Control) -> None:
    said = problem(control.module("nic_info", {"nams": ["lo"]}))
    assert "nams" in said
    assert "names" in said


def test_a_misspelt_key_is_answered_with_the_nearest(control: Control) -> None:
    said = problem(control.module("node", {"nics": [{"name": "lo", "pipelin": "scrubber"}]}))
    assert "nics[0].pipelin" in said
    assert "Did you mean 'pipeline'?" in said


def test_a_nic_that_is_not_chosen_by_exactly_one_word_is_refused(control: Control) -> None:
    assert "exactly one" in problem(control.module("node", {"nics": [{"name": "lo", "driver": "igb"}]}))


def test_no_nics_at_all_is_refused(control: Control) -> None:
    assert "nics" in problem(control.module("node", {"pipelines": []}))


@requires("root", "bpffs", "libbpf")
def test_an_unknown_interface_is_answered_with_those_of_the_node(control: Control) -> None:
    said = problem(control.module("node", SCRUBBED, "--check", inside=WITH_BPFFS))
    assert "wirespeed-none" in said


@requires("root", "bpffs", "libbpf")
def test_how_a_hook_is_taken_can_be_said_for_each_nic_and_pipeline(control: Control) -> None:
    nic = {**SCRUBBED["nics"][0], "foreign": "adopt", "profile_tuning": False}
    wanted = {"nics": [nic], "pipelines": [{"name": "scrubber", "attach": "direct"}]}
    said = problem(control.module("node", wanted, "--check", inside=WITH_BPFFS))
    assert "'wirespeed-none' is not on this node" in said


def test_an_unknown_pipeline_is_answered_with_the_built_in_ones(control: Control) -> None:
    wanted = {"nics": [{"name": "lo", "pipeline": "scruber"}], "pipelines": [{"name": "scruber"}]}
    said = problem(control.module("node", wanted))
    assert "scruber" in said
    assert "Built-in pipelines: pass, scrubber" in said


def test_a_manifest_that_is_not_there_is_answered_with_every_place_looked_at(control: Control) -> None:
    wanted = {**SCRUBBED, "pipelines": [{"name": "scrubber", "manifest": "no/such.pipeline.yml"}]}
    said = problem(control.module("node", wanted))
    assert "pipelines[0].manifest" in said
    assert str(control.work / "no/such.pipeline.yml") in said


@requires("root")
def test_a_node_without_a_bpf_file_system_is_told_how_to_mount_it(control: Control) -> None:
    without = [*WITH_BPFFS[:4], 'mount -t tmpfs tmpfs /sys/fs/bpf; exec "$@"', "sh"]
    assert "mount -t bpf bpf /sys/fs/bpf" in problem(control.module("node", SCRUBBED, "--check", inside=without))


@pytest.fixture
def own_pipeline(control: Control) -> Path:
    """A copy of the reference pipeline's manifest and object, as a user's own."""
    objects = control.collection / "plugins/module_utils/wirespeed/objects"
    for name in ("scrubber.pipeline.yml", "scrubber.bpf.o"):
        (control.work / name).write_bytes((objects / name).read_bytes())
    return control.work / "scrubber.pipeline.yml"


def own(manifest: Path, name: str = "scrubber") -> Dict[str, Any]:
    pipeline = {"name": name, "manifest": manifest.name}
    return {"nics": [{"name": "wirespeed-none", "pipeline": name}], "pipelines": [pipeline]}


@requires("root", "bpffs", "libbpf")
def test_a_manifest_of_ones_own_is_found_in_the_working_folder(control: Control, own_pipeline: Path) -> None:
    said = problem(control.module("node", own(own_pipeline), "--check", inside=WITH_BPFFS))
    assert "'wirespeed-none' is not on this node" in said


def test_a_missing_object_is_named(control: Control, own_pipeline: Path) -> None:
    (control.work / "scrubber.bpf.o").unlink()
    said = problem(control.module("node", own(own_pipeline)))
    assert "scrubber.bpf.o" in said
    assert "No such file" in said


def test_a_pipeline_goes_by_the_name_in_its_manifest(control: Control, own_pipeline: Path) -> None:
    said = problem(control.module("node", own(own_pipeline, "edge")))
    assert "'edge'" in said
    assert "'scrubber'" in said


def test_broken_yaml_in_a_manifest_is_named_with_its_line(control: Control, own_pipeline: Path) -> None:
    own_pipeline.write_text("manifest: 1\nname: scrubber\n  entry: [\n")
    assert "scrubber.pipeline.yml:3" in problem(control.module("node", own(own_pipeline)))


def test_a_profile_folder_that_is_not_there_is_refused(control: Control) -> None:
    said = problem(control.module("nic_info", {"profiles_path": ["no/profiles"]}))
    assert "profiles_path[0]" in said


def test_a_faulty_profile_of_the_site_is_named_with_file_and_line(control: Control) -> None:
    (control.work / "profiles").mkdir()
    (control.work / "profiles" / "site.yml").write_text("profile: site\nmatch: {driver: igb}\ntunning: {}\n")
    said = problem(control.module("nic_info", {"profiles_path": ["profiles"]}))
    assert "profiles/site.yml:3" in said
    assert "tunning" in said


def test_the_bundle_is_not_for_users(control: Control) -> None:
    assert "Leave this option out" in problem(control.module("nic_info", {"bundle": "e30="}))
