# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at each point of a delivery's journal and between its writes: what packets meet is the old configuration or
the new one, readers say which, and the next run undoes what was begun or finds it done.

WIRESPEED_SEED repeats a series of moments, WIRESPEED_KILLS says how many are taken at random.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.depth import times
from tests.lab.engine_agent import arm
from tests.probes import requires, requires_bpf
from wirespeed import config_engine
from wirespeed.kernel import bpf_batch
from wirespeed.pipeline import delivery_steps

from .config_cases import Configured, Rows, sided
from .conftest import Places
from .killing import killed_after, killed_in
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

KILLS = times("WIRESPEED_KILLS", usual=8, promised=60)
STRATEGIES = ["map_swap", "program_swap"]
HERE: Rows = {"denied": ["192.0.2.0/24", "198.51.100.0/24"], "hosts": ["203.0.113.1", "203.0.113.2"]}
THERE: Rows = {"denied": ["192.0.2.0/25", "198.51.100.0/24"], "hosts": ["203.0.113.3", "203.0.113.4"]}
ELSEWHERE: Rows = {"denied": ["192.0.2.128/25", "198.51.100.0/24"], "hosts": ["203.0.113.5", "203.0.113.6"]}
"""Which neither the idle side has, nor a generation that is kept."""
Tell = Callable[[str, object], None]


class Tour:
    """There and back between two documents, each time killed; ``moments`` notes where what was live."""

    def __init__(self, node: Configured, strategy: str) -> None:
        self.node, self.strategy = node, strategy
        self.moments: List[str] = []
        self.documents: Dict[bool, Rows] = {False: HERE, True: THERE}
        self._there = False
        self.deliver(HERE)
        self.deliver(THERE)
        self.deliver(HERE)

    def deliver(self, rows: Rows) -> Any:
        return self.node.apply(rows, self.strategy)

    def leg(self, killed: Callable[[Callable[[], Any]], str]) -> None:
        """One way, killed; what is live must be one of the two, under its own version, before and after the repair."""
        old, new = self.documents[self._there], self.documents[not self._there]
        version = config_engine.history("small").version
        moment = killed(lambda: self.deliver(new))
        live, shown = self.node.rows, config_engine.show("small")
        assert live in (old, new), f"a mixture after {moment}: {live}"
        assert (shown.version, dict(shown.drift)) == (version + (live == new), {}), moment
        self.moments.append(f"{moment}: {'new' if live == new else 'old'}")
        done = self.deliver(new)
        assert self.node.rows == new, moment
        # A run that died after its journal's end had done all of it.
        assert (done.version, done.changed) in ((version + 1, True), (version + 1, False)), moment
        self._there = not self._there


def at_point(point: int, told: Path) -> Callable[[Callable[[], Any]], str]:
    def killed(action: Callable[[], Any]) -> str:
        def armed() -> None:
            with open(told, "w", encoding="utf-8") as out:
                arm(point, out)
                action()

        return told.read_text(encoding="utf-8") if killed_after(armed, None) else ""

    return killed


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_old_or_new_at_each_point_of_the_journal(
    veth: Veth, places: Places, tmp_path: Path, strategy: str, record_property: Tell
) -> None:
    def on_node() -> List[str]:
        tour = Tour(Configured(veth.ifname, sided()), strategy)
        told = tmp_path / "told"
        for point in itertools.count(1):
            tour.leg(at_point(point, told))
            if not told.read_text(encoding="utf-8"):
                break
        return tour.moments

    moments = veth.node.run(on_node)
    record_property("told", f"kill -9 in a delivery by {strategy}: {len(moments) - 1} points")
    assert {moment.rpartition(" ")[2] for moment in moments} == {"old", "new"}, moments


WRITES: Dict[str, Any] = {
    "a row": (bpf_batch, "update", 1),
    "the second table": (bpf_batch, "update", 3),
    "the note": (delivery_steps.DeliverySteps, "_note", 1),
    "the history": (delivery_steps.store, "write_history", 1),
}


@pytest.mark.parametrize("before", WRITES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_old_or_new_between_two_writes(veth: Veth, places: Places, strategy: str, before: str) -> None:
    def on_node() -> None:
        tour = Tour(Configured(veth.ifname, sided()), strategy)
        tour.documents[True] = ELSEWHERE

        def killed(action: Callable[[], Any]) -> str:
            killed_in(action, *WRITES[before])
            return f"before {before}"

        tour.leg(killed)

    veth.node.run(on_node)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_old_or_new_at_any_moment(veth: Veth, places: Places, strategy: str, record_property: Tell) -> None:
    seed = int(os.environ.get("WIRESPEED_SEED", random.randrange(2**32)))
    print(f"WIRESPEED_SEED={seed}")

    def on_node() -> List[str]:
        tour, moments = Tour(Configured(veth.ifname, sided()), strategy), random.Random(seed)
        begun = time.monotonic()
        killed_after(lambda: tour.deliver(THERE), None)
        seconds = time.monotonic() - begun
        tour.deliver(HERE)

        def killed(action: Callable[[], Any]) -> str:
            return "killed" if killed_after(action, moments.uniform(0, seconds)) else "ended before"

        for dummy in range(KILLS):
            tour.leg(killed)
        return tour.moments

    record_property("told", f"{KILLS} kills of {strategy}, seed {seed}: {veth.node.run(on_node)}")


def test_a_delivery_in_place_that_was_killed_half_way_is_undone_by_the_next_run(veth: Veth, places: Places) -> None:
    """What was not delivered by us is put back too."""

    def on_node() -> None:
        node = Configured(veth.ifname, sided())
        node.apply(HERE, "entry")
        killed_in(lambda: node.apply(THERE, "entry"), bpf_batch, "update", 3)
        assert node.rows not in (HERE, THERE)
        assert "killed half-way" in config_engine.history("small").warnings[0]
        assert len(node.converge()["recovered"]) == 1
        assert node.rows == HERE
        assert config_engine.history("small").version == 1

    veth.node.run(on_node)


def test_one_call_in_place_is_done_or_not(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = Configured(veth.ifname, sided())
        node.apply(HERE, "entry")
        more = {**HERE, "hosts": [*HERE["hosts"], "203.0.113.9"]}
        killed_in(lambda: node.apply(more), delivery_steps.store, "write_history", 1)
        assert (node.rows, config_engine.show("small").version) == (more, 2)
        assert node.apply(more).recovered
        assert (node.rows, config_engine.show("small").version) == (more, 2)

    veth.node.run(on_node)
