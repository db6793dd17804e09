# SPDX-License-Identifier: GPL-3.0-or-later
"""A .link file that udev applies to a NIC beside us: told with its line, in plans and in drift, until it agrees."""

from __future__ import annotations

from typing import Callable, List

import pytest

from tests.depth import deep

from . import Node
from .site import IGB, INTERFACES, NICS, Site

NIC = INTERFACES[IGB]
LINK = "/etc/systemd/network/10-igb.link"
TEXT = "[Match]\\nDriver=igb\\n\\n[Link]\\nRxBufferSize=512\\n"
DROP_IN = f"{LINK}.d/50-rings.conf"
SAYS = f"systemd-udevd sets 512 ({LINK}:5, [Link] RxBufferSize)"


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node]) -> Site:
    """Tuned by us, then met by udev's next "add" event."""
    made = Site(module_node("6.12", *NICS), {NIC: {"tuning": {"rings": {"rx": 2048}}}})
    made.quiet()
    made.run()
    assert made.rings(NIC)["rx"] == 2048
    plug(made, f"printf '{TEXT}' > {LINK}")
    return made


def plug(site: Site, change: str) -> None:
    site.node.ssh(f"{change} && udevadm control --reload && udevadm trigger --settle --action=add /sys/class/net/{NIC}")


def warnings(site: Site) -> List[str]:
    found = site.run("--check").node(site.node.name).get("warnings", [])
    return [str(warning) for warning in found if f"{NIC}: rings.rx" in str(warning)]


def test_udev_itself_says_that_it_applied_the_file(site: Site) -> None:
    assert f"ID_NET_LINK_FILE={LINK}" in site.node.out(f"udevadm info /sys/class/net/{NIC}")
    assert site.rings(NIC)["rx"] == 512


def test_plan_warns_with_the_file_and_its_line(site: Site) -> None:
    assert warnings(site) == [
        f"{NIC}: rings.rx: {SAYS}, Wirespeed 2048: both will win in turn. Remove it there, or leave rings.rx out here."
    ]


@deep
def test_drift_names_who_set_the_value(site: Site) -> None:
    play = site.run(name="drift")
    (deviation,) = play.node(site.node.name)["deviations"]
    assert deviation["path"] == f"{NIC}.rings.rx" and deviation["also"] == [SAYS]
    assert SAYS in " ".join(play.output.split())


@deep
def test_a_drop_in_that_agrees_ends_the_warning(site: Site) -> None:
    plug(site, f"mkdir {LINK}.d && printf '[Link]\\nRxBufferSize=2048\\n' > {DROP_IN}")
    assert site.rings(NIC)["rx"] == 2048 and warnings(site) == []
