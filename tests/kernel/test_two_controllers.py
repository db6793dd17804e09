# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers that converge one node at the same moment: one wins, the other is told who did, and nothing mixes.

WIRESPEED_TRIES says how often.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

from tests.depth import times
from tests.pipelines import bundle_of, compiled, small
from tests.probes import requires, requires_bpf
from wirespeed import converge as converging
from wirespeed import engine
from wirespeed.apply.executor import Transaction
from wirespeed.errors import Busy
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .netns import Veth, command

pytestmark = [requires_bpf, requires("clang")]

TRIES = times("WIRESPEED_TRIES", usual=60, promised=200)
FORK = multiprocessing.get_context("fork")
CODE = """
SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""
HOLDER = re.compile(
    r"holds the lock .*/lock: process (\d+) \((.+)\), since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\. Wait until"
)


def version(number: int) -> PipelineSource:
    return small(CODE, version=str(number))


def wanted(number: int) -> Dict[str, Any]:
    """An intent that no other number has: in code, and in a setting of the NIC."""
    nic = {"name": "ws0", "pipeline": "small", "tuning": {"txqueuelen": {"txqueuelen": 1000 + number}}}
    return {"nics": [nic], "pipelines": [{"name": "small"}]}


def reached() -> Tuple[str, int]:
    shown = command("ip", "-oneline", "link", "show", "ws0")
    return instance.published(Paths.from_environment(), "small") or "", int(shown.split(" qlen ")[1].split("\\")[0])


def controller(number: int, barrier: Any, told: Path, answers: Any) -> None:
    """Stands at the lock until the other one does too; notes in ``told`` when its steps begin and when they end."""
    lock, run, commit = converging.node_lock, Transaction.run, Transaction.commit

    def note(word: str) -> None:
        with open(told, "a", encoding="utf-8") as out:
            out.write(f"{number} {word}\n")

    def together(path: Path) -> Any:
        barrier.wait(60)
        return lock(path)

    def begin(self: Transaction, steps: Any) -> None:
        note("begins")
        run(self, steps)

    def end(self: Transaction) -> Any:
        done = commit(self)
        note("ends")
        return done

    converging.node_lock, Transaction.run, Transaction.commit = together, begin, end  # type: ignore[assignment, method-assign]
    try:
        engine.converge(wanted(number), bundle_of(version(number)), False)
        answers.put((number, os.getpid(), ""))
    except Busy as busy:
        answers.put((number, os.getpid(), str(busy)))
    except BaseException as error:
        answers.put((number, os.getpid(), f"{type(error).__name__}: {error}"))


def meeting(numbers: Tuple[int, int], told: Path) -> List[Tuple[int, int, str]]:
    """Of each controller: its number, its process, and the error that it got."""
    barrier, answers = FORK.Barrier(2), FORK.SimpleQueue()
    both = [FORK.Process(target=controller, args=(number, barrier, told, answers)) for number in numbers]
    for process in both:
        process.start()
    found = [answers.get() for dummy in both]
    for process in both:
        process.join()
    return found


def test_one_wins_and_the_other_is_told_who_did(
    veth: Veth, places: Places, tmp_path: Path, record_property: Any
) -> None:
    told = tmp_path / "told"
    compiled(CODE)  # once, before any process forks: two builds differ in the paths that they name

    def on_node() -> int:
        refusals, last = 0, 2 * TRIES
        own_command = Path("/proc/self/cmdline").read_text(encoding="utf-8").replace("\0", " ")  # the children's too
        engine.converge(wanted(last), bundle_of(version(last)), False)  # what every process imports is here then
        for each in range(TRIES):
            told.write_text("")
            numbers = (2 * each, 2 * each + 1)
            found = meeting(numbers, told)
            refused = [said for dummy, dummy, said in found if said]
            order = [int(line.split()[0]) for line in told.read_text().splitlines()]
            assert order[::2] == order[1::2] and len(order) == 2 * (2 - len(refused)), (found, told.read_text())
            assert reached() == (version(order[-1]).generation, 1000 + order[-1]), found
            for said in refused:
                (winner,) = [pid for number, pid, dummy in found if number == order[-1]]
                named = HOLDER.search(said)
                assert named and int(named[1]) == winner and named[2] in own_command, said
            refusals += len(refused)
        return refusals

    refusals = veth.node.run(on_node, timeout=600.0)
    record_property("told", f"two controllers: {TRIES} tries, {refusals} refused by the lock")
    assert refusals >= TRIES * 0.9
