# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NICs of a stored state are there yet, and what a boot brings back without the others."""

from __future__ import annotations

from typing import Any, Dict, Sequence

import pytest

from wirespeed.arrival import Seen, down, missing
from wirespeed.model.stored import Stored, StoredNic
from wirespeed.restore import present

IGB1 = Seen("eth1", "52:54:00:00:00:01", "igb", "0000:01:00.0", up=False)
IGB2 = Seen("eth2", "52:54:00:00:00:02", "igb", "0000:01:00.1", up=True)
NONE: Sequence[Seen] = ()


def stored(found: Sequence[str] = ("eth1",), **entry: Any) -> Stored:
    return Stored((StoredNic(entry, tuple(found), "p"),))


@pytest.mark.parametrize(
    "entry", [{"name": "eth1"}, {"mac": "52:54:00:00:00:01"}, {"pci": "0000:01:00.0"}, {"driver": "igb"}]
)
def test_a_nic_is_there_by_whatever_chooses_it(entry: Dict[str, Any]) -> None:
    assert missing(stored(**entry), [IGB1]) == []


def test_a_mac_is_the_same_in_capitals() -> None:
    nic = Seen("eth9", "52:54:00:00:00:ab", "igb", "0000:01:00.0", up=False)
    assert missing(stored(mac="52:54:00:00:00:AB"), [nic]) == []


def test_a_missing_nic_is_told_by_its_selector() -> None:
    assert missing(stored(name="eth1"), NONE) == ["eth1"]
    assert missing(stored(mac="52:54:00:00:00:01"), NONE) == ["mac 52:54:00:00:00:01 (0 of 1)"]


def test_a_driver_is_waited_for_until_it_has_as_many_nics_as_at_the_last_run() -> None:
    assert missing(stored(["eth1", "eth2"], driver="igb"), [IGB1]) == ["driver igb (1 of 2)"]
    assert missing(stored(["eth1", "eth2"], driver="igb"), [IGB1, IGB2]) == []


def test_a_driver_that_the_node_did_not_have_is_not_waited_for() -> None:
    assert missing(stored([], driver="ice"), NONE) == []


def test_the_targets_of_redirects_are_waited_for_too() -> None:
    assert missing(stored(name="eth1", redirect_to=["eth2"]), [IGB1]) == ["eth2"]


def test_only_nics_that_are_stored_count_as_down() -> None:
    assert down(stored(name="eth1"), [IGB1, IGB2]) == ["eth1"]
    assert down(stored(name="eth2"), [IGB1, IGB2]) == []


def test_what_did_not_come_is_left_out_and_the_rest_stays() -> None:
    both = Stored((*stored(name="eth1", redirect_to=["eth2", "eth3"]).nics, *stored(name="eth4").nics))
    assert [nic.entry.get("redirect_to") for nic in present(both, [IGB1, IGB2]).nics] == [["eth2"]]


def test_the_limit_on_disruption_does_not_hold_for_a_nic_that_is_down() -> None:
    limits = {
        nic.name: present(stored(name=nic.name, max_disruption="none"), [nic]).nics[0].entry["max_disruption"]
        for nic in (IGB1, IGB2)
    }
    assert limits == {"eth1": "gap", "eth2": "none"}


def test_the_limit_holds_where_one_of_several_nics_is_up() -> None:
    both = stored(["eth1", "eth2"], driver="igb", max_disruption="reset")
    assert present(both, [IGB1, IGB2]).nics[0].entry["max_disruption"] == "reset"
