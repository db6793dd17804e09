# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation that ships is one that Ansible can show, and it says what the arguments are."""

from __future__ import annotations

import json

import pytest

from .conftest import Control

MODULES = (
    "config",
    "config_info",
    "counters_info",
    "diagnose",
    "kernel_upgrade",
    "nic",
    "nic_info",
    "node",
    "pipeline",
    "pipeline_info",
    "prerequisites_info",
    "rollout_report",
    "rollout_result",
    "trace",
)
FILTERS = ("drift_lines", "rollback_goal", "rollout_behind", "rollout_disrupts", "rollout_refusals")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_documentation_examples_and_return_values(control: Control, module: str) -> None:
    answer = control.run("ansible-doc", "--json", "-t", "module", f"wirespeed.xdp.{module}")
    assert answer.code == 0, answer.said
    shown = json.loads(answer.out)[f"wirespeed.xdp.{module}"]
    assert shown["doc"]["short_description"]
    assert shown["doc"]["attributes"]["check_mode"]["support"] == "full"
    assert f"wirespeed.xdp.{module}:" in shown["examples"]
    assert shown["return"]


@pytest.mark.parametrize(
    ("kind", "name"), [("callback", "drift"), ("lookup", "engine"), *(("filter", name) for name in FILTERS)]
)
def test_another_plugin_is_documented(control: Control, kind: str, name: str) -> None:
    answer = control.run("ansible-doc", "--json", "-t", kind, f"wirespeed.xdp.{name}")
    assert answer.code == 0, answer.said
    assert f"wirespeed.xdp.{name}" in json.loads(answer.out)


@pytest.mark.parametrize(
    "role", ["prerequisites", "node", "boot", "observability", "rollout", "rollback", "kernel_upgrade_check"]
)
def test_a_role_says_which_variables_it_takes(control: Control, role: str) -> None:
    answer = control.run("ansible-doc", "--json", "-t", "role", f"wirespeed.xdp.{role}")
    assert answer.code == 0, answer.said
    options = json.loads(answer.out)[f"wirespeed.xdp.{role}"]["entry_points"]["main"]["options"]
    assert all(name.startswith(f"{role}_") for name in options)


def test_every_module_is_in_the_action_group(control: Control) -> None:
    import yaml

    runtime = yaml.safe_load((control.collection / "meta" / "runtime.yml").read_text())
    modules = {path.stem for path in (control.collection / "plugins" / "modules").glob("[!_]*.py")}
    assert set(runtime["action_groups"]["xdp"]) == modules == set(MODULES)
