# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments of whole reloads under traffic: filtering never stops, the next run converges, and nothing
is left in the kernel that no pin names.

WIRESPEED_SEED repeats a series of moments, WIRESPEED_KILLS says how many.
"""

from __future__ import annotations

import json
import os
import random
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.depth import times
from tests.ledger.reloads import METHODS as SAID
from tests.ledger.reloads import Ledger, wait_until
from tests.ledger.stack import Stack
from tests.pipelines import bundle_of, compiled, small
from tests.probes import requires, requires_bpf
from wirespeed import engine
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance
from wirespeed.pipeline.garbage import collect
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import Flow, fill, read
from .killing import killed_after
from .netns import Veth
from .numbered import HOURS, METHODS, PROGRESS, Built, built_in, in_traffic, no_ipv6, numbered
from .orphans import Objects, half_made

pytestmark = [requires_bpf, requires("clang")]

KILLS = times("WIRESPEED_KILLS", usual=20, promised=50)
HAND_OVERS = (KILLS + 1) // 2
KEPT = 3  # generations: what runs, and two for a rollback
Tell = Callable[[str, object], None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_in(tmp_path_factory.mktemp("ledger"))


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("WIRESPEED_SEED", random.randrange(2**32)))
    print(f"WIRESPEED_SEED={chosen}")
    return chosen


@dataclass
class Killer:
    """Kills runs of ``converge`` and lets another one end what they began. ``judged``: frames so far; ``objects``: of
    the pipeline; ``told``: where the moments of death are noted, a word each."""

    pipeline: str
    converge: Callable[[bool], Dict[str, Any]]
    judged: Callable[[], int]
    objects: Objects
    told: Path
    moments: random.Random
    seconds: float = field(init=False)

    def __post_init__(self) -> None:
        begun = time.monotonic()
        killed_after(lambda: self.converge(False), None)
        self.seconds = time.monotonic() - begun

    def kill(self) -> None:
        """At a moment within the time that the last whole run took."""
        begun = time.monotonic()
        if killed_after(lambda: self.converge(False), self.moments.uniform(0, self.seconds)):
            moment = at_death(Paths.from_environment())
        else:
            moment, self.seconds = "ended before", time.monotonic() - begun
        with open(self.told, "a", encoding="utf-8") as told:
            told.write(f"{moment}\n")
        self.objects.look()
        before = self.judged()
        wait_until(lambda: self.judged() >= before + PROGRESS, f"{PROGRESS} frames judged after a kill ({moment})")

    def recover(self) -> None:
        self.converge(False)
        again = self.converge(True)
        assert (again["steps"], again["deviations"], again["recovered"]) == ([], [], []), again
        paths = Paths.from_environment()
        collect(paths)
        assert half_made(paths.bpffs) == []
        assert len(paths.generations(self.pipeline)) <= KEPT
        assert self.objects.unnamed() == []


def at_death(paths: Paths) -> str:
    """The action that the journal has last, which was under way or just done."""
    journal = paths.state / "journal"
    if not journal.exists():
        return "no journal"
    begun = [line for line in journal.read_text(encoding="utf-8").splitlines() if line.startswith('{"begin"')]
    return str(json.loads(begun[-1])["begin"]["action"]) if begun else "empty journal"


def summary(told: Path) -> str:
    words = Counter(told.read_text(encoding="utf-8").split("\n")[:-1])
    return ", ".join(f"{word} {count}" for word, count in words.most_common())


def landed(told: Path) -> int:
    """How many runs died with a journal, so in the middle of their changes."""
    return sum(word not in ("no journal", "ended before") for word in told.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("method", METHODS)
def test_filtering_goes_on_whenever_a_reload_is_killed(
    veth: Veth, places: Places, built: Built, tmp_path: Path, method: str, seed: int, record_property: Tell
) -> None:
    told, killers = tmp_path / "told", []

    def killed(ledger: Ledger, dummy: Stack) -> None:
        if not killers:
            objects = Objects(places.bpffs, ledger.map("seen").info.id)
            ledger.edition += 1
            killers.append(
                Killer("ledger", ledger.converge, lambda: ledger.counted, objects, told, random.Random(seed))
            )
        ledger.edition += 1
        killers[0].kill()
        killers[0].recover()

    found = in_traffic(veth, built, method, killed, KILLS)
    record_property("told", f"{KILLS} kills by {method}, seed {seed}: {found}; {summary(told)}")
    assert found.lossless and found.once == found.taken, found
    assert landed(told) > 0


PROGRAM = """
WS_VERDICTS(1);
struct flow { %s };
WS_STATE(BPF_MAP_TYPE_HASH, flows, __u32, struct flow, 131072);
SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 34 > end || *(__u16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	__u32 key = __builtin_bswap32(*(__u32 *)(data + 26));
	struct flow fresh = {};
	struct flow *flow = flows_lookup_or_init(&key, &fresh);

	if (!flow)
		return XDP_PASS;
	__sync_fetch_and_add(&flow->packets, 1);
	__sync_fetch_and_add(&flow->bytes, end - data);
	return ws_verdict(ctx, 0, XDP_DROP);
}
char _license[] SEC("license") = "GPL";
"""
LAYOUTS = [
    "__u64 packets; __u64 bytes; __u64 first_seen;",
    "__u64 first_seen; __u32 mark; __u64 packets; __u64 bytes;",
]
MAPS = {"flows": {"role": "state", "sums": ["packets", "bytes"]}, "verdicts": {"role": "stats"}}
LENGTH = 60
BEFORE = {key: Flow(key % 7, LENGTH * (key % 7), key) for key in range(1, 100_001)}
"""Flows that no frame meets: all of them are carried, each time."""


class Flows:
    """The pipeline of PROGRAM on a NIC; the layout of its flows is another one in each edition."""

    def __init__(self, nic: str, method: str) -> None:
        self.edition = 0
        self._intent = {
            "nics": [{"name": nic, "pipeline": "small"}],
            "pipelines": [{"name": "small", **SAID[method]}],
        }
        self.converge()
        self.verdicts: BpfMap = instance.open_map(Paths.from_environment(), "small", self.source.generation, "verdicts")

    @property
    def source(self) -> PipelineSource:
        code = PROGRAM % LAYOUTS[self.edition % len(LAYOUTS)]
        verdicts = [{"name": "counted", "action": "drop"}]
        return small(code, version=str(self.edition), maps=MAPS, verdicts=verdicts)

    def converge(self, check: bool = False) -> Dict[str, Any]:
        return dict(engine.converge(self._intent, bundle_of(self.source), check))

    @property
    def judged(self) -> int:
        return sum(struct.unpack_from("<Q", value)[0] for value in self.verdicts.lookup_percpu(bytes(4)))

    @property
    def traffic(self) -> List[Flow]:
        """Of the flows that were not there before. Those that were must be as they were."""
        flows = read(self.source)
        assert {key: flow for key, flow in flows.items() if key in BEFORE} == BEFORE
        return [flow for key, flow in flows.items() if key not in BEFORE]


@pytest.mark.parametrize("method", METHODS)
def test_counters_are_exact_whenever_a_hand_over_is_killed(
    veth: Veth, places: Places, built: Built, tmp_path: Path, method: str, seed: int, record_property: Tell
) -> None:
    no_ipv6(veth)
    told = tmp_path / "told"
    for layout in LAYOUTS:  # once, before any process forks: two builds differ in the paths that they name
        compiled(PROGRAM % layout)

    def on_node() -> "tuple[int, int, List[Flow], int]":
        flows = Flows(veth.ifname, method)
        fill(flows.source, BEFORE)
        objects = Objects(places.bpffs, flows.verdicts.info.id)
        with Stack(veth.ifname) as stack:
            with numbered(veth, built.sender) as stop:
                flows.edition += 1
                killer = Killer("small", flows.converge, lambda: flows.judged, objects, told, random.Random(seed))
                for dummy in range(HAND_OVERS):
                    flows.edition += 1
                    killer.kill()
                    killer.recover()
                taken = stop()
            wait_until(lambda: flows.judged + stack.frames >= taken, f"{taken} frames judged or escaped")
            return taken, flows.judged, flows.traffic, stack.frames

    taken, judged, flows, escaped = veth.node.run(on_node, timeout=HOURS)
    record_property("told", f"{HAND_OVERS} kills by {method}, seed {seed}: {taken} frames; {summary(told)}")
    assert (judged, escaped) == (taken, 0)
    assert [(flow.packets, flow.bytes) for flow in flows] == [(taken, LENGTH * taken)]
    assert landed(told) > 0
