# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and constants that follow from the node: one object on a small and on a big one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.errors import BadInput
from wirespeed.model.node import Kernel
from wirespeed.pipeline import sizes
from wirespeed.pipeline.source import PipelineSource

from .manifest_cases import NODE

pytestmark = requires("clang")

GIB = 1024
LITTLE = replace(NODE, cpus=2, cpus_online=2, ram_mib=1 * GIB)
BIG = replace(NODE, cpus=128, cpus_online=128, ram_mib=512 * GIB)

CODE = """
WS_RODATA(__u32, workers) = 1;
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = workers;

	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
BY_MEMORY = "{{ [node.ram_gib * 65536, 4194304] | min }}"


def pipeline(entries: Any = BY_MEMORY, workers: Any = "{{ node.cpus }}") -> PipelineSource:
    return small(CODE, maps={"flows": {"role": "state", "max_entries": entries}}, constants={"workers": workers})


def on(node: Any, source: PipelineSource, nics: int = 1) -> PipelineSource:
    return source.on(sizes.names(node, nics))


def test_one_object_has_other_sizes_constants_and_generations_on_other_nodes() -> None:
    little, big = (on(node, pipeline()) for node in (LITTLE, BIG))
    assert little.object_bytes == big.object_bytes
    assert (little.sizes, big.sizes) == ({"flows": 65536}, {"flows": 4194304})
    assert (little.manifest.constants, big.manifest.constants) == ({"workers": 2}, {"workers": 128})
    assert little.generation != big.generation


def test_what_is_declared_and_what_is_patched_follow_the_node() -> None:
    found = on(BIG, pipeline())
    assert found.maps["flows"].max_entries == 4194304
    assert (128).to_bytes(4, "little") in found.rodata.values()


@pytest.mark.parametrize("taken", [-300, -1, 0, 40])
def test_a_kernel_that_keeps_some_memory_for_itself_does_not_change_the_generation(taken: int) -> None:
    """Another kernel of the same machine tells some MiB more or less."""
    same = replace(BIG, ram_mib=BIG.ram_mib + taken, kernel=Kernel("6.18.1", (6, 18)))
    by_memory = pipeline("{{ node.ram_gib * 65536 }}")
    assert on(same, by_memory).generation == on(BIG, by_memory).generation


def test_a_node_with_less_than_half_a_gib_counts_as_one() -> None:
    assert on(replace(LITTLE, ram_mib=400), pipeline()).sizes == {"flows": 65536}


def test_equal_nodes_have_equal_generations_whatever_their_names() -> None:
    assert on(replace(BIG, hostname="edge2"), pipeline()).generation == on(BIG, pipeline()).generation


@pytest.mark.parametrize(("nics", "entries"), [(0, 1024), (1, 1024), (4, 4096)])
def test_the_nics_of_the_pipeline_are_counted_and_at_least_one(nics: int, entries: int) -> None:
    assert on(LITTLE, pipeline("{{ node.nics * 1024 }}"), nics).sizes == {"flows": entries}


def test_a_manifest_without_expressions_is_the_same_source() -> None:
    fixed = pipeline(1024, 3)
    assert on(BIG, fixed) is fixed


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("{{ node.memory }}", "node.memory"),
        ("{{ node.ram_gib * 0 }}", "gives 0 on this node. A size is a whole number, 1 to 4294967295."),
        ("{{ node.cpus - 3 }}", "gives -1 on this node"),
        ("{{ node.ram_gib / 2 }}", "gives 0.5 on this node"),
        ("{{ node.cpus == 2 }}", "gives True on this node"),
        ("{{ node.ram_gib * 4294967296 }}", "gives 4294967296 on this node"),
        ("{{ node.kernel }}k", "on this node"),
        ("{{ node.cpus * }}", "node.cpus *"),
    ],
)
def test_a_size_that_cannot_be_is_told_with_file_and_field(entries: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        on(LITTLE, pipeline(entries))
    assert str(error.value).startswith("small.bpf.o: maps.flows.max_entries: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("workers", "said"),
    [("{{ node.cores }}", "node.cores"), ("{{ node.ram_gib * 4294967296 }}", "4294967296"), ("many", "many")],
)
def test_a_constant_that_cannot_be_is_told_with_file_and_field(workers: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        on(LITTLE, pipeline(workers=workers))
    assert str(error.value).startswith("small.bpf.o: constants.workers: ")
    assert said in str(error.value)
