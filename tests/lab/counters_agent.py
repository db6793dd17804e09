# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: attaches the reference pipeline, opens and closes windows as told, one JSON line each.

attach NIC      -> {"mode": ...}          load scrubber (192.0.2.0/24 denied), publish, attach as the profile allows
detach NIC      -> {}
raw NIC         -> {"ethtool": [[name, value], ...], "queues": {...}, "link": {...}}
begin NIC       -> {}                     a window over NIC; with the pipeline when it is attached
end SENT FLOWS  -> the report
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import wirespeed
from wirespeed.author_verbs import this_machine
from wirespeed.counters import raw
from wirespeed.counters.verify import Watch, subject
from wirespeed.gather import built_in_support, read_pipeline
from wirespeed.kernel import rtnetlink
from wirespeed.model.intent import NicIntent
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Action, Step
from wirespeed.observe import observe
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.pins import Paths
from wirespeed.profiles.load import load
from wirespeed.profiles.resolve import resolve

HERE = Path(wirespeed.__file__).parent
PATHS = Paths.from_environment()
CARRIER_S = 30.0


def step(action: Action, target: str, resource: str, before: Any, after: Any) -> Step:
    return Step(target, action, resource, before, after, "test", "test")


class Agent:
    def __init__(self) -> None:
        self.profiles = load([HERE / "profiles"])
        self.source = replace(read_pipeline("scrubber", HERE), support=built_in_support()).on(this_machine())
        self.actuator = PipelineActuator(PATHS, {"scrubber": self.source})
        self.watch: Any = None

    def found(self, name: str) -> Tuple[Any, Any, Any]:
        node = observe(PATHS, [name])
        nic = node.nics[name]
        return node, nic, resolve(self.profiles, nic, node, NicIntent("name", name))

    def attach(self, name: str) -> Dict[str, Any]:
        node, _, profile = self.found(name)
        generation = self.source.generation
        if node.instance("scrubber") is None:
            self.actuator.apply(step(Action.LOAD, "scrubber", "instance", {}, {"generation": generation, "digest": ""}))
            rows = [{"generation": generation, "rows": rows} for rows in ([], ["192.0.2.0/24"])]
            self.actuator.apply(step(Action.CONFIGURE, "scrubber", "deny_v4", *rows))
            slot = [{"generation": each} for each in (None, generation)]
            self.actuator.apply(step(Action.PUBLISH, "scrubber", "slot", *slot))
        mode = XdpMode.NATIVE if profile.native else XdpMode.GENERIC
        self.actuator.apply(self._link(name, mode))
        until(partial(has_carrier, name))
        return {"mode": mode.value}

    def detach(self, name: str) -> Dict[str, Any]:
        nic = self.found(name)[1]
        self.actuator.apply(self._link(name, nic.xdp.mode).inverted())
        until(partial(has_carrier, name))
        return {}

    def _link(self, name: str, mode: XdpMode) -> Step:
        return step(Action.ATTACH, name, "xdp", {}, {"mode": mode.value, "pipeline": "scrubber"})

    def raw(self, name: str) -> Dict[str, Any]:
        read = raw.read(name, rtnetlink.link_named(name).ifindex)
        queues = {f"{direction} {queue}": values for (direction, queue), values in read.queues.items()}
        unread = {source.value: why for source, why in read.unread.items()}
        return {"ethtool": read.ethtool, "queues": queues, "link": read.link, "unread": unread}

    def begin(self, name: str) -> Dict[str, Any]:
        node, nic, profile = self.found(name)
        pipeline = nic.xdp.pipeline if nic.xdp else None
        self.watch = Watch.begin([subject(nic, profile.counters)], node.kernel.version, PATHS, pipeline)
        return {"driver": nic.driver, "kernel": node.kernel.release, "profile": profile.names}

    def end(self, sent: str, flows: str) -> Dict[str, Any]:
        return self.watch.end(sent=int(sent), flows=int(flows)).to_json()


def has_carrier(name: str) -> bool:
    return rtnetlink.link_named(name).carrier


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + CARRIER_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the carrier did not come back")
        time.sleep(0.05)


def main() -> None:
    agent = Agent()
    for line in sys.stdin:
        verb, *words = line.split()
        print(json.dumps(getattr(agent, verb)(*words)), flush=True)


if __name__ == "__main__":
    main()
