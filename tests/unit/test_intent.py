# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may ask, and how a mistake is told."""

from __future__ import annotations

import pytest

from wirespeed.errors import BadInput, Place
from wirespeed.model.intent import Workload, parse
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Disruption

HERE = Place("intent.yml", 3)


def test_defaults_are_filled_in():
    nic = parse({"nics": [{"name": "eth1"}]}, HERE).nics[0]
    assert (nic.workload, nic.mode, nic.max_disruption) == (Workload.DROP, None, Disruption.GAP)


def test_options_that_ansible_passes_as_none_are_absent():
    nic = parse({"nics": [{"name": "eth1", "driver": None, "mode": None}]}, HERE).nics[0]
    assert nic.selector == "name" and nic.mode is None


def test_a_whole_intent_is_read():
    intent = parse(
        {
            "nics": [{"driver": "igb", "pipeline": "scrubber", "mode": "native", "tuning": {"rings": {"rx": 512}}}],
            "pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
        },
        HERE,
    )
    assert intent.nics[0].mode is XdpMode.NATIVE
    assert intent.pipelines[0].tables == {"deny_v4": ("192.0.2.0/24",)}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"nic": []}, "nic: 'nic' is not known here. Did you mean 'nics'?"),
        ({"nics": [{"name": "eth1", "max_disruptoin": "gap"}]}, "Did you mean 'max_disruption'?"),
        ({"nics": [{"name": "eth1", "mode": "nativ"}]}, "Did you mean 'native'?"),
        ({"nics": [{"name": "eth1", "mode": "offload"}]}, "Allowed: auto, generic, native"),
        ({"nics": [{"name": "eth1", "driver": "igb"}]}, "Say which NIC by exactly one"),
        ({"nics": [{}]}, "gives none of name, driver, mac, pci"),
        ({"nics": {"name": "eth1"}}, "not a list"),
        ({"nics": [{"name": "eth1", "pipeline": "nope"}]}, "'nope' is not among the pipelines []"),
        ({"nics": [{"name": "eth1", "tuning": {"rings": 512}}]}, "nics[0].tuning.rings: is 512, not a mapping"),
        ({"pipelines": [{"name": "p", "tables": {"deny": [7]}}]}, "pipelines[0].tables.deny[0]: is 7, not a text"),
        (
            {"pipelines": [{"name": "p", "tables": {"t": [{"a": {1}}]}}]},
            "pipelines[0].tables.t[0]: holds something",
        ),
        ([], "not a mapping"),
    ],
)
def test_a_mistake_is_told_with_place_field_and_cure(data, told):
    with pytest.raises(BadInput) as error:
        parse(data, HERE)
    assert str(error.value).startswith("intent.yml:3: ") and told in str(error.value)


def test_a_row_of_records_becomes_one_text() -> None:
    rows = [{"policy": 12, "limit": {"burst": 1}}]
    intent = parse({"pipelines": [{"name": "p", "tables": {"policies": rows}}]}, HERE)
    assert intent.pipelines[0].tables == {"policies": ('{"limit":{"burst":1},"policy":12}',)}
