# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents delivered to a pipeline: by each strategy, whole or not at all, back and forth, and by who else."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest

from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.errors import BadInput, Refused

from .conftest import Places
from .config_cases import Configured, Rows, document, one_sided, sided
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

FIRST: Rows = {"denied": ["192.0.2.0/24", "198.51.100.0/24"], "hosts": ["203.0.113.1"], "ports": ["53"]}
SECOND: Rows = {"denied": ["192.0.2.0/25", "198.51.100.0/24"], "hosts": ["203.0.113.2", "203.0.113.3"], "ports": ["53"]}
OnNode = Callable[[Callable[[str], Any]], Any]


@pytest.fixture
def on_node(veth: Veth, places: Places) -> OnNode:
    """Runs a function of the NIC's name in the node's namespace."""
    return lambda function: veth.node.run(function, veth.ifname)


@pytest.mark.parametrize("attach", ["root", "direct"])
@pytest.mark.parametrize("strategy", ["entry", "map_swap", "program_swap", "auto"])
def test_what_is_delivered_is_what_the_kernel_has(on_node: OnNode, strategy: str, attach: str) -> None:
    def deliver(nic: str) -> None:
        node = Configured(nic, sided(), attach)
        node.apply(FIRST, "entry")
        assert node.rows == FIRST
        told = node.apply(SECOND, strategy)
        assert (told.changed, told.before, told.version) == (True, 1, 2)
        assert node.rows == SECOND
        assert config_engine.history("small").version == 2
        assert not node.apply(SECOND, strategy).changed
        assert node.converge()["steps"] == []

    on_node(deliver)
