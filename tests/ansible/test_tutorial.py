# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial runs as it is written: its commands in their order, and what they say is what it shows."""

from __future__ import annotations

from pathlib import Path

from tests.documentation import reader
from tests.probes import requires, requires_bpf, requires_sshd

PAGE = reader.ROOT / "docs/tutorial.md"

pytestmark = [requires_bpf, requires("ping", "tshark", "bpftool"), requires_sshd]


def test_the_tutorial_runs_as_written_and_cleans_up(short_path: Path) -> None:
    with reader.no_nodes_left(PAGE), reader.at_home(short_path) as shell:
        reader.follow(PAGE, lambda _name: shell)
