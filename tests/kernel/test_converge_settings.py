# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with settings on both sides of the attach, on a veth pair in a sysfs of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import BadInput, WirespeedError
from wirespeed.gather import gather

from .netns import Veth
from .test_nic_sysfs import in_own_sysfs

pytestmark = [requires("bpf")]

TUNING = {
    "channels": {"rx": 4, "tx": 2},
    "xps": {"cpus": "spread"},
    "rps": {"cpus": "spread"},
    "napi": {"defer-hard-irqs": 2, "gro-flush-timeout": 20000},
    "txqueuelen": {"txqueuelen": 2000},
}
PIPELINES = [{"name": "scrubber"}]


def intent(**nic: Any) -> Dict[str, Any]:
    return {"nics": [{"name": "ws0", "pipeline": "scrubber", **nic}], "pipelines": PIPELINES}


def converge(veth: Veth, wanted: Dict[str, Any], check: bool = False) -> Dict[str, Any]:
    bundle = gather(wanted["pipelines"], [], Path.cwd())
    return dict(veth.node.run(in_own_sysfs, engine.converge, wanted, bundle, check))


def failure(wanted: Dict[str, Any], bundle: Dict[str, Any]) -> str:
    """What a failed run says; the exception itself, with its cause inside, cannot be carried out of a worker."""
    try:
        return f"no failure: {engine.converge(wanted, bundle, False)}"
    except WirespeedError as error:
        return str(error)


def texts(result: Dict[str, Any]) -> List[str]:
    return [step["text"] for step in result["steps"]]


@pytest.mark.usefixtures("places")
def test_each_is_set_in_order_as_predicted_and_only_once(veth: Veth) -> None:
    wanted = intent(tuning=TUNING)
    predicted = texts(converge(veth, wanted, check=True))
    first = converge(veth, wanted)
    assert texts(first) == predicted and first["corrections"] == []
    names = [step["resource"] for step in first["steps"]]
    assert names[-6:] == ["channels", "xdp", "xps", "rps", "napi", "txqueuelen"]
    second = converge(veth, wanted)
    assert texts(second) == [] and not second["changed"]


@pytest.mark.usefixtures("places")
def test_change_by_hand_is_the_only_drift(veth: Veth) -> None:
    converge(veth, intent(tuning=TUNING))
    veth.node.ip("link", "set", "ws0", "txqueuelen", "77")
    repaired = converge(veth, intent(tuning=TUNING))
    assert [each["path"] for each in repaired["deviations"]] == ["ws0.txqueuelen.txqueuelen"]
    assert [step["resource"] for step in repaired["steps"]] == ["txqueuelen"]


@pytest.mark.usefixtures("places")
def test_all_is_undone_when_a_step_after_the_attach_fails(veth: Veth) -> None:
    length = veth.node.links()["ws0"]["txqlen"]
    tuning = {**TUNING, "napi": {"defer-hard-irqs": 2**31}}  # more than the kernel's signed int holds
    bundle = gather(PIPELINES, [], Path.cwd())
    said = veth.node.run(in_own_sysfs, failure, intent(tuning=tuning), bundle)
    assert "napi_defer_hard_irqs: ERANGE" in said and "undone; the node is as before" in said
    assert "xdp" not in veth.node.links()["ws0"] and veth.node.links()["ws0"]["txqlen"] == length
    facts = veth.node.run(in_own_sysfs, engine.facts, ["ws0"], None)["nics"]["ws0"]["settings"]
    assert facts["xps"]["values"] == facts["rps"]["values"] == {"cpus": "none"}
    assert facts["napi"]["values"]["defer-hard-irqs"] == 0 and facts["channels"]["values"] == {"rx": 4, "tx": 4}


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("setting", ["coalesce", "pause", "fec", "eee", "irq_affinity", "rss_fields", "private_flags"])
def test_setting_that_the_nic_lacks_is_an_error_only_for_who_asks(veth: Veth, setting: str) -> None:
    assert converge(veth, intent())["changed"]
    with pytest.raises(BadInput, match=rf"ws0: tuning\.{setting}\.any: veth:"):
        converge(veth, intent(tuning={setting: {"any": 1}}))


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize(
    ("setting", "values", "allowed"),
    [
        ("xps", {"cpus": "0 1"}, "for each of 4 queues"),
        ("napi", {"threaded": "maybe"}, "true or false"),
        ("txqueuelen", {"txqueuelen": "long"}, "a whole number"),
    ],
)
def test_impossible_value_is_refused_before_any_change(
    veth: Veth, setting: str, values: Dict[str, Any], allowed: str
) -> None:
    with pytest.raises(WirespeedError, match=allowed):
        converge(veth, intent(tuning={setting: values}))
    assert "xdp" not in veth.node.links()["ws0"]
