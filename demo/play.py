# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real ansible-playbook on the fleet and holds what must be true of every run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional

from tests import playbook

from . import say
from .fleet import Fleet, Member
from .traffic import DENIED_PREFIX
from .verdicts import PIPELINE

SITE, DRIFT = "wirespeed.xdp.site", "wirespeed.xdp.drift"
REPORT = "ansible.builtin.debug"
SHOWN_OF_A_FAILURE = 2500


@dataclass
class Result:
    """What one host's ``wirespeed.xdp.node`` returned, its line of the recap, and what else the playbook told."""

    node: Dict[str, Any]
    changed_tasks: int
    counters: Dict[str, Any] = field(default_factory=dict)
    drift: List[str] = field(default_factory=list)

    @property
    def nic(self) -> Dict[str, Any]:
        return dict(self.node["nics"][0])

    @property
    def steps(self) -> List[str]:
        return [str(step["text"]) for step in self.node["steps"]]


def variables(member: Member, manifest: Optional[Path] = None) -> Dict[str, Any]:
    """What the inventory says of one host: its NIC carries the scrubber, which denies one prefix."""
    pipeline: Dict[str, Any] = {"name": PIPELINE, "tables": {"deny_v4": [DENIED_PREFIX]}}
    if manifest:
        pipeline["manifest"] = str(manifest)
    wanted = {"name": member.nic, "pipeline": PIPELINE, "mode": "native", "tuning": member.tuning}
    return {"wirespeed_nics": [wanted], "wirespeed_pipelines": [pipeline]}


def inventory(fleet: Fleet, manifest: Optional[Path] = None) -> Dict[str, Any]:
    hosts = {each.name: {**fleet.hosts[each.name], **variables(each, manifest)} for each in fleet.members}
    return {"all": {"hosts": hosts}}


def run(
    fleet: Fleet,
    name: str,
    manifest: Optional[Path] = None,
    extra: Optional[Dict[str, Any]] = None,
    arguments: Optional[List[str]] = None,
) -> Dict[str, Result]:
    """Results by host. A run that fails on any host ends the demo with what it said."""
    told = "".join(f" -e {key}={value}" for key, value in (extra or {}).items())
    say.command(f"ansible-playbook -i inventory.json {name}{told} {' '.join(arguments or [])}")
    started = time.monotonic()
    play = playbook.run(inventory(fleet, manifest), name, extra, arguments or [], check=False)
    if play.code != 0:
        raise say.DemoFailed(f"{name} failed with exit code {play.code}:\n{play.output[-SHOWN_OF_A_FAILURE:]}")
    say.line(f"done in {time.monotonic() - started:.1f} s on {len(fleet.members)} node(s)")
    return {each.name: _result(play, each.name) for each in fleet.members}


def _result(play: playbook.Play, host: str) -> Result:
    ran = {line["action"] for line in play.results if line["host"] == host and line["outcome"] == "ok"}
    counters = play.of(playbook.COUNTERS, host) if playbook.COUNTERS in ran else {}
    report = play.of(REPORT, host)["msg"] if REPORT in ran else []
    return Result(play.node(host), play.changed(host), counters, report)
