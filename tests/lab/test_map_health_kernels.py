# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kernel here takes the programs that look at maps, and they see there what they see at home."""

from __future__ import annotations

import base64
from typing import Any, Callable

import pytest

from tests.depth import kernels
from tests.pipelines import support
from tests.probes import requires

from . import Node
from .agent import Agent
from .map_health_agent import FIRST, MORE, OVER

pytestmark = [requires("clang")]

COUNTS_HASHES = (6, 6)
"""The first kernel with bpf_map_sum_elem_count (kernel/bpf/map_iter.c)."""


@pytest.mark.parametrize("kernel", kernels("WIRESPEED_MAP_HEALTH_KERNELS", "6.1"))
def test_every_kernel_counts_alike(node: Callable[..., Node], kernel: str, record_property: Any) -> None:
    agent = Agent(node(kernel, "virtio"), "map_health_agent.py")
    try:
        codes = {name: base64.b64encode(getattr(support(), name)).decode() for name in ("walk", "counts")}
        told = agent.request(**codes)
    finally:
        agent.close()
    record_property("told", f"maps walked and counted on Linux {told['kernel']}")
    whole, over = FIRST + MORE, (FIRST + MORE) // OVER
    assert told["walked"] == {
        "hash": [whole, over, MORE, {"32": whole}],
        "lru_hash": [whole, over, MORE, {"32": whole}],
        "percpu_hash": [whole, None, MORE, {"32": whole}],
    }
    release = tuple(int(part) for part in told["kernel"].split(".")[:2])
    of_hash = FIRST if release >= COUNTS_HASHES else None
    assert told["counted"] == {"hash": of_hash, "lru_hash": of_hash, "percpu_hash": of_hash, "lpm_trie": FIRST}
