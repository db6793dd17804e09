# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces that are renamed, or go, while they are looked at: VFs that were just made, and udev at work."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, Callable, Dict

import pytest

from wirespeed.errors import KernelRefusal
from wirespeed.kernel.rtnetlink import Link
from wirespeed.nic import discover

LINK = Link("eth2", 9, "", True, True, 0, 1500, 68, 9000, 1000, 0, 0, None, "", "pci", "0000:01:10.0", ())


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Dict[int, Link]:
    """The links that there are, by index."""
    there: Dict[int, Link] = {}

    def link(ifindex: int) -> Link:
        if ifindex not in there:
            raise KernelRefusal("rtnetlink GETLINK", errno.ENODEV)
        return there[ifindex]

    monkeypatch.setattr(discover.rtnetlink, "link", link)
    return there


def knowing(*names: str) -> Callable[[Link], Any]:
    def look(link: Link) -> Any:
        if link.name not in names:
            raise KernelRefusal(f"ethtool GDRVINFO {link.name}", errno.ENODEV)
        return link.name

    return look


def test_an_interface_that_was_renamed_is_looked_at_by_its_new_name(kernel: Dict[int, Link]) -> None:
    kernel[9] = replace(LINK, name="enp1s0v1")
    assert discover._steady(LINK, knowing("enp1s0v1")) == "enp1s0v1"


def test_an_interface_that_has_gone_is_left_out(kernel: Dict[int, Link]) -> None:
    assert discover._steady(LINK, knowing()) is None


def test_an_interface_that_is_there_and_does_not_answer_is_told(kernel: Dict[int, Link]) -> None:
    kernel[9] = LINK
    with pytest.raises(KernelRefusal, match="eth2"):
        discover._steady(LINK, knowing())
