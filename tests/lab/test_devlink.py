# SPDX-License-Identifier: GPL-3.0-or-later
"""devlink parameters that take effect when the driver starts anew, and settings that no NIC of QEMU has, on netdevsim.

Starting anew deletes the interface: the program is taken off before and put on after, and all that was wanted of the
NIC is there again. Looked at with devlink, ethtool, ip, and with what the driver shows of itself in debugfs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

import pytest

from tests.depth import deep, kernels
from tests.playbook import Play

from . import Node, netdevsim
from .agent import Agent
from .errors import LabError
from .site import Site

KERNELS = kernels("WIRESPEED_SETTINGS_KERNELS", "6.12")
DEBUG = "/sys/kernel/debug/netdevsim/netdevsim10"
DEVICE = "netdevsim/netdevsim10"
TUNING: Dict[str, Dict[str, Any]] = {
    "channels": {"combined": 2},
    "rings": {"rx": 512, "tx": 256},
    "coalesce": {"rx-usecs": 40},
    "pause": {"rx": True, "tx": True},
    "txqueuelen": {"txqueuelen": 2000},
    "napi": {"defer-hard-irqs": 2},
}
AGAIN = ("channels", "rings", "coalesce", "pause")


@pytest.fixture(scope="module", params=KERNELS)
def site(
    request: pytest.FixtureRequest, module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]
) -> Site:
    """One netdevsim NIC, tuned and with a program, as its profile and this intent want it."""
    node = module_node(request.param, "igb")
    try:
        netdevsim.load(node)
    except LabError as reason:
        pytest.skip(str(reason))
    name = netdevsim.add(node, 10)
    node.ssh("mkdir -p /etc/wirespeed/profiles")
    node.put(Path(__file__).with_name("netdevsim.yml"), "/etc/wirespeed/profiles/netdevsim.yml")
    made = Site(node, {name: {"pipeline": "scrubber", "tuning": TUNING}}, agent=module_agent(node))
    made.quiet()
    made.run()
    return made


def nic(site: Site) -> str:
    return next(iter(site.nics))


def asking(site: Site, **parameters: Any) -> Site:
    """The same intent, and these driverinit parameters."""
    return site.ask({nic(site): {"pipeline": "scrubber", "tuning": {**TUNING, "devlink_driverinit": parameters}}})


def parameters(site: Site) -> Dict[str, Any]:
    """As the ``devlink`` command shows them."""
    shown = json.loads(site.node.out("devlink -j dev param show"))["param"][DEVICE]
    return {each["name"]: each["values"][0]["value"] for each in shown}


def in_force(site: Site) -> List[str]:
    """What the driver works with, which devlink does not tell."""
    return site.node.out(f"cat {DEBUG}/max_macs {DEBUG}/test1").split()


def looks(site: Site) -> Dict[str, Any]:
    """Everything about the interface that must be as before when the driver has started anew."""
    link = site.link(nic(site))
    shown = site.node.out(f"ethtool -a {nic(site)}; ethtool -c {nic(site)}")
    return {
        "mode": link.get("xdp", {}).get("mode"),
        "up": "UP" in link["flags"],
        "txqlen": link["txqlen"],
        "channels": site.channels(nic(site)),
        "rings": site.rings(nic(site)),
        "shown": " ".join(shown.split()),
        "napi": site.node.out(f"cat /sys/class/net/{nic(site)}/napi_defer_hard_irqs"),
    }


def order(play: Play, site: Site) -> List[str]:
    steps = play.node(site.node.name)["steps"]
    return [step["action"] if step["resource"] == "xdp" else step["resource"] for step in steps]


def driver_says(site: Site, **switches: int) -> None:
    site.node.ssh("; ".join(f"echo {value} > {DEBUG}/{switch}" for switch, value in switches.items()))


def test_settings_are_as_ethtool_shows_them(site: Site) -> None:
    found = looks(site)
    assert found["rings"]["rx"] == 512 and found["rings"]["tx"] == 256 and found["channels"]["combined"] == 2
    assert "RX: on TX: on" in found["shown"] and "rx-usecs: 40" in found["shown"]
    assert (found["mode"], found["up"], found["txqlen"], found["napi"]) == (1, True, 2000, "2")


def test_driver_starts_anew_with_the_parameters_and_nothing_wanted_is_lost(site: Site) -> None:
    before, index = looks(site), site.link(nic(site))["ifindex"]
    wanted = asking(site, max_macs=64, test1=False)
    predicted = order(wanted.run("--check"), site)
    play = wanted.run()
    assert predicted == order(play, site)
    anew = play.node(site.node.name)["steps"]
    assert [step["resource"] for step in anew[:2]] == ["xdp", "devlink_driverinit"]
    assert [step["disruption"] for step in anew[:2]] == ["gap", "gap"]
    assert [name for name in predicted if name in AGAIN] == list(AGAIN)
    assert predicted.index("detach") < predicted.index("channels") < predicted.index("attach")
    assert {step["because"] for step in anew if step["resource"] != "devlink_driverinit"} == {"devlink_driverinit"}
    assert parameters(site) == {"max_macs": 64, "test1": False} and in_force(site) == ["64", "N"]
    assert looks(site) == before
    assert site.link(nic(site))["ifindex"] != index, "it is another interface of the same name"
    assert wanted.run().changed(site.node.name) == 0 and wanted.drift() == []
    assert any("makes the interface anew" in told for told in play.node(site.node.name)["warnings"])


def test_a_driver_that_refuses_to_start_anew_is_left_as_it_was(site: Site) -> None:
    before, index, told = looks(site), site.link(nic(site))["ifindex"], parameters(site)
    driver_says(site, dont_allow_reload=1)
    play = asking(site, max_macs=128).run(check=False)
    driver_says(site, dont_allow_reload=0)
    assert play.code == 2 and "User forbid the reload" in play.output and "the node is as before" in play.output
    assert parameters(site) == told and looks(site) == before
    assert site.link(nic(site))["ifindex"] == index


def test_a_start_that_fails_half_way_is_undone_by_the_next_run(site: Site) -> None:
    """The driver leaves no interface behind; its device is all that there is to undo it with."""
    before, told = looks(site), parameters(site)
    driver_says(site, fail_reload=1)
    play = asking(site, max_macs=128).run(check=False)
    driver_says(site, fail_reload=0)
    assert play.code == 2 and "NOT undone" in play.output and "Traceback" not in play.output
    assert site.node.ssh(f"ip link show {nic(site)}", check=False).returncode != 0
    recovered = site.run().node(site.node.name)["recovered"]
    assert any("devlink_driverinit" in each for each in recovered)
    assert parameters(site) == told and in_force(site)[0] == str(told["max_macs"]) and looks(site) == before


@deep
def test_a_run_that_is_killed_right_after_the_start_is_undone_from_its_journal(site: Site) -> None:
    before, told = looks(site), parameters(site)
    wanted = asking(site, max_macs=256)
    assert site.agent is not None
    killed = site.agent.request(intent=wanted.intent, point=5)["killed"]
    assert killed.startswith("before the record of set") and in_force(site)[0] == "256"
    assert looks(site) != before
    recovered = site.run().node(site.node.name)["recovered"]
    assert any("devlink_driverinit" in each for each in recovered)
    assert parameters(site) == told and in_force(site)[0] == str(told["max_macs"]) and looks(site) == before


@pytest.mark.parametrize(
    ("lies_there", "goes", "said"),
    [
        ("ip addr add 192.0.2.1/24 dev {nic}", "ip addr del 192.0.2.1/24 dev {nic}", "192.0.2.1/24 and all routes"),
        ("ip link add link {nic} name above type vlan id 5", "ip link del above", "above on top of it"),
    ],
)
def test_what_nobody_would_bring_back_forbids_it(site: Site, lies_there: str, goes: str, said: str) -> None:
    index = site.link(nic(site))["ifindex"]
    site.node.ssh(lies_there.format(nic=nic(site)))
    play = asking(site, max_macs=32).run(check=False)
    site.node.ssh(goes.format(nic=nic(site)))
    assert play.code == 2 and said in play.output
    assert site.link(nic(site))["ifindex"] == index


@deep
def test_a_generic_program_is_taken_off_before_as_well(site: Site) -> None:
    entry: Mapping[str, Any] = {"pipeline": "scrubber", "mode": "generic"}
    generic = site.ask({nic(site): {**entry, "tuning": TUNING}})
    generic.run()
    told = parameters(site)["max_macs"]
    wanted = site.ask({nic(site): {**entry, "tuning": {**TUNING, "devlink_driverinit": {"max_macs": told * 2}}}})
    steps = order(wanted.run(), site)
    assert (steps[0], steps[1], steps.count("attach")) == ("detach", "devlink_driverinit", 1)
    assert site.link(nic(site))["xdp"]["mode"] == 2 and in_force(site)[0] == str(told * 2)
