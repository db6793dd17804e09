# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: one generation after the other takes over, and a frame is run through each; one JSON line each.

{"support": {NAME: OBJECT, ...}, "frame": HEX, "generations": [{"manifest": ..., "object": OBJECT}, ...]}
    -> {"kernel": RELEASE, "maps": {NAME: {KEY: [NUMBER, ...]}}}    of the last generation, all CPUs together

Objects are in base64. A number is 8 bytes.
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from typing import Any, Dict, List

from wirespeed.errors import Place
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance, root
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource
from wirespeed.pipeline.support import Support

PATHS = Paths.from_environment()


def succession(asked: Dict[str, Any]) -> Dict[str, Any]:
    support = Support.of({name: base64.b64decode(code) for name, code in asked["support"].items()})
    for said in asked["generations"]:
        manifest, code = Manifest.from_json(said["manifest"]), base64.b64decode(said["object"])
        source = PipelineSource(manifest, code, support, Place("small"))
        instance.load(PATHS, source)
        instance.publish(PATHS, source)
        with root.program(PATHS, manifest.name) as program:
            program.test_run(bytes.fromhex(asked["frame"]))
    maps = {}
    for name in source.manifest.maps:
        with instance.open_map(PATHS, manifest.name, source.generation, name) as found:
            maps[name] = {int.from_bytes(key, "little"): numbers(found, key) for key, dummy in found.items()}
    return {"kernel": platform.release(), "maps": maps}


def numbers(found: BpfMap, key: bytes) -> List[int]:
    values = found.lookup_percpu(key) if found.info.percpu else [found.lookup(key) or b""]
    words = range(0, len(values[0]), 8)
    return [sum(int.from_bytes(value[at : at + 8], "little") for value in values) for at in words]


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(succession(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
