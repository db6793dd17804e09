# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a pipeline that could be traced, while nobody traces it: the verifier leaves a read constant of it."""

from __future__ import annotations

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.pipeline.advice import advice
from wirespeed.pipeline.skeleton import skeleton
from wirespeed.pipeline.source import PipelineSource

pytestmark = [requires_bpf, requires("clang")]

CODE = """
%s
SEC("xdp") int small(struct xdp_md *ctx)
{
	ws_note_owner(ctx->rx_queue_index, 7);
	return ws_traced(ctx, 1, XDP_PASS);
}
char _license[] SEC("license") = "GPL";
"""
TRACED = small(CODE % "#include <wirespeed_trace.h>")
PLAIN = small(CODE % "#define ws_note_owner(customer, policy)\n#define ws_traced(ctx, verdict, action) (action)")
A_CONSTANT = 3  # its address in two slots, and the read


def instructions(source: PipelineSource, traced: bool = False) -> int:
    """After the verifier."""
    wanted = source.tracing() if traced else source
    with BpfObject(wanted.object_bytes, "small") as loaded:
        loaded.patch_rodata(wanted.rodata)
        loaded.load()
        ((dummy, program),) = loaded.programs()
        with program:
            return program.info.instructions


def test_off_it_only_reads_a_constant_in_each_place() -> None:
    assert instructions(TRACED) <= instructions(PLAIN) + 2 * A_CONSTANT + 1


def test_on_it_is_there() -> None:
    assert instructions(TRACED, traced=True) > instructions(TRACED) + 10


@pytest.mark.parametrize("word", ["ws_trace", "ws_notes", "ws_tracer"])
def test_its_own_words_are_no_matter_for_a_manifest(word: str) -> None:
    assert word not in skeleton(TRACED.object_bytes, "small.bpf.o", TRACED.place)
    assert word not in str(list(advice(TRACED, 2)))
