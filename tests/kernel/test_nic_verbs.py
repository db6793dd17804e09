# SPDX-License-Identifier: GPL-3.0-or-later
"""Tuning without a pipeline on a veth pair: what becomes of a program on the hook; facts, captured and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.probes import requires
from wirespeed import engine, nic_verbs
from wirespeed.errors import Place, Refused
from wirespeed.gather import gather
from wirespeed.model.facts import dump, parse_text
from wirespeed.observe import observe
from wirespeed.pipeline.pins import Paths

from .conftest import Places
from .netns import Veth

pytestmark = [requires("bpf")]

STUBBORN = """
profile: stubborn
match: {driver: veth}
operations:
  features: {bare: none, attached: refused, source: made up for this test}
"""
GRO_ON = {"features": {"rx-gro": True}}
OBJECT = Path(engine.__file__).parent / "objects" / "scrubber.bpf.o"


@pytest.fixture
def profiles(tmp_path: Path) -> str:
    """A site's profile by which veth refuses features under a program, as other drivers do other settings."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "stubborn.yml").write_text(STUBBORN)
    return str(tmp_path / "site")


def change(veth: Veth, profiles: str, check: bool = False, **entry: Any) -> Dict[str, Any]:
    bundle = gather([], [profiles], Path.cwd())
    return dict(veth.node.run(nic_verbs.change, [{"name": "ws0", **entry}], bundle, check, True))


def scrubbed(veth: Veth) -> None:
    wanted = {"nics": [{"name": "ws0", "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]}
    veth.node.run(engine.converge, wanted, gather(wanted["pipelines"], [], Path.cwd()), False)
    veth.node.command("ethtool", "-K", "ws0", "gro", "off")


@pytest.mark.usefixtures("places")
def test_our_program_is_detached_for_what_the_driver_refuses_under_it_and_attached_again(
    veth: Veth, profiles: str
) -> None:
    scrubbed(veth)
    predicted = change(veth, profiles, check=True, tuning=GRO_ON)
    done = change(veth, profiles, tuning=GRO_ON)
    assert [step["text"] for step in done["steps"]] == [step["text"] for step in predicted["steps"]]
    assert [(step["action"], step["resource"]) for step in done["steps"]] == [
        ("detach", "xdp"),
        ("set", "features"),
        ("attach", "xdp"),
    ]
    facts = veth.node.run(engine.facts, ["ws0"], None)["nics"]["ws0"]
    assert facts["xdp"]["pipeline"] == "scrubber" and facts["xdp"]["mode"] == "native"
    assert facts["settings"]["features"]["values"]["rx-gro"] is True
    assert change(veth, profiles, tuning=GRO_ON)["steps"] == []


@pytest.mark.usefixtures("places")
def test_our_program_stays_where_no_gap_is_allowed(veth: Veth, profiles: str) -> None:
    scrubbed(veth)
    before = veth.node.links()["ws0"]["xdp"]
    with pytest.raises(Refused, match="detach costs gap"):
        change(veth, profiles, tuning=GRO_ON, max_disruption="bounce")
    assert veth.node.links()["ws0"]["xdp"] == before


@pytest.mark.usefixtures("places")
def test_a_foreign_program_is_not_detached_for_it(veth: Veth, profiles: str) -> None:
    veth.node.command("ethtool", "-K", "ws0", "gro", "off")
    veth.node.ip("link", "set", "ws0", "xdpdrv", "object", str(OBJECT), "section", "xdp")
    before = veth.node.links()["ws0"]["xdp"]
    with pytest.raises(Refused, match="Wirespeed did not attach that program"):
        change(veth, profiles, tuning=GRO_ON)
    assert veth.node.links()["ws0"]["xdp"] == before
    veth.node.ip("link", "set", "ws0", "xdpdrv", "off")


def facts_and_node(folder: str) -> Any:
    data = engine.facts(["ws0"], gather([], [], Path(folder)))
    return data, observe(Paths.from_environment(), ["ws0"])


def test_the_facts_of_this_kernel_are_read_back_as_what_was_observed(veth: Veth, places: Places) -> None:
    data, node = veth.node.run(facts_and_node, str(places.run))
    again = parse_text(json.dumps(data), Place("facts.json"))
    assert dump(again) == dump(node) and again == node
