# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted values take the type of what the NIC reads, whatever YAML or a template made of them."""

from __future__ import annotations

from typing import Any

import pytest

from wirespeed.errors import BadInput, Place
from wirespeed.model.settings import Setting
from wirespeed.profiles.typed import typed

HERE = Place("site/mine.yml", 7)


@pytest.mark.parametrize(
    ("given", "current", "wanted"),
    [
        (True, False, True),
        ("Off", True, False),
        ("true", False, True),
        (512, 256, 512),
        ("512", 256, 512),
        ("equal", (0, 1), "equal"),
        ([1, 0], (0, 1), (1, 0)),
        ("host", "00:01", "host"),
        (False, "rs", "off"),  # fec: {encoding: off}, which YAML reads as false
        (0, "spread", "0"),
        ([0, 1, "2-3,8"], "spread", "0 1 2-3,8"),
        (" rs ", "off", "rs"),
    ],
)
def test_value_is_taken_as_what_the_nic_reads(given: Any, current: Any, wanted: Any) -> None:
    found = typed(given, current, HERE, "x")
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    ("given", "current", "allowed"),
    [
        (1, False, "true or false"),
        ("maybe", False, "true or false"),
        (True, 256, "a whole number"),
        ("1e3", 256, "a whole number"),
        (-1.5, 256, "a whole number"),
        ([True, 0], (0, 1), "queue numbers"),
        ([], (0, 1), "queue numbers"),
        ("  ", "rs", "a text"),
        ([], "spread", "a text"),
        ([[0, 1], 2], "spread", "a text"),
        (1.5, "rs", "a text"),
    ],
)
def test_value_of_another_kind_is_told_with_its_place(given: Any, current: Any, allowed: str) -> None:
    with pytest.raises(BadInput, match=rf"^site/mine\.yml:7: tuning\.x: gives .*Allowed: .*{allowed}"):
        typed(given, current, HERE, "tuning.x")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ()),
        (["udp4  dst-port 53   action 2 "], ("udp4 dst-port 53 action 2",)),
        ("udp4 action 1\n\ntcp4 action 2\n", ("udp4 action 1", "tcp4 action 2")),
        ("", ()),
    ],
)
@pytest.mark.parametrize("setting", [Setting.NTUPLE, Setting.RSS_CONTEXTS])
def test_a_list_of_texts_may_be_empty(given: Any, wanted: Any, setting: Setting) -> None:
    assert typed(given, (), HERE, "x", setting) == wanted


@pytest.mark.parametrize("given", [[1], ["udp4", ""], 5, True, {"udp4": 1}])
def test_what_is_no_list_of_texts_is_told(given: Any) -> None:
    with pytest.raises(BadInput, match=r"Allowed: a list of texts, \[\] for none"):
        typed(given, ("udp4 action 1 loc 0",), HERE, "tuning.x", Setting.NTUPLE)


@pytest.mark.parametrize(
    ("given", "current", "wanted"),
    [
        (20, 50, 20),
        (20, (50, 60), 20),
        ([20, "30"], 50, (20, 30)),
        (["on", False], True, (True, False)),
        ("off", (True, False), False),
    ],
)
def test_each_queue_can_have_a_value(given: Any, current: Any, wanted: Any) -> None:
    assert typed(given, current, HERE, "x", Setting.QUEUE_COALESCE) == wanted


def test_the_queue_whose_value_is_wrong_is_told() -> None:
    with pytest.raises(BadInput, match=r"tuning\.x\[1\]: gives 'fast'"):
        typed([20, "fast"], 50, HERE, "tuning.x", Setting.QUEUE_COALESCE)
