# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of `site` that has nothing to do, over 10 to 200 hosts, beside the same settings by plain commands."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, List

from tests.netns_node.node import INTERFACE
from tests.playbook import ROOT

from .fleet_nodes import QUEUES, Fleet
from .fleet_runs import Controller, Run, masks
from .series import times

SIZES = [int(size) for size in os.environ.get("WIRESPEED_FLEET", "10 50 200").split()]
PLAIN = Path(__file__).with_name("plain_settings.yml")
FIGURES = ROOT / "build" / "bench" / "fleet.json"
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
    """Writes what it measured into ``FIGURES``, too; bench/fleet_chart.py draws that."""
    site: List[Run] = []
    plain: List[Run] = []
    with tempfile.TemporaryDirectory(prefix="wsb-") as folder, Fleet() as fleet:
        for size in SIZES:
            _converge(fleet, size, Path(folder))
            control = Controller(Path(folder), {**INTENT, **_plain_variables(fleet)})
            for _ in range(max(1, min(3, 30 // size))):
                site.append(control.run(fleet.nodes, "wirespeed.xdp.site"))
                plain.append(control.run(fleet.nodes, str(PLAIN)))
                assert site[-1].changed == plain[-1].changed == 0, f"{site[-1]}, {plain[-1]}: a run had something to do"
            yield from _rows(size, site, plain)
    yield from _growth("site", site)
    yield from _growth("plain", plain)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({"site": _rounded(site), "plain": _rounded(plain)}, indent=1) + "\n")


def _converge(fleet: Fleet, size: int, folder: Path) -> None:
    new = fleet.grow(size)
    first = Controller(folder, INTENT).run(new, "wirespeed.xdp.site")
    assert first.changed == len(new), f"{first.changed} of {len(new)} new hosts had something to do"


def _plain_variables(fleet: Fleet) -> Dict[str, Any]:
    """What a site would have in its group_vars for the plain playbook."""
    node = fleet.nodes[0]
    link = json.loads(node.out(f"ip -details -json link show {INTERFACE}"))[0]
    return {
        "nic": INTERFACE,
        "queues": QUEUES,
        "mtu": TUNING["mtu"]["mtu"],
        "txqueuelen": TUNING["txqueuelen"]["txqueuelen"],
        "rps_masks": masks(node, INTERFACE, "rps", "rx"),
        "xps_masks": masks(node, INTERFACE, "xps", "tx"),
        "napi_wanted": [str(value) for value in TUNING["napi"].values()],
        "program": link["xdp"]["prog"]["name"],
        "object": "scrubber.bpf.o",
    }


def _median(runs: List[Run], size: int, figure: str) -> float:
    return statistics.median(getattr(run, figure) for run in runs if run.hosts == size)


def _rows(size: int, site: List[Run], plain: List[Run]) -> Iterator[str]:
    def row(what: str, figure: str, unit: str, scale: float = 1) -> str:
        one, other = _median(site, size, figure) * scale, _median(plain, size, figure) * scale
        return f"    {what}: site {one:.3g} {unit}, plain {other:.3g} {unit}: {times(one / other)}"

    yield f"{size} hosts that are as wanted, in {max(1, min(3, 30 // size))} run(s) of each"
    yield row("wall clock", "wall", "s")
    yield row("processor time of the control node, per host", "control", "ms", 1e3 / size)
    yield row("processor time of a node", "target", "ms", 1e3 / size)
    yield row("memory of ansible-playbook", "memory", "MiB")


def _growth(what: str, runs: List[Run]) -> Iterator[str]:
    """What each host adds between the least and the most."""
    least, most = SIZES[0], SIZES[-1]
    if least == most:
        return

    def added(figure: str) -> float:
        return (_median(runs, most, figure) - _median(runs, least, figure)) / (most - least)

    yield (
        f"{what}, from {least} to {most} hosts each host adds: {added('wall') * 1e3:.3g} ms of wall clock, "
        f"{added('control') * 1e3:.3g} ms of the control node's processor, {added('memory') * 1024:.3g} KiB"
    )


def _rounded(runs: List[Run]) -> List[Dict[str, float]]:
    return [{name: round(value, 2) for name, value in asdict(run).items()} for run in runs]
