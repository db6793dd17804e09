# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a driver keeps in units of its own, takes for something else, or does not take at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wirespeed.errors import BadInput, OutOfRange
from wirespeed.model.nic import Nic
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.profiles.load import BUILT_IN, load
from wirespeed.profiles.resolve import resolve

from .profile_cases import e1000e, igb, intent, node, resolved, values, write


def with_times(nic: Nic, **times: Any) -> Nic:
    facts = SettingFacts({key.replace("_", "-"): value for key, value in times.items()})
    return replace(nic, settings={**nic.settings, Setting.COALESCE: facts})


def usecs(nic: Nic, wanted: int) -> Any:
    return values(resolved(nic, tuning={"coalesce": {"rx-usecs": wanted}}))["coalesce.rx-usecs"]


def as_e1000e_reads_back(wanted: int) -> int:
    """e1000_set_coalesce keeps ``1000000 / usecs & ~3``, e1000_get_coalesce turns it back."""
    return wanted if wanted <= 4 else 1000000 // (1000000 // wanted & ~3)


@pytest.mark.parametrize("wanted", [0, 1, 3, 4, 10, 30, 125, 999, 1000, 7000, 9999, 10000])
def test_what_is_planned_is_what_the_driver_reads_back(wanted: int) -> None:
    planned = usecs(with_times(e1000e(), rx_usecs=3), wanted)
    assert as_e1000e_reads_back(planned) == planned == as_e1000e_reads_back(wanted)


def test_other_value_than_asked_is_told() -> None:
    profile = resolved(with_times(e1000e(), rx_usecs=3), tuning={"coalesce": {"rx-usecs": 999}})
    assert any(finding.startswith("coalesce.rx-usecs: 999 becomes 1000") for finding in profile.findings)


@pytest.mark.parametrize("wanted", [2, 5, 9, 10001])
def test_value_between_the_drivers_words_and_its_range_is_an_error(wanted: int) -> None:
    with pytest.raises(OutOfRange, match="allowed: 10 to 10000, 0, 1, 3"):
        usecs(with_times(igb(), rx_usecs=3, tx_usecs=0), wanted)


@pytest.mark.parametrize("wanted", [0, 1, 3, 10, 55])
def test_drivers_words_are_no_numbers_to_be_clamped(wanted: int) -> None:
    assert usecs(with_times(igb(), rx_usecs=8, tx_usecs=0), wanted) == wanted


def test_time_that_queue_pairs_share_cannot_be_set_alone() -> None:
    with pytest.raises(OutOfRange, match="only 0, as it is: with more than half of the queues"):
        resolved(with_times(igb(), rx_usecs=3, tx_usecs=0), tuning={"coalesce": {"tx-usecs": 50}})


def test_arithmetic_that_gives_no_number_is_told_with_its_line(tmp_path: Any) -> None:
    limits = 'limits:\n  coalesce:\n    rx-usecs: {becomes: "{{ value > 3 }}"}\n'
    site = write(tmp_path / "site", mine=f"profile: mine\nmatch: {{driver: igb}}\n{limits}")
    wanted = intent(tuning={"coalesce": {"rx-usecs": 50}})
    with pytest.raises(BadInput, match=r"mine\.yml:5: limits\.coalesce\.rx-usecs\.becomes: gives True, not a whole"):
        resolve(load([BUILT_IN, site]), with_times(igb(), rx_usecs=3), node("6.12"), wanted)
