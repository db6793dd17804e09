# SPDX-License-Identifier: GPL-3.0-or-later
"""Both builds of the scrubber pass the verifier of every kernel here, whatever is on, and judge there as at home."""

from __future__ import annotations

import base64
from typing import Any, Callable, Dict, List

import pytest

from tests.depth import kernels
from tests.pipelines import OBJECTS, support
from tests.probes import requires
from tests.scrubber_model.judge import FEATURES
from wirespeed.pipeline.manifest import load_manifest

from . import Node
from .agent import Agent

pytestmark = [requires("clang")]

BUILDS = ("scrubber", "scrubber_frags")
ALL_ON, ALL_OFF = ({f"with_{feature}": on for feature in FEATURES} for on in (True, False))


def asked(build: str, constants: Dict[str, bool]) -> Dict[str, Any]:
    support()  # builds them all
    manifest = load_manifest(OBJECTS / f"{build}.pipeline.yml").to_json()
    code = base64.b64encode((OBJECTS / f"{build}.bpf.o").read_bytes()).decode()
    return {"manifest": manifest, "object": code, "constants": constants, "run": constants is ALL_ON}


@pytest.mark.parametrize("kernel", kernels("WIRESPEED_SCRUBBER_KERNELS", "6.1"))
def test_every_kernel_takes_it_and_judges_alike(node: Callable[..., Node], kernel: str, record_property: Any) -> None:
    agent = Agent(node(kernel, "virtio"), "scrubber_agent.py")
    try:
        told: List[Dict[str, Any]] = [
            agent.request(**asked(build, constants)) for build in BUILDS for constants in (ALL_ON, ALL_OFF)
        ]
    finally:
        agent.close()
    record_property("told", f"both builds of the scrubber on Linux {told[0]['kernel']}")
    assert [each.get("refused", each.get("failed")) for each in told] == [[], [], [], []]
