# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be loaded: the reason in words, and nothing left behind. kill -9 included."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import FLOWS, next_scrubber, scrubber, small
from tests.probes import requires, requires_bpf
from wirespeed.errors import BadInput, MissingPrerequisite, Refused, WirespeedError
from wirespeed.kernel.bpf_object import VerifierRejection
from wirespeed.kernel.libbpf import Handle
from wirespeed.pipeline import instance
from wirespeed.pipeline.garbage import collect
from wirespeed.pipeline.inventory import inventory
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.support import Support

from .conftest import Places
from .killing import killed_in
from .netns import Veth
from .pipelines_here import Node, attach_step, configure_step, load_step, publish_step

pytestmark = [requires_bpf, requires("clang")]

REJECTED = """
SEC("xdp") int small(struct xdp_md *ctx)
{
	return *(int *)(long)ctx->data; /* no bounds check */
}
char _license[] SEC("license") = "GPL";
"""

STATE = {"maps": {"flows": {"role": "state"}}}
RESET = {"maps": {"flows": {"role": "state", "on_layout_change": "reset"}}}


def pins(places: Places) -> "list[str]":
    return sorted(str(path.relative_to(places.bpffs)) for path in places.bpffs.glob("wirespeed/**/*"))


def test_the_verifiers_last_lines_are_shown(places: Places) -> None:
    source = small(REJECTED)
    node = Node(source)
    with pytest.raises(VerifierRejection) as refusal:
        node.do(load_step(source))
    text = str(refusal.value)
    assert "rejected program 'small'" in text
    assert "invalid access to packet" in text
    assert "; return *(int *)(long)ctx->data;" in text
    assert len(text.splitlines()) < 22


def test_a_rejected_program_leaves_no_generation_and_what_runs_runs_on(places: Places) -> None:
    good, bad = small(REJECTED.replace("*(int *)(long)ctx->data", "XDP_PASS")), small(REJECTED)
    node = Node(good)
    node.do(load_step(good), publish_step("small", None, good.generation))
    with pytest.raises(VerifierRejection):
        Node(bad).do(load_step(bad))
    assert node.paths.generations("small") == (good.generation,)
    assert instance.published(node.paths, "small") == good.generation


def test_undoing_a_rejected_first_load_leaves_nothing(places: Places) -> None:
    source = small(REJECTED)
    node = Node(source)
    with pytest.raises(VerifierRejection):
        node.do(load_step(source))
    node.do(load_step(source).inverted())
    assert pins(places) == []


def load_and_publish(*sources: Any) -> Node:
    for source in sources:
        node = Node(source)
        live = instance.published(node.paths, "small")
        node.do(load_step(source), publish_step("small", live, source.generation))
    return node


def test_two_swapped_fields_of_one_size_are_noticed(places: Places) -> None:
    """libbpf and the kernel would take the old map without a word."""
    before, after = (small(FLOWS % f, **STATE) for f in ("__u32 seen; __u32 lost;", "__u32 lost; __u32 seen;"))
    with pytest.raises(Refused, match="value: lost u32 at byte 0 was lost u32 at byte 4"):
        load_and_publish(before, after)


def test_a_map_of_the_same_layout_is_the_same_map(places: Places) -> None:
    before = small(FLOWS % "__u32 seen; __u32 lost;", version="1", **STATE)
    after = small(FLOWS % "__u32 seen; __u32 lost;", version="2", **STATE)
    node = load_and_publish(before, after)
    ids = []
    for source in (before, after):
        with instance.open_map(node.paths, "small", source.generation, "flows") as flows:
            ids.append(flows.info.id)
    assert ids[0] == ids[1]


def test_a_changed_layout_begins_anew_where_the_manifest_allows_it(places: Places) -> None:
    before, after = (small(FLOWS % fields, **RESET) for fields in ("__u32 seen;", "__u64 seen;"))
    node = load_and_publish(before, after)
    with instance.open_map(node.paths, "small", after.generation, "flows") as flows:
        assert flows.info.value_size == 8


def test_too_many_rows_are_refused_before_the_first_is_written(places: Places) -> None:
    manifest = scrubber().manifest
    limited = replace(manifest, maps={**manifest.maps, "deny_v4": replace(manifest.maps["deny_v4"], max_entries=3)})
    source = replace(scrubber(), manifest=limited)
    node = Node(source)
    node.do(load_step(source), configure_step(source, "deny_v4", ["192.0.2.0/24", "198.51.100.0/24"]))
    with pytest.raises(BadInput, match="has 4 rows, but its map holds 3"):
        node.do(configure_step(source, "deny_v4", ["10.0.0.0/8", "172.16.0.0/12"]))
    assert inventory(node.paths).instances[0].tables["deny_v4"] == ("192.0.2.0/24", "198.51.100.0/24")
    node.do(configure_step(source, "deny_v4", ["10.0.0.0/8", "172.16.0.0/12"], ["192.0.2.0/24"]))


@pytest.mark.parametrize("rows", [10_000])
def test_many_rows_read_back_as_they_were_written(places: Places, rows: int) -> None:
    wanted = [f"{ipaddress.IPv4Address(n * 65521 % 2**32 & ~0xFF)}/24" for n in range(rows)]
    wanted = list(dict.fromkeys(wanted))
    node = Node(scrubber())
    node.do(load_step(scrubber()), configure_step(scrubber(), "deny_v4", wanted))
    assert set(inventory(node.paths).instances[0].tables["deny_v4"]) == set(wanted)
    node.do(configure_step(scrubber(), "deny_v4", wanted).inverted())
    assert inventory(node.paths).instances[0].tables["deny_v4"] == ()


def test_no_bpffs_is_said_with_the_mount_command(places: Places, tmp_path: Path) -> None:
    elsewhere = Paths(tmp_path / "plain", places.run, places.state)
    with pytest.raises(MissingPrerequisite, match="mount -t bpf bpf"):
        instance.load(elsewhere, scrubber())
    assert "not a BPF file system" in inventory(elsewhere).notes[0]


def test_attaching_to_an_unknown_interface_is_said(places: Places, veth: Veth) -> None:
    node = Node(scrubber())
    node.run(scrubber())
    with pytest.raises(WirespeedError, match="no interface nic77"):
        node.do(attach_step("nic77", "scrubber"))


KILL_POINTS = [("pin", calls) for calls in range(1, 9)] + [("rename", 1), ("rename", 2)]


@pytest.mark.parametrize(("what", "calls"), KILL_POINTS)
def test_a_load_killed_at_any_pin_is_no_generation_and_the_next_run_converges(
    places: Places, what: str, calls: int
) -> None:
    node = Node(scrubber())
    place = Handle if what == "pin" else os
    killed_in(lambda: node.do(load_step(scrubber())), place, what, calls)
    assert inventory(node.paths).instances == ()
    node.run(scrubber(), ["192.0.2.0/24"])
    collect(node.paths)
    assert not [path for path in pins(places) if "~" in path]
    assert inventory(node.paths).instances[0].published


@pytest.mark.parametrize("calls", [1, 3, 6])
def test_an_unload_killed_half_way_is_no_generation(places: Places, calls: int) -> None:
    node = Node(scrubber())
    node.do(load_step(scrubber()))
    killed_in(lambda: node.do(load_step(scrubber()).inverted()), Path, "unlink", calls)
    assert inventory(node.paths).instances == ()
    node.do(load_step(scrubber()).inverted())
    assert pins(places) == []


def test_a_reload_killed_half_way_leaves_the_old_one_running(places: Places) -> None:
    old = Node(scrubber())
    old.run(scrubber())
    new = Node(next_scrubber())
    killed_in(lambda: new.do(load_step(next_scrubber())), Handle, "pin", 3)
    assert instance.published(old.paths, "scrubber") == scrubber().generation
    assert collect(old.paths) == [f"scrubber/{next_scrubber().generation}~new"]


def test_a_damaged_root_object_is_refused(places: Places) -> None:
    source = replace(scrubber(), support=Support(root=scrubber().support.root[:900]))
    with pytest.raises(BadInput, match="damaged or cut off"):
        Node(source).do(load_step(source))
