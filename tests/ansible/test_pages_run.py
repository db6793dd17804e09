# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that say how to do something do it, in the order of the page: on a node of their own, from an empty folder; or
in the clone, where the page begins with make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documentation import reader
from tests.probes import requires, requires_bpf, requires_sshd

DOCS = reader.ROOT / "docs"
ELSEWHERE = {"tutorial.md"}  # test_tutorial.py
RUN = [path for path in sorted(DOCS.glob("*.md")) if path.name not in ELSEWHERE and reader.runs(path)]

pytestmark = [requires_bpf, requires("clang", "ping", "tshark", "ethtool", "xdp-tools"), requires_sshd]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_a_page_runs_as_written(path: Path, short_path: Path) -> None:
    if reader.in_the_clone(path):
        with reader.no_nodes_left(path), reader.at_home(short_path) as shell:
            reader.follow(path, shell)
        return
    with reader.on_a_node(re.sub("[^a-z]", "-", f"page-{path.stem}")) as shell:
        reader.follow(path, shell)
