# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: a pipeline whose verdict is the frame's UDP port, on several NICs at once. One JSON answer a line.

program  manifest, object (base64)   the pipeline; loaded and published
attach   nics                        each natively where its profile says so, else generically -> {NIC: mode}
redirect from, to                    frames for the redirect port go to that NIC
detach                               off all NICs, and gone
reload                               another generation of it, which keeps its maps -> {"generation": ...}
begin    nic                         a window over the NIC and the pipeline, if it carries one
end      sent                        the report
"""

from __future__ import annotations

import base64
import json
import sys
import time
from functools import partial
from typing import Any, Dict, List

from counters_agent import has_carrier, step, until

from wirespeed.author_verbs import this_machine
from wirespeed.counters.verify import Watch, subject
from wirespeed.errors import Place
from wirespeed.gather import BUILT_IN_PROFILES, built_in_support
from wirespeed.kernel import rtnetlink
from wirespeed.model.intent import NicIntent
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Action, Step
from wirespeed.observe import observe
from wirespeed.pipeline import instance
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource
from wirespeed.profiles.load import load
from wirespeed.profiles.resolve import resolve

PATHS = Paths.from_environment()
PIPELINE = "classes"


class Agent:
    def __init__(self) -> None:
        self.profiles = load([BUILT_IN_PROFILES])
        self.attached: Dict[str, Step] = {}
        self.watch: Any = None

    def program(self, manifest: Dict[str, Any], code: str) -> Dict[str, Any]:
        self.manifest, self.code = manifest, base64.b64decode(code)
        return self._publish(self._source("1"))

    def reload(self) -> Dict[str, Any]:
        return self._publish(self._source(str(time.monotonic_ns())))

    def _source(self, version: str) -> PipelineSource:
        manifest = Manifest.from_json({**self.manifest, "version": version})
        return PipelineSource(manifest, self.code, built_in_support(), Place("test")).on(this_machine())

    def _publish(self, source: PipelineSource) -> Dict[str, Any]:
        live, generation = instance.published(PATHS, PIPELINE), source.generation
        self.actuator = PipelineActuator(PATHS, {PIPELINE: source})
        self._do(Action.LOAD, PIPELINE, "instance", {}, {"generation": generation, "digest": source.digest})
        self._do(Action.PUBLISH, PIPELINE, "slot", {"generation": live}, {"generation": generation})
        return {"generation": generation}

    def _do(self, action: Action, target: str, resource: str, before: Any, after: Any) -> Step:
        made = step(action, target, resource, before, after)
        self.actuator.apply(made)
        return made

    def attach(self, nics: List[str]) -> Dict[str, Any]:
        modes = {}
        node = observe(PATHS, nics)
        for name in nics:
            profile = resolve(self.profiles, node.nics[name], node, NicIntent("name", name))
            mode = XdpMode.NATIVE if profile.native else XdpMode.GENERIC
            after = {"mode": mode.value, "pipeline": PIPELINE}
            self.attached[name] = self._do(Action.ATTACH, name, "xdp", {}, after)
            modes[name] = mode.value
        for name in nics:
            until(partial(has_carrier, name))
        return modes

    def detach(self) -> Dict[str, Any]:
        for made in self.attached.values():
            self.actuator.apply(made.inverted())
        for name in self.attached:
            until(partial(has_carrier, name))
        self.attached = {}
        return {}

    def redirect(self, source: str, target: str) -> Dict[str, Any]:
        generation = instance.published(PATHS, PIPELINE) or ""
        with instance.open_map(PATHS, PIPELINE, generation, "targets") as targets:
            key, value = (rtnetlink.link_named(name).ifindex.to_bytes(4, "little") for name in (source, target))
            targets.update(key, value)
        return {}

    def begin(self, nic: str) -> Dict[str, Any]:
        node = observe(PATHS, [nic])
        found = node.nics[nic]
        profile = resolve(self.profiles, found, node, NicIntent("name", nic))
        pipeline = found.xdp.pipeline if found.xdp else None
        self.watch = Watch.begin([subject(found, profile.counters)], node.kernel.version, PATHS, pipeline)
        return {"driver": found.driver}

    def end(self, sent: int) -> Dict[str, Any]:
        return dict(self.watch.end(sent=sent).to_json())


def main() -> None:
    agent = Agent()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(agent, request.pop("do"))(**request)), flush=True)


if __name__ == "__main__":
    main()
