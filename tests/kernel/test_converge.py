# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole engine on a veth pair and this kernel: converge, again, drift, failure, kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import Refused, WirespeedError
from wirespeed.gather import gather

from .conftest import Places
from .netns import Veth, command

pytestmark = [requires("bpf")]

DENIED = ["192.0.2.0/24", "198.51.100.7/32"]
PIPELINES = [{"name": "scrubber", "tables": {"deny_v4": DENIED}}]


def intent(**nic: Any) -> Dict[str, Any]:
    return {"nics": [{"name": "ws0", "pipeline": "scrubber", **nic}], "pipelines": PIPELINES}


def converge(veth: Veth, wanted: Dict[str, Any], check: bool = False) -> Dict[str, Any]:
    bundle = gather(wanted["pipelines"], [], Path.cwd())
    return dict(veth.node.run(engine.converge, wanted, bundle, check))


def texts(result: Dict[str, Any]) -> List[str]:
    return [step["text"] for step in result["steps"]]


def test_the_first_run_tunes_loads_and_attaches_natively(veth: Veth, places: Places) -> None:
    result = converge(veth, intent())
    actions = [step["action"] for step in result["steps"]]
    assert result["changed"] and actions[:4] == ["test", "load", "configure", "publish"] and "attach" in actions
    assert veth.node.links()["ws0"]["xdp"]["mode"] == 1


def test_a_second_run_changes_nothing(veth: Veth, places: Places) -> None:
    converge(veth, intent())
    before = veth.node.links()["ws0"]["xdp"]
    second = converge(veth, intent())
    assert texts(second) == [] and not second["changed"]
    assert veth.node.links()["ws0"]["xdp"] == before


def test_check_mode_predicts_the_run_and_changes_nothing(veth: Veth, places: Places) -> None:
    predicted = converge(veth, intent(), check=True)
    assert "xdp" not in veth.node.links()["ws0"] and not (places.bpffs / "wirespeed").exists()
    assert texts(predicted) == texts(converge(veth, intent()))


def test_channels_set_by_hand_are_the_only_drift_and_are_repaired(veth: Veth, places: Places) -> None:
    wanted = intent(tuning={"channels": {"rx": 4, "tx": 2}})
    converge(veth, wanted)
    veth.node.command("ethtool", "-L", "ws0", "tx", "1")
    assert [each["path"] for each in converge(veth, wanted, check=True)["deviations"]] == ["ws0.channels.tx"]
    converge(veth, wanted)
    assert converge(veth, wanted, check=True)["deviations"] == []


def test_a_link_detached_from_outside_is_the_only_drift_and_is_repaired(veth: Veth, places: Places) -> None:
    converge(veth, intent())
    command("bpftool", "link", "detach", "pinned", str(next(places.bpffs.glob("wirespeed/links/*"))))
    assert "xdp" not in veth.node.links()["ws0"]
    assert [each["path"] for each in converge(veth, intent(), check=True)["deviations"]] == ["ws0.xdp"]
    assert [step["action"] for step in converge(veth, intent())["steps"]] == ["attach"]
    assert "xdp" in veth.node.links()["ws0"]


def test_rows_changed_by_hand_are_repaired(veth: Veth, places: Places) -> None:
    converge(veth, intent())
    pinned = str(next(places.bpffs.glob("wirespeed/scrubber/*/maps/deny_v4_a")))
    command("bpftool", "map", "delete", "pinned", pinned, "key", "24", "0", "0", "0", "192", "0", "2", "0")
    steps = converge(veth, intent())["steps"]
    assert [(step["resource"], step["after"]["rows"]) for step in steps] == [("deny_v4", ["192.0.2.0/24"])]


@pytest.mark.parametrize("lost", ["progs/scrubber", "maps/deny_v4"])
def test_a_generation_that_has_lost_a_pin_is_one_deviation_and_is_loaded_anew(
    veth: Veth, places: Places, lost: str
) -> None:
    converge(veth, intent())
    (pin,) = places.bpffs.glob(f"wirespeed/scrubber/*/{lost}")
    pin.unlink()
    looked = converge(veth, intent(), check=True)
    assert [each["path"] for each in looked["deviations"]] == ["scrubber.slot"]
    assert any("has lost pins" in warning for warning in looked["warnings"])
    assert "xdp" in veth.node.links()["ws0"]
    steps = [step["action"] for step in converge(veth, intent())["steps"]]
    assert steps == ["test", "load", "configure", "publish"]
    assert pin.exists() and texts(converge(veth, intent())) == []


def test_a_foreign_program_stays_and_is_named(veth: Veth, places: Places) -> None:
    root = str(Path(engine.__file__).parent / "objects" / "scrubber.bpf.o")
    veth.node.ip("link", "set", "ws0", "xdpdrv", "object", root, "section", "xdp")
    before = veth.node.links()["ws0"]["xdp"]
    with pytest.raises(Refused, match="which Wirespeed did not attach"):
        converge(veth, intent())
    assert veth.node.links()["ws0"]["xdp"] == before and not (places.bpffs / "wirespeed").exists()
    veth.node.ip("link", "set", "ws0", "xdpdrv", "off")


def test_an_impossible_value_is_refused_before_anything_changes(veth: Veth, places: Places) -> None:
    with pytest.raises(WirespeedError, match="99"):
        converge(veth, intent(tuning={"channels": {"rx": 99}}))
    assert "xdp" not in veth.node.links()["ws0"] and not (places.bpffs / "wirespeed").exists()


def test_an_unknown_interface_is_told_with_those_that_exist(veth: Veth, places: Places) -> None:
    wanted = {"nics": [{"name": "eth77"}, {"name": "ws0"}], "pipelines": []}
    with pytest.raises(WirespeedError, match=r"nics\[0\].name: 'eth77' is not on this node.*ws0 \(veth"):
        converge(veth, wanted)
