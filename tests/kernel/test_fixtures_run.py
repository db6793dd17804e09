# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest's test packets, run through a private load of its program in this kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Set

import pytest

from tests.pipelines import REPOSITORY, scrubber, small, support
from tests.probes import requires, requires_bpf
from wirespeed.errors import BadInput
from wirespeed.gather import read_pipeline
from wirespeed.kernel import bpf_object as opened
from wirespeed.kernel.bpf_object import VerifierRejection
from wirespeed.pipeline import afresh, fixtures, instance
from wirespeed.pipeline.checks import Fixture
from wirespeed.pipeline.packet import ONE_BUFFER
from wirespeed.pipeline.source import PipelineSource

from . import bpf_objects
from .bpf_objects import BpfObject
from .conftest import Places
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

LICENSE = '\nchar _license[] SEC("license") = "GPL";\n'
UDP = {"ipv4": {}, "udp": {}}


def with_tests(source: PipelineSource, *tests: Any) -> PipelineSource:
    said = tuple(Fixture.from_json({"name": f"packet {i}", "packet": UDP, **test}) for i, test in enumerate(tests))
    return replace(source, manifest=replace(source.manifest, tests=said))


def failures(source: PipelineSource, *tests: Any) -> List[str]:
    return [str(failure) for failure in fixtures.run(with_tests(source, *tests))]


@pytest.mark.parametrize("name", ["scrubber", "pass"])
def test_what_ships_does_what_its_manifest_says(name: str) -> None:
    support()  # builds them all
    source = read_pipeline(name, REPOSITORY)
    assert {fixture.expect for fixture in source.manifest.tests} == {each.name for each in source.manifest.verdicts}
    assert fixtures.run(source) == ()


def test_a_failure_names_what_was_expected_and_found() -> None:
    told = failures(scrubber(), {"expect": "pass"}, {"expect": "malformed", "action": "drop"})
    assert told == [
        "tests[1] 'packet 1': expected verdict malformed, found pass; expected action drop, found pass",
    ]


def test_the_action_is_the_verdicts_own_where_none_is_said() -> None:
    code = 'WS_VERDICTS(1);\nSEC("xdp") int small(struct xdp_md *ctx) { return ws_verdict(ctx, 0, XDP_TX); }' + LICENSE
    source = small(code, maps={"verdicts": {"role": "stats"}}, verdicts=[{"name": "sent", "action": "drop"}])
    assert failures(source, {"expect": "sent"}) == ["tests[0] 'packet 0': expected action drop, found tx"]


def test_a_packet_that_is_counted_twice_or_never_fails() -> None:
    code = """
WS_VERDICTS(2);
SEC("xdp") int small(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data > 60)
		return XDP_PASS;
	ws_count(&verdicts, 0, 1);
	ws_count(&verdicts, 0, 1);
	return ws_verdict(ctx, 1, XDP_PASS);
}
"""
    said = [{"name": "one", "action": "pass"}, {"name": "two", "action": "pass"}]
    source = small(code + LICENSE, maps={"verdicts": {"role": "stats"}}, verdicts=said)
    told = failures(source, {"expect": "two"}, {"expect": "one", "packet": {**UDP, "length": 80}})
    assert told == [
        "tests[0] 'packet 0': expected verdict two, found one counted 2 times, two counted 1 times",
        "tests[1] 'packet 1': expected verdict one, found none counted",
    ]


def test_an_action_that_xdp_does_not_know_is_told_by_its_number() -> None:
    source = small('SEC("xdp") int small(struct xdp_md *ctx) { return 77; }' + LICENSE)
    told = failures(source, {"action": "pass"})
    assert told == ["tests[0] 'packet 0': expected action pass, found 77, which is no XDP action"]


def test_the_frame_afterwards_is_compared() -> None:
    code = """
SEC("xdp") int small(struct xdp_md *ctx)
{
	unsigned char *at = (void *)(long)ctx->data;

	if ((void *)(at + 14) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	at[13] = 7;
	return XDP_TX;
}
"""
    packet = "00" * 15
    told = failures(
        small(code + LICENSE),
        {"packet": packet, "action": "tx", "output": "00" * 13 + "07 00"},
        {"packet": packet, "action": "tx", "output": "00" * 13 + "08"},
    )
    assert told == [
        "tests[1] 'packet 1': expected a frame of 14 bytes, found 15; from byte 13 expected 08, found 07 00",
    ]


def test_packets_do_not_disturb_each_other() -> None:
    """Neither rows nor what the program itself remembers are there for the next one."""
    code = """
static int seen;
SEC("xdp") int small(struct xdp_md *ctx) { return __sync_fetch_and_add(&seen, 1) ? XDP_DROP : XDP_PASS; }
"""
    assert failures(small(code + LICENSE), {"action": "pass"}, {"action": "pass"}) == []
    denied = {"packet": {"ipv4": {"source": "192.0.2.1"}}, "tables": {"deny_v4": ["192.0.2.0/24"]}}
    assert (
        failures(scrubber(), {**denied, "expect": "deny_prefix_v4"}, {**denied, "tables": {}, "expect": "pass"}) == []
    )


@pytest.mark.parametrize("kind", ["ARRAY", "PERCPU_ARRAY", "HASH", "LRU_HASH", "PERCPU_HASH"])
def test_what_a_packet_leaves_in_a_map_is_gone_before_the_next(kind: str) -> None:
    code = """
struct {
	__uint(type, BPF_MAP_TYPE_KIND);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} left SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u64 one = 1, *found;
	__u32 key = 1;

	found = bpf_map_lookup_elem(&left, &key);
	if (found && *found)
		return XDP_DROP;
	bpf_map_update_elem(&left, &key, &one, BPF_ANY);
	return XDP_PASS;
}
"""
    source = small(code.replace("KIND", kind) + LICENSE)
    assert afresh.possible(source)
    assert failures(source, *[{"action": "pass"}] * 3) == []


def test_where_a_map_cannot_be_put_back_the_program_is_loaded_anew() -> None:
    code = """
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u64);
} left SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u64 one = 1;

	if (!bpf_map_peek_elem(&left, &one))
		return XDP_DROP;
	bpf_map_push_elem(&left, &one, BPF_ANY);
	return XDP_PASS;
}
"""
    source = small(code + LICENSE)
    assert not afresh.possible(source)
    assert failures(source, *[{"action": "pass"}] * 3) == []


def test_constants_are_those_of_the_manifest() -> None:
    code = (
        'WS_RODATA(__u32, verdict) = XDP_DROP;\nSEC("xdp") int small(struct xdp_md *ctx) { return verdict; }' + LICENSE
    )
    assert failures(small(code), {"action": "drop"}) == []
    assert failures(small(code, constants={"verdict": 3}), {"action": "tx"}) == []


def test_stages_are_reached_by_tail_calls() -> None:
    code = """
int last(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, int(void *));
} stages SEC(".maps") = { .values = { [1] = (void *)&last } };
WS_VERDICTS(2);
SEC("xdp") int last(struct xdp_md *ctx) { return ws_verdict(ctx, 1, XDP_DROP); }
SEC("xdp") int small(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &stages, 1);
	return ws_verdict(ctx, 0, XDP_ABORTED);
}
"""
    said = [{"name": "missed", "action": "aborted"}, {"name": "reached", "action": "drop"}]
    source = small(code + LICENSE, stages=["last"], maps={"verdicts": {"role": "stats"}}, verdicts=said)
    assert failures(source, {"expect": "reached"}) == []


LENGTH = """
SEC("%s") int small(struct xdp_md *ctx) { return bpf_xdp_get_buff_len(ctx) == 9000 ? XDP_DROP : XDP_PASS; }
"""


def test_a_program_for_frames_of_several_buffers_sees_all_of_them() -> None:
    source = small(LENGTH % "xdp.frags" + LICENSE)
    assert failures(source, {"packet": {**UDP, "length": 9000}, "action": "drop"}, {"action": "pass"}) == []


def test_a_long_frame_for_a_program_of_one_buffer_is_refused() -> None:
    source = small(LENGTH % "xdp" + LICENSE)
    said = (
        rf"tests\[0\].packet: is a frame of 3521 bytes, which needs several buffers; .* Give at most {ONE_BUFFER} bytes"
    )
    with pytest.raises(BadInput, match=said):
        failures(source, {"packet": {**UDP, "length": ONE_BUFFER + 1}, "action": "drop"})


def test_a_bad_row_is_told_before_any_packet_is_run() -> None:
    with pytest.raises(
        BadInput, match=r"tests\[1\]\.tables\.deny_v4: table deny_v4, row 1: '192\.0\.2\.1/24' has host"
    ):
        failures(scrubber(), {"expect": "malformed"}, {"tables": {"deny_v4": ["192.0.2.1/24"]}, "expect": "pass"})


def test_a_huge_map_is_not_made_as_huge_as_it_will_be() -> None:
    """A preallocated hash of 2^31 entries would ask the kernel for hundreds of GiB."""
    code = """
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64[16]);
} flows SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
"""
    assert (
        failures(small(code + LICENSE, maps={"flows": {"role": "state", "max_entries": 1 << 31}}), {"action": "pass"})
        == []
    )


def test_the_verifiers_word_is_raised_as_in_loading() -> None:
    code = 'SEC("xdp") int small(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }' + LICENSE
    with pytest.raises(VerifierRejection, match="program 'small'"):
        failures(small(code), {"action": "pass"})


def test_what_is_live_is_not_touched(places: Places) -> None:
    node, source = Node(scrubber()), scrubber()
    node.run(source, deny_v4=["198.51.100.0/24"])
    pins = bpf_objects.pins(places.bpffs)
    denied = {"packet": {"ipv4": {"source": "198.51.100.9"}}, "tables": {"deny_v4": ["192.0.2.0/24"]}, "expect": "pass"}
    assert failures(source, denied) == []
    assert node.verdicts(source) == [(0, 0)] * len(source.manifest.verdicts)
    assert instance.rows(node.paths, "scrubber", source.generation, source.tables)["deny_v4"] == ("198.51.100.0/24",)
    assert bpf_objects.pins(places.bpffs) == pins


def test_a_gate_tells_all_that_fail_and_that_what_runs_keeps_running() -> None:
    with pytest.raises(fixtures.FixturesFailed) as error:
        fixtures.require(with_tests(scrubber(), {"expect": "malformed"}, {"expect": "pass"}, {"action": "tx"}))
    told = str(error.value)
    assert "Pipeline scrubber 0.1.0 does not do what its manifest says of 2 of its 3 test packets:" in told
    assert "tests[0] 'packet 0': " in told and "tests[2] 'packet 2': " in told and "keeps running" in told


def test_nothing_is_left_in_the_kernel(no_residue: "Set[BpfObject]", monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing packets too: whatever was loaded for them must be gone when this test is over."""
    load = opened.BpfObject.load

    def watched(self: opened.BpfObject) -> None:
        load(self)
        for kind, handles in (("prog", list(self.programs())), ("map", list(self.maps()))):
            for dummy, handle in handles:
                with handle:
                    no_residue.add((kind, handle.info.id))

    monkeypatch.setattr(opened.BpfObject, "load", watched)
    assert len(failures(scrubber(), {"expect": "malformed"}, {"expect": "pass"})) == 1
    assert len(no_residue) >= 8
