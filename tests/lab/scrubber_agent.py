# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: loads a pipeline with some constants and runs its manifest's packets; one JSON line each.

{"manifest": ..., "object": OBJECT, "constants": {NAME: VALUE}}    OBJECT in base64
    -> {"kernel": RELEASE, "failed": [TEXT, ...]}    or {"kernel": RELEASE, "refused": TEXT}
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from typing import Any, Dict

from wirespeed.errors import Place, WirespeedError
from wirespeed.pipeline import fixtures
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.source import PipelineSource


def run(asked: Dict[str, Any]) -> Dict[str, Any]:
    manifest, code = Manifest.from_json(asked["manifest"]), base64.b64decode(asked["object"])
    source = PipelineSource(manifest, code, place=Place(manifest.name)).with_constants(asked["constants"])
    told: Dict[str, Any] = {"kernel": platform.release()}
    try:
        fixtures.load_once(source)
        told["failed"] = [str(failure) for failure in fixtures.run(source)] if asked["run"] else []
    except WirespeedError as error:
        told["refused"] = str(error)
    return told


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
