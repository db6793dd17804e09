# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of `site` that has nothing to do, over 10 to 200 hosts, beside the same settings by plain commands."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

from tests.netns_node.node import INTERFACE

from .fleet_nodes import QUEUES, Fleet
from .fleet_runs import Controller, Run, masks
from .series import times

SIZES = [int(size) for size in os.environ.get("WIRESPEED_FLEET", "10 50 200").split()]
PLAIN = Path(__file__).with_name("plain_settings.yml")
TUNING: Dict[str, Dict[str, Any]] = {
    "channels": {"rx": QUEUES, "tx": QUEUES},
    "features": {"rx-gro": True},
    "mtu": {"mtu": 1400},
    "xps": {"cpus": "spread"},
    "rps": {"cpus": "spread"},
    "napi": {"defer-hard-irqs": 2, "gro-flush-timeout": 20000},
    "txqueuelen": {"txqueuelen": 2000},
}
INTENT: Dict[str, Any] = {
    "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber", "tuning": TUNING}],
    "wirespeed_pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
}


def report() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wsb-") as folder, Fleet() as fleet:
        control = Controller(Path(folder), {})
        variables = dict(INTENT)
        runs: List[Run] = []
        for size in SIZES:
            new = fleet.grow(size)
            first = Controller(Path(folder), INTENT).run(new, "wirespeed.xdp.site")
            assert first.changed >= len(new), "the first run has nothing to do"
            if len(variables) == len(INTENT):
                variables.update(_plain_variables(fleet))
            control = Controller(Path(folder), variables)
            ours = control.run(fleet.nodes, "wirespeed.xdp.site")
            theirs = control.run(fleet.nodes, str(PLAIN))
            assert ours.changed == theirs.changed == 0, f"{ours}, {theirs}: a run had something to do"
            runs += [ours, theirs]
            yield from _rows(ours, theirs)


def _plain_variables(fleet: Fleet) -> Dict[str, Any]:
    """What a site would have in its group_vars for the plain playbook."""
    node = fleet.nodes[0]
    return {
        "nic": INTERFACE,
        "queues": QUEUES,
        "mtu": TUNING["mtu"]["mtu"],
        "txqueuelen": TUNING["txqueuelen"]["txqueuelen"],
        "rps_masks": masks(node, INTERFACE, "rps", "rx"),
        "xps_masks": masks(node, INTERFACE, "xps", "tx"),
        "napi_wanted": [str(value) for value in TUNING["napi"].values()],
        "program": node.out(f"ip -d -j link show {INTERFACE}").split('"name":"')[1].split('"')[0],
        "object": "scrubber.bpf.o",
    }


def _rows(ours: Run, theirs: Run) -> Iterator[str]:
    def row(what: str, one: float, other: float, unit: str) -> str:
        return f"    {what}: site {one:.3g} {unit}, plain {other:.3g} {unit}: {times(one / other)}"

    hosts = ours.hosts
    yield f"{hosts} hosts as wanted"
    yield row("wall", ours.wall, theirs.wall, "s")
    yield row("processor time per host, control node", ours.control / hosts * 1e3, theirs.control / hosts * 1e3, "ms")
    yield row("processor time per host, node", ours.target / hosts * 1e3, theirs.target / hosts * 1e3, "ms")
    yield row("memory of ansible-playbook", ours.memory, theirs.memory, "MiB")
