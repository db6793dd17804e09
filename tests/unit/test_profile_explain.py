# SPDX-License-Identifier: GPL-3.0-or-later
"""``profile explain``: what is written, where, and what it comes to on a NIC or for a driver and a kernel."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, List

import pytest

from wirespeed import cli
from wirespeed.model.intent import Workload
from wirespeed.profiles.explain import explain, explain_unseen
from wirespeed.profiles.load import BUILT_IN, load

from .profile_cases import built_in, igb, intent, node, write

Rows = Dict[str, Dict[str, Any]]


def rows(explained: Dict[str, Any]) -> Rows:
    return {f"{row['section']}/{row['key']}": row for row in explained["rows"]}


def on_igb(workload: str = "drop", mtu: int = 1500) -> Rows:
    asked = intent(workload=Workload(workload))
    return rows(explain(built_in(), igb(mtu), node("6.12", 2), asked))


def of_igc(kernel: str) -> Rows:
    unseen = replace(igb(), driver="igc", settings={}, pci=None)
    return rows(explain_unseen(built_in(), unseen, node(kernel), intent()))


def test_a_value_is_the_one_that_is_planned_with_the_expression_behind_it() -> None:
    row = on_igb()["tuning/channels.combined"]
    assert (row["value"], row["written"]) == (2, "{{ [node.cpus_on_nic_node, nic.max.channels.combined] | min }}")


def test_a_value_names_file_line_reason_and_source() -> None:
    row = on_igb()["tuning/rings.rx"]
    assert row["origin"].startswith("igb.yml:") and "flood" in row["why"] and "IGB_MAX_RXD" in row["source"]


def test_what_the_driver_profile_leaves_alone_comes_from_the_generic_one() -> None:
    assert on_igb()["tuning/features.rx-lro"]["origin"].startswith("generic.yml:")


def test_the_workload_decides_which_values_are_merged() -> None:
    assert [on_igb(each)["tuning/rings.rx"]["value"] for each in ("drop", "forward", "stack")] == [4096, 1024, 1024]


@pytest.mark.parametrize(("mtu", "value"), [(1500, "met"), (9000, "not met")])
def test_a_condition_is_judged_on_the_nic(mtu: int, value: str) -> None:
    assert on_igb(mtu=mtu)["constraints/mtu"]["value"] == value


@pytest.mark.parametrize(("kernel", "cost"), [("6.12", "bare bounce"), ("7.2", "bare none")])
def test_without_a_nic_what_depends_on_the_kernel_is_told_for_it(kernel: str, cost: str) -> None:
    assert of_igc(kernel)["operations/swap"]["value"].startswith(cost)


def test_without_a_nic_what_depends_on_it_stands_as_written() -> None:
    row = of_igc("6.12")["tuning/rings.rx"]
    assert (row["value"], row["written"]) == ("{{ nic.max.rings.rx }}", "")


def test_a_site_s_value_is_told_with_the_site_s_file(tmp_path: Any) -> None:
    write(tmp_path, edge="profile: edge\nmatch: {driver: igb}\ntuning:\n  all:\n    rings:\n      rx: 512\n")
    row = rows(explain(load([BUILT_IN, tmp_path]), igb(), node(), intent()))["tuning/rings.rx"]
    assert (row["value"], row["origin"]) == (512, f"{tmp_path}/edge.yml:6")


def test_every_built_in_profile_can_be_explained_without_a_nic_on_every_kernel() -> None:
    for driver in (path.stem for path in BUILT_IN.glob("*.yml")):
        for kernel in ("6.1", "6.12", "7.2"):
            unseen = replace(igb(), driver=driver, settings={}, pci=None)
            assert rows(explain_unseen(built_in(), unseen, node(kernel), intent()))["native/"]["origin"]


def run(capsys: Any, *arguments: str) -> List[str]:
    assert cli.main(["profile", "explain", *arguments]) == 0
    return str(capsys.readouterr().out).splitlines()


def test_the_command_names_driver_kernel_and_profiles_first(capsys: Any) -> None:
    first, second = run(capsys, "--driver", "ice", "--kernel", "6.1")[:2]
    assert first == "ice, kernel 6.1, workload drop"
    assert second == "profiles, weakest first: generic (generic.yml), ice (ice.yml)"


def test_the_command_keeps_to_the_width_of_a_screen_where_words_allow(capsys: Any) -> None:
    assert max(len(line) for line in run(capsys, "--driver", "mlx5_core", "--kernel", "6.12")) <= 120


def test_the_command_prints_the_same_as_json(capsys: Any) -> None:
    data = json.loads("\n".join(run(capsys, "--driver", "ice", "--kernel", "6.1", "--json")))
    assert (data["driver"], data["kernel"], data["nic"]) == ("ice", "6.1", None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Name a NIC of this node, or a driver with --driver."),
        (("--driver", "ice", "--kernel", "six"), "--kernel: is 'six'. Write two numbers"),
        (("--driver", "ice", "--pci", "8086"), "--pci: is '8086'. Write VENDOR:DEVICE"),
    ],
)
def test_the_command_says_what_it_needs(capsys: Any, arguments: Any, told: str) -> None:
    assert cli.main(["profile", "explain", *arguments]) == 1
    assert told in capsys.readouterr().err
