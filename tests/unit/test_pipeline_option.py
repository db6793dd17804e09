# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module pipeline: what intent they are, and what is refused before any host is reached."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from wirespeed import pipeline_option
from wirespeed.errors import BadInput
from wirespeed.model.intent import Attach, Foreign, Intent, parse
from wirespeed.model.nic import XdpMode

ONE: Dict[str, Any] = {"name": "edge", "nics": ["eth1"]}


def parsed(options: Dict[str, Any]) -> Intent:
    return parse(pipeline_option.intent(options), pipeline_option.PLACE)


def told(**options: Any) -> str:
    with pytest.raises(BadInput) as caught:
        pipeline_option.check(options)
    return str(caught.value)


def test_nics_by_name_carry_the_pipeline_and_are_not_tuned() -> None:
    (nic,) = parsed(ONE).nics
    assert (nic.selector, nic.wanted, nic.pipeline, nic.profile_tuning) == ("name", "eth1", "edge", False)


def test_options_hold_for_all_nics_and_a_nics_own_go_before_them() -> None:
    nics = ["eth1", {"driver": "igb", "mode": "generic", "foreign": None}]
    wanted = parsed({**ONE, "nics": nics, "mode": "native", "foreign": "adopt"})
    assert [nic.mode for nic in wanted.nics] == [XdpMode.NATIVE, XdpMode.GENERIC]
    assert [nic.foreign for nic in wanted.nics] == [Foreign.ADOPT, Foreign.ADOPT]


def test_rows_constants_and_attach_are_the_pipelines() -> None:
    options = {"tables": {"deny_v4": ["192.0.2.0/24"]}, "constants": {"limit": 2}, "attach": "auto", "generation": None}
    (pipeline,) = parsed({**ONE, **options}).pipelines
    assert (pipeline.name, pipeline.attach, dict(pipeline.constants)) == ("edge", Attach.AUTO, {"limit": 2})
    assert pipeline.tables == {"deny_v4": ("192.0.2.0/24",)}


def test_to_detach_without_nics_means_all_and_an_empty_list_does_not() -> None:
    assert pipeline_option.names({"name": "edge"}) == []
    assert "nics: is [], not a list of NICs" in told(name="edge", state="detached", nics=[])


def test_to_detach_takes_names_alone() -> None:
    assert pipeline_option.names({"nics": ["eth1", {"name": "eth2", "mode": "native"}]}) == ["eth1", "eth2"]
    assert "nics[0]: {'driver': 'igb'} has no name" in told(name="edge", state="detached", nics=[{"driver": "igb"}])


@pytest.mark.parametrize("state", pipeline_option.STATES)
def test_what_no_host_is_needed_for_is_accepted(state: str) -> None:
    pipeline_option.check({"name": "edge", "state": state, **({} if state == "rolled_back" else {"nics": ["eth1"]})})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({**ONE, "state": "atached"}, "state: 'atached' is not known here. Did you mean 'attached'?"),
        ({"nics": ["eth1"]}, "pipeline: name: is None. Name the pipeline"),
        ({"name": "edge"}, "nics: is missing: state attached says"),
        ({**ONE, "nics": "eth1"}, "nics: is 'eth1', not a list"),
        ({**ONE, "nics": [7]}, "nics[0]: is 7, neither a name nor a mapping."),
        ({**ONE, "nics": [{"name": "eth1", "mod": "native"}]}, "nics[0].mod: 'mod' is not known here. Did you mean"),
        ({**ONE, "nics": [{"name": "eth1", "tuning": {}}]}, "nics[0].tuning: is not for this module, which"),
        ({**ONE, "nics": [{"name": "eth1", "pipeline": "x"}]}, "The pipeline is the option 'name'."),
        ({**ONE, "nics": [{"driver": "igb", "mac": "x"}]}, "nics[0]: gives ['driver', 'mac']"),
        ({**ONE, "attach": "rot"}, "pipeline: attach: 'rot' is not known here. Did you mean 'root'?"),
        ({**ONE, "tables": {"deny_v4": "x"}}, "pipeline: tables.deny_v4: is 'x', not a list."),
        ({**ONE, "generation": "b3f5c2ad9c10"}, "generation: is not for state attached"),
        ({"name": "edge", "state": "rolled_back", "nics": ["eth1"]}, "nics: is not for state rolled_back"),
        ({"name": "edge", "state": "rolled_back", "tables": {}}, "tables: is not for state rolled_back"),
    ],
)
def test_a_mistake_is_told_of_the_option(options: Dict[str, Any], says: str) -> None:
    assert says in told(**options)
