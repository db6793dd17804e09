# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the virtual fleet.

    def test_x(node):           a factory: node("6.12", "igb", "virtio:queues=4:rss=on") -> Node, fresh each time
    def test_y(module_node):    the same factory, its nodes shared by the tests of one file

A node is restored from a saved machine of its kind; `cold=True` boots it. When a test fails, consoles and journals of
its nodes are copied to tests/output/lab/TEST and the failure says so. After the tests nothing is left on the host.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from . import Image, LabError, Node, build, install, missing, remove_orphans, start, this_process
from .agent import Agent

_OUTPUT = Path(__file__).parents[1] / "output" / "lab"
_numbers = itertools.count(1)
_alive: List[Node] = []


@pytest.fixture(scope="session")
def lab_image() -> Image:
    """The image that every node boots from; built when the cache does not have it."""
    try:
        install()
    except LabError:
        pytest.skip(f"no virtual fleet here: {'; '.join(missing())}")
    image = build()
    remove_orphans(image)
    return image


@pytest.fixture
def node(lab_image: Image) -> Iterator[Callable[..., Node]]:
    yield from _factory(lab_image)


@pytest.fixture(scope="module")
def module_node(lab_image: Image) -> Iterator[Callable[..., Node]]:
    yield from _factory(lab_image)


def _factory(image: Image) -> Iterator[Callable[..., Node]]:
    made: List[Node] = []

    def make(kernel: str, *nics: str, name: str = "", cold: bool = False) -> Node:
        owner = this_process()
        found = start(image, name or f"t{owner[0]}-{next(_numbers)}", kernel, nics, cold=cold, owner=owner)
        made.append(found)
        _alive.append(found)
        return found

    yield make
    left: List[str] = []
    for found in made:
        _alive.remove(found)
        found.remove()
        left += [f"{found.name}: {what}" for what in found.leftovers()]
    assert not left, f"left on the host after the test: {left}"


@pytest.fixture(scope="module")
def module_agent(lab_image: Image) -> Iterator[Callable[[Node], Agent]]:
    """A factory: module_agent(node) -> the engine on that node, imported once and under command."""
    made: List[Agent] = []

    def start_on(node: Node) -> Agent:
        made.append(Agent(node, "engine_agent.py"))
        return made[-1]

    yield start_on
    for agent in made:
        agent.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """Keep the consoles of a failed test's nodes while they still run."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and call.when != "teardown" and _alive:
        where = _OUTPUT / re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name)
        kept = [str(found.collect(where / found.name)) for found in _alive]
        report.sections.append(("virtual fleet", "console, journal and QEMU's output:\n" + "\n".join(kept)))
