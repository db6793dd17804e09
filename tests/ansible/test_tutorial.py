# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial runs as it is written: its commands in their order, and what they say is what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

import pytest

from tests.documentation import reader
from tests.netns_node import node
from tests.probes import requires, requires_bpf, requires_sshd

PAGE = reader.ROOT / "docs/tutorial.md"
NODES = ("edge1", "edge2")

pytestmark = [requires_bpf, requires("ping", "tshark", "bpftool"), requires_sshd]


def left() -> List[str]:
    return [phrase for name in NODES for phrase in node.load(name).leftovers()]


@pytest.fixture
def no_residue() -> Iterator[None]:
    """Whatever the page has come to, its nodes go."""
    assert left() == [], "nodes of these names are up already"
    yield
    for name in NODES:
        node.load(name).down()


def test_the_tutorial_runs_as_written_and_cleans_up(tmp_path: Path, no_residue: None) -> None:
    reader.follow(PAGE, reader.ROOT, tmp_path)
    assert left() == []
