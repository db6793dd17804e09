# SPDX-License-Identifier: GPL-3.0-or-later
"""A new program that is no good, under traffic: what ran goes on, each frame is counted once, and the error says why.

The verifier's word and a failing packet are heard before anything is published; what is live, a health gate judges.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Tuple

import pytest

from tests.ledger.reloads import METHODS as SAID
from tests.ledger.reloads import wait_until
from tests.ledger.stack import Stack
from tests.pipelines import bundle_of, small
from tests.probes import requires, requires_bpf
from wirespeed import engine
from wirespeed.apply.executor import ApplyFailed
from wirespeed.counters.gate import GateFailed
from wirespeed.kernel.bpf_object import VerifierRejection
from wirespeed.pipeline import instance
from wirespeed.pipeline.fixtures import FixturesFailed
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .netns import Veth
from .numbered import METHODS, PROGRESS, Built, built_in, no_ipv6, numbered

pytestmark = [requires_bpf, requires("clang")]

DENIED, CHALLENGED = range(2)
CODE = """
WS_VERDICTS(2);
struct flow { %(members)s };
WS_STATE(BPF_MAP_TYPE_HASH, flows, __u32, struct flow, 1024);
SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 34 > end || *(__u16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	__u32 key = *(__u32 *)(data + 26);
	struct flow fresh = {};
	struct flow *flow = flows_lookup_or_init(&key, &fresh);

	if (flow)
		__sync_fetch_and_add(&flow->packets, 1);
	%(verdict)s
}
char _license[] SEC("license") = "GPL";
"""
GOOD = "return ws_verdict(ctx, 0, XDP_DROP);"
WRONG = "return ws_verdict(ctx, 1, XDP_DROP);"
REJECTED = "return *(int *)(data + 4000);"
MEMBERS, OTHER_MEMBERS = "__u64 packets; __u64 seen;", "__u64 seen; __u32 mark; __u64 packets;"
MANIFEST: Mapping[str, Any] = {
    "maps": {"flows": {"role": "state", "sums": ["packets"]}, "verdicts": {"role": "stats"}},
    "verdicts": [{"name": "denied", "action": "drop"}, {"name": "challenged", "action": "drop"}],
}
UDP = {"name": "a datagram", "packet": {"ipv4": {}, "udp": {}}}
GATE = {"window": 0.3, "min_packets": 100, "max_change": 0.1}


def version(number: str, verdict: str = GOOD, members: str = MEMBERS, **manifest: Any) -> PipelineSource:
    return small(CODE % {"members": members, "verdict": verdict}, version=number, **MANIFEST, **manifest)


@functools.cache
def old() -> PipelineSource:
    return version("1")


@dataclass(frozen=True)
class Bad:
    """``source`` is converged while old() runs. ``cause``: what stops it; ``says``: in the error, in this order;
    ``lived``: whether its program was live for a while."""

    source: Callable[[], PipelineSource]
    cause: type
    says: Tuple[str, ...]
    lived: bool = False


UNDONE = "were undone; the node is as before."
SHARES = (
    *("verdict denied went from 100 % of ", " packets to 0 % of ", "verdict challenged went from 0 % of "),
    *(" packets to 100 % of ", "at most 10 are allowed (health.max_change)", " earlier step(s) " + UNDONE),
)
BAD: Dict[str, Bad] = {
    "the verifier rejects it": Bad(
        lambda: version("2", REJECTED),
        VerifierRejection,
        ("rejected program 'small'", "invalid access to packet", "0 earlier step(s) " + UNDONE),
    ),
    "a packet fails": Bad(
        lambda: version("2", WRONG, tests=[{**UDP, "expect": "denied"}]),
        FixturesFailed,
        ("tests[0] 'a datagram': expected verdict denied, found challenged", "0 earlier step(s) " + UNDONE),
    ),
    "verdicts are wrong": Bad(lambda: version("2", WRONG, health=GATE), GateFailed, SHARES, lived=True),
    "verdicts are wrong and flows have another layout": Bad(
        lambda: version("2", WRONG, OTHER_MEMBERS, health=GATE), GateFailed, SHARES, lived=True
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_in(tmp_path_factory.mktemp("ledger"))


@dataclass(frozen=True)
class Run:
    """``taken`` frames were sent, of which ``verdicts`` and the flows counted so many, and ``escaped`` none. ``live``
    is the generation at the end, ``steps`` those of the run, ``again`` those that a check run then plans."""

    taken: int
    verdicts: List[int]
    flows: int
    escaped: int
    live: str
    failure: "ApplyFailed | None"
    steps: List[str]
    again: List[str]


def in_traffic(veth: Veth, built: Built, method: str, new: PipelineSource) -> Run:
    """Brings ``new`` in the place of old()."""
    no_ipv6(veth)
    old()  # built once, before the worker forks: two builds differ in the paths that they name

    def converge(source: PipelineSource, check: bool = False) -> List[str]:
        intent = {
            "nics": [{"name": veth.ifname, "pipeline": "small"}],
            "pipelines": [{"name": "small", **SAID[method]}],
        }
        return [step["action"] for step in engine.converge(intent, bundle_of(source), check)["steps"]]

    def on_node() -> Run:
        paths, failure, steps = Paths.from_environment(), None, []
        converge(old())
        with Stack(veth.ifname) as stack, instance.open_map(paths, "small", old().generation, "verdicts") as verdicts:

            def counted() -> List[int]:
                found = (verdicts.lookup_percpu(number.to_bytes(4, "little")) for number in (DENIED, CHALLENGED))
                return [sum(int.from_bytes(value[:8], "little") for value in values) for values in found]

            def progress(frames: int) -> None:
                wanted = sum(counted()) + frames
                wait_until(lambda: sum(counted()) >= wanted, f"{frames} frames counted")

            with numbered(veth, built.sender) as stop:
                progress(PROGRESS)
                try:
                    steps = converge(new)
                except ApplyFailed as error:
                    failure = error
                progress(PROGRESS)
                taken = stop()
            wait_until(lambda: sum(counted()) + stack.frames >= taken, f"{taken} frames counted or escaped")
            live = instance.published(paths, "small") or ""
            again = converge(old() if failure else new, check=True)
            return Run(taken, counted(), packets(old() if failure else new), stack.frames, live, failure, steps, again)

    found: Run = veth.node.run(on_node, timeout=300.0)
    return found


def packets(source: PipelineSource) -> int:
    """Of all flows."""
    leaves = source.btf.leaves(source.maps["flows"].value_type)
    at = next(leaf.offset // 8 for leaf in leaves if leaf.path == "packets")
    with instance.open_map(Paths.from_environment(), "small", source.generation, "flows") as found:
        return sum(int.from_bytes(value[at : at + 8], "little") for dummy, value in found.items())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", BAD)
def test_what_ran_goes_on_running_and_the_error_says_why(
    veth: Veth, places: Places, built: Built, method: str, case: str
) -> None:
    bad = BAD[case]
    run = in_traffic(veth, built, method, bad.source())
    assert run.failure is not None and run.failure.clean and isinstance(run.failure.cause, bad.cause)
    words = str(run.failure)
    for each in bad.says:
        assert each in words
        words = words.partition(each)[2]
    assert run.live == old().generation and run.again == []
    assert (sum(run.verdicts), run.flows, run.escaped) == (run.taken, run.taken, 0)
    assert (run.verdicts[CHALLENGED] > 0) is bad.lived


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("members", [MEMBERS, OTHER_MEMBERS], ids=["same layout", "other layout"])
def test_a_program_that_passes_its_packets_and_its_gate_stays(
    veth: Veth, places: Places, built: Built, method: str, members: str
) -> None:
    new = version("2", GOOD, members, tests=[{**UDP, "expect": "denied"}], health=GATE)
    run = in_traffic(veth, built, method, new)
    assert run.failure is None and {"test", "publish", "watch"} <= set(run.steps)
    assert run.live == new.generation and run.again == []
    assert (run.verdicts, run.flows, run.escaped) == ([run.taken, 0], run.taken, 0)
