# SPDX-License-Identifier: GPL-3.0-or-later
"""New code in one stage of a pipeline: one program is loaded and one slot written, and everything else stays."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from tests.pipelines import bundle_of, small
from tests.probes import requires
from wirespeed import engine
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance, root
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .frames import frame_v4
from .netns import Veth

pytestmark = [requires("bpf", "clang")]

STAGED = """
WS_PIPELINE("small", "%(version)s");
int first(struct xdp_md *ctx);
int second(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = { .values = { [0] = (void *)&first, [1] = (void *)&second } };
static __always_inline void note(__u32 number)
{
	__u64 *count = bpf_map_lookup_elem(&seen, &number);

	if (count)
		__sync_fetch_and_add(count, %(step)s);
}
SEC("xdp") int second(struct xdp_md *ctx)
{
	note(2);
	return %(second)s;
}
SEC("xdp") int first(struct xdp_md *ctx)
{
	note(%(first)s);
	bpf_tail_call_static(ctx, &stages, 1);
	return XDP_ABORTED;
}
SEC("xdp") int small(struct xdp_md *ctx)
{
	note(0);
	bpf_tail_call_static(ctx, &stages, 0);
	return XDP_ABORTED;
}
char _license[] SEC("license") = "GPL";
"""


def staged(version: str, **changes: str) -> PipelineSource:
    said = {"version": version, "step": "1", "second": "XDP_DROP", "first": "1", **changes}
    maps = {"seen": {"role": "state"}}
    return small(STAGED % said, version=version, stages=["first", "second"], maps=maps)


def converge(veth: Veth, source: PipelineSource, **asked: Any) -> Dict[str, Any]:
    intent = {"nics": [{"name": "ws0", "pipeline": "small"}], "pipelines": [{"name": "small", **asked}]}
    return dict(veth.node.run(engine.converge, intent, bundle_of(source), False))


def programs(source: PipelineSource) -> Dict[str, int]:
    return instance.program_ids(Paths.from_environment(), "small", source.generation)


def run() -> int:
    """What a frame through the root becomes."""
    with root.program(Paths.from_environment(), "small") as program:
        return program.test_run(frame_v4("192.0.2.1")).action


def seen(source: PipelineSource) -> List[int]:
    with instance.open_map(Paths.from_environment(), "small", source.generation, "seen") as found:
        return [int.from_bytes(value, "little") for dummy, value in found.items()]


OLD, NEW = staged("1"), staged("2", second="XDP_PASS")
DROP, PASS = 1, 2


@pytest.mark.parametrize("attach", ["root", "direct"])
def test_one_stage_is_loaded_and_its_slot_written(veth: Veth, places: Places, attach: str) -> None:
    converge(veth, OLD, attach=attach)
    result = converge(veth, NEW, attach=attach)
    load = next(step for step in result["steps"] if step["action"] == "load")
    assert "it differs from what runs in stage second alone" in load["why"]
    before, after = programs(OLD), programs(NEW)
    assert [name for name in before if before[name] != after[name]] == ["second"]
    assert veth.node.run(instance.published, Paths.from_environment(), "small") == NEW.generation
    assert converge(veth, NEW, attach=attach)["steps"] == []


def test_a_frame_meets_the_new_stage_and_the_state_of_the_old_ones(veth: Veth, places: Places) -> None:
    converge(veth, OLD)
    assert run() == DROP
    converge(veth, NEW)
    assert run() == PASS and min(seen(NEW)[:3]) >= 2


def test_the_old_stage_comes_back_by_its_slot(veth: Veth, places: Places) -> None:
    converge(veth, OLD)
    converge(veth, NEW)
    assert [step["action"] for step in converge(veth, OLD)["steps"]] == ["publish"]
    assert run() == DROP
    assert veth.node.run(instance.published, Paths.from_environment(), "small") == OLD.generation


def test_the_old_stage_comes_back_also_from_another_entry(veth: Veth, places: Places) -> None:
    for source in (OLD, NEW, staged("3", step="2", second="XDP_TX")):
        converge(veth, source)
    assert run() == 3
    converge(veth, OLD)
    assert run() == DROP


@pytest.mark.parametrize(
    "changes", [{"step": "2"}, {"first": "3", "second": "XDP_PASS"}, {}], ids=["all", "two stages", "none"]
)
def test_more_than_one_stage_is_a_whole_load(veth: Veth, places: Places, changes: Dict[str, str]) -> None:
    converge(veth, OLD)
    other = staged("4", **changes)
    converge(veth, other)
    before, after = programs(OLD), programs(other)
    assert [name for name in before if before[name] == after[name]] == []


def test_nothing_runs_before_the_publish(veth: Veth, places: Places) -> None:
    """libbpf fills program arrays at the load; here that would be the publish."""
    converge(veth, OLD)
    veth.node.run(instance.load, Paths.from_environment(), NEW)
    assert run() == DROP
    with BpfMap.pinned(str(Paths.from_environment().map("small", NEW.generation, "stages"))) as array:
        slot = int.from_bytes(array.lookup((1).to_bytes(4, "little")) or b"", "little")
    with BpfProgram.pinned(str(Paths.from_environment().program("small", OLD.generation, "second"))) as second:
        assert slot == second.info.id
