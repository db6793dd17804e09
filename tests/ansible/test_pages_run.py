# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that say how to do something do it, in the order of the page: where their fences say, else in the clone, where
the page begins with make, or on a node of their own from an empty folder."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path
from typing import ContextManager, Iterator

import pytest

from tests.documentation import page, reader, states
from tests.documentation.shell import Shell
from tests.probes import requires, requires_bpf, requires_sshd

README, DOCS = reader.ROOT / "README.md", reader.ROOT / "docs"
ELSEWHERE = {"tutorial.md"}  # test_tutorial.py
RUN = [path for path in sorted(DOCS.glob("*.md")) if path.name not in ELSEWHERE and reader.runs(path)]
THERE = {path: {block.words.get("on", "") for block in page.blocks(path) if "run" in block.words} for path in RUN}
ON_THE_SITE = [path for path, names in THERE.items() if "site" in names]

pytestmark = [
    requires_bpf,
    requires("clang", "ping", "tshark", "ethtool", "bpftool", "xdp-tools", "curl", "jq"),
    requires_sshd,
]


@contextlib.contextmanager
def at(path: Path, name: str, home: Path) -> Iterator[Shell]:
    node = re.sub("[^a-z]", "-", f"page-{path.stem}{name and '-'}{name}")
    if name:
        with states.filtering(node) as shell:
            yield shell
    elif reader.in_the_clone(path):
        with reader.no_nodes_left(path), reader.at_home(home) as shell:
            yield shell
    else:
        with reader.on_a_node(node) as shell:
            yield shell


@pytest.mark.parametrize("path", [path for path in RUN if path not in ON_THE_SITE], ids=lambda path: path.name)
def test_a_page_runs_as_written(path: Path, short_path: Path) -> None:
    with reader.begun(lambda name: at(path, name, short_path)) as where:
        reader.follow(path, where)


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """The home of a control node where the README ends."""
    with tempfile.TemporaryDirectory(prefix="ws-") as home, states.servers(Path(home)) as shell:
        reader.follow(README, lambda _name: shell)
        states.leave(shell)
        yield Path(home)


def test_the_readme_runs_as_written(site: Path) -> None:
    """The fixture has run it, for the pages that go on from there."""
    assert (site / "site/wirespeed-facts/edge1.json").exists()


@pytest.mark.parametrize("path", ON_THE_SITE, ids=lambda path: path.name)
def test_a_page_goes_on_where_the_readme_ended(path: Path, site: Path, short_path: Path) -> None:
    def begin(name: str) -> ContextManager[Shell]:
        return states.going_on(site) if name == "site" else at(path, name, short_path)

    with reader.begun(begin) as where:
        reader.follow(path, where)
