# SPDX-License-Identifier: GPL-3.0-or-later
"""A step that fails undoes the steps before it; a run that is killed is undone by the next one."""

from __future__ import annotations

import subprocess
import threading
from typing import Any, Callable, Dict

import pytest

from tests.depth import deep

from . import Node
from .agent import Agent
from .site import IGB, INTERFACES, NICS, Site

NIC = INTERFACES[IGB]

KILL = """
import json, os, signal, sys, time
count = int(sys.argv[1])
end = time.monotonic() + 90
while time.monotonic() < end:
    try:
        begun = open("/var/lib/wirespeed/journal").read().count('{"begin"')
        if begun >= count:
            os.kill(json.load(open("/run/wirespeed/lock"))["pid"], signal.SIGKILL)
            print("killed")
            break
    except (OSError, ValueError):
        pass
"""


@pytest.fixture(scope="module")
def machine(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    node = module_node("6.12", *NICS)
    return Site(node, {}, agent=module_agent(node))


def state(site: Site) -> Dict[str, Any]:
    xdp = site.link(NIC).get("xdp", {}).get("mode")
    return {"rings": site.rings(NIC), "channels": site.channels(NIC), "features": site.features(NIC), "xdp": xdp}


@pytest.fixture
def site(machine: Site) -> Site:
    found = machine.ask({NIC: {"pipeline": "scrubber"}})
    found.run()
    found.quiet()
    return found


@deep
def test_a_refused_step_undoes_the_earlier_ones_and_the_error_says_all(site: Site) -> None:
    """Channels below the indirection table that was set: only the kernel knows that it was set by a user."""
    before = state(site)
    tuning = {"features": {"rx-gro": False}, "channels": {"combined": 1}, "rss": {"indirection": None}}
    play = site.ask({NIC: {"pipeline": "scrubber", "tuning": tuning}}).run(check=False)
    assert play.code == 2 and "Traceback" not in play.output
    for part in (f"{NIC}.channels", "combined 2 -> 1", "EINVAL", "indirection table", "earlier step(s) were undone"):
        assert part in play.output, part
    site.quiet()
    assert state(site) == before


@deep
def test_a_playbook_killed_half_way_is_undone_and_the_next_one_converges(site: Site) -> None:
    """From outside, at some instant of the second step; at every instant that the journal knows: test_killed."""
    tuning = {"features": {"rx-gro": False}, "channels": {"combined": 1}, "rings": {"rx": 1024}}
    asked = Site(site.node, {NIC: {"pipeline": "scrubber", "tuning": tuning}})  # without the agent: a playbook
    said: "list[subprocess.CompletedProcess[str]]" = []
    killer = threading.Thread(target=lambda: said.append(site.node.ssh("python3 - 2", feed=KILL)))
    killer.start()
    play = asked.run(check=False)
    killer.join()
    assert said[0].stdout.strip() == "killed" and play.code != 0
    assert site.link(NIC)["xdp"]["mode"] == 1, "XDP was absent although no step announced a gap"
    asked = site.ask(asked.nics)
    recovered = asked.run().node(site.node.name)
    assert recovered["recovered"], "the next run did not tell what it undid"
    assert asked.rings(NIC)["rx"] == 1024 and asked.channels(NIC)["combined"] == 1
    assert asked.run().changed(site.node.name) == 0
