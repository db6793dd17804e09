# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a page's commands are run, by the name that its fence gives (``on="filter"``); CONTRIBUTING.md has the list.

A page says in a sentence what its reader needs to have there; what that is in a test is made here.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Iterator

from tests.netns_node import inventory
from tests.netns_node.node import INTERFACE, node

from . import reader
from .shell import Shell

TRAFFIC = Path(__file__).with_name("traffic.py")
NIC, SPARE = "enp1s0", "eth1"
SERVERS = ("edge1", "edge2")
INTENT = f"""\
nics:
  - name: {NIC}
    pipeline: scrubber
pipelines:
  - name: scrubber
    tables:
      deny_v4: [192.0.2.0/24]
      customers_v4:
        - {{prefix: 198.51.100.0/24, customer: 601, policy: 1121}}
      policies:
        - {{policy: 1121, countermeasures: [connections]}}
"""


@contextlib.contextmanager
def filtering(name: str) -> Iterator[Shell]:
    """A node `edge1` that filters: `enp1s0` carries the scrubber as `intent.yml` says, and is under a small attack.

    ``name`` is what this machine knows it by. There is a second NIC, `eth1`, that carries nothing.
    """
    traffic = f"python3 -B /usr/local/lib/traffic.py far-{NIC} $(cat /sys/class/net/{NIC}/address)"
    with reader.on_a_node(name, {TRAFFIC: "usr/local/lib/traffic.py"}) as shell:
        shell.write("intent.yml", INTENT)
        for command in (
            "hostname edge1",
            *(f"ip link add {nic} type veth peer name far-{nic}" for nic in (NIC, SPARE)),
            *(f"ip link set {nic} up && ip link set far-{nic} up" for nic in (NIC, SPARE)),
            "wirespeed apply -f intent.yml",
            f"setsid {traffic} > traffic.log 2>&1 & disown",
        ):
            _do(shell, command)
        yield shell


@contextlib.contextmanager
def servers(home: Path) -> Iterator[Shell]:
    """A control node, in the clone; `edge1` and `edge2`, NIC `enp1s0`, are reached by an inventory in `~/site`."""
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(node(name)) for name in SERVERS]
        for each in nodes:
            each.ssh(f"ip link set {INTERFACE} down && ip link set {INTERFACE} name {NIC} && ip link set {NIC} up")
            variables = home / f"site/host_vars/{each.name}.yml"
            variables.parent.mkdir(parents=True, exist_ok=True)
            variables.write_text(json.dumps(inventory.host(each)), encoding="utf-8")
        yield stack.enter_context(reader.at_home(home))


LEFT = ".left"


def leave(shell: Shell) -> None:
    """Keeps what was exported and where the shell is, for the pages that go on from there."""
    _do(shell, f"{{ export -p; printf 'cd %q\n' \"$PWD\"; }} > ~/{LEFT}")


@contextlib.contextmanager
def going_on(home: Path) -> Iterator[Shell]:
    """Another shell, as the one that was left there."""
    with reader.at_home(home) as shell:
        _do(shell, f". ~/{LEFT}")
        yield shell


def _do(shell: Shell, command: str) -> None:
    code, said = shell.run(command)
    assert code == 0, f"{command}: {said}"
