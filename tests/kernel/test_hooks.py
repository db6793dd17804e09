# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NIC carries, and how that is exchanged: root, direct attach, frames of several buffers, programs of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ContextManager, Dict, List

import pytest

from tests.pipelines import bundle_of, compiled, small
from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import Refused, WirespeedError
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from . import foreign_attached
from .conftest import Places
from .foreign_attached import on_hook
from .netns import Veth, command

pytestmark = [requires("bpf", "clang")]

COUNTS = """
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");
SEC("%s") int small(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 one = 1, *count = bpf_map_lookup_elem(&seen, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&seen, &key, &one, BPF_NOEXIST);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""

REJECTED = """
SEC("xdp") int small(struct xdp_md *ctx) { return *(int *)(long)ctx->data; }
char _license[] SEC("license") = "GPL";
"""


def version(number: str, section: str = "xdp", **manifest: Any) -> PipelineSource:
    return small(COUNTS % section, version=number, maps={"seen": {"role": "state"}}, **manifest)


def converge(veth: Veth, source: PipelineSource, check: bool = False, **asked: Any) -> Dict[str, Any]:
    nic = {key: asked.pop(key) for key in ("mode", "foreign", "max_disruption") if key in asked}
    intent = {"nics": [{"name": "ws0", "pipeline": "small", **nic}], "pipelines": [{"name": "small", **asked}]}
    return dict(veth.node.run(engine.converge, intent, bundle_of(source), check))


def actions(result: Dict[str, Any]) -> List[str]:
    return [step["action"] for step in result["steps"]]


def link_id(places: Places) -> str:
    pin = str(places.bpffs / "wirespeed/links/ws0")
    return command("bpftool", "-j", "link", "show", "pinned", pin).split('"id":')[1].split(",")[0]


def test_direct_attach_puts_the_entry_itself_on_the_nic(veth: Veth, places: Places) -> None:
    result = converge(veth, version("1"), attach="direct")
    assert actions(result)[:2] == ["load", "publish"] and actions(result)[-1] == "attach"
    assert not (places.bpffs / "wirespeed/small/slots").exists()
    entry = places.bpffs / "wirespeed/small" / version("1").generation / "progs/small"
    assert f'"id":{on_hook(veth)},' in command("bpftool", "-j", "prog", "show", "pinned", str(entry))
    assert converge(veth, version("1"), attach="direct")["steps"] == []


def test_new_code_under_direct_attach_is_a_swap_on_the_hook_by_the_same_link(veth: Veth, places: Places) -> None:
    converge(veth, version("1"), attach="direct")
    before = link_id(places)
    result = converge(veth, version("2"), attach="direct")
    assert actions(result) == ["load", "publish", "swap", "carry"]
    assert "bpf_link_update with the expected program" in result["steps"][-2]["why"]
    assert link_id(places) == before
    assert converge(veth, version("2"), check=True, attach="direct")["steps"] == []


def test_auto_goes_direct_where_a_swap_costs_nothing_and_says_so(veth: Veth, places: Places) -> None:
    result = converge(veth, version("1"), attach="auto")
    publish = next(step for step in result["steps"] if step["action"] == "publish")
    assert "a swap on the hook costs no NIC of this pipeline anything" in publish["why"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"attach": "root"}, {"attach": "direct"}),
        ({"attach": "direct"}, {"attach": "root"}),
        ({"section": "xdp"}, {"section": "xdp.frags"}),
        ({"section": "xdp.frags"}, {"section": "xdp"}),
        ({"empty_slot": "pass"}, {"empty_slot": "drop"}),
    ],
    ids=lambda asked: "-".join(asked.values()),
)
def test_another_root_takes_over_without_a_gap_and_goes_back(
    veth: Veth, places: Places, first: Dict[str, str], then: Dict[str, str]
) -> None:
    def run(number: str, asked: Dict[str, str]) -> Dict[str, Any]:
        source = version(number, **{key: value for key, value in asked.items() if key != "attach"})
        return converge(veth, source, **{key: value for key, value in asked.items() if key == "attach"})

    run("1", first)
    before = link_id(places)
    for number, asked in (("2", then), ("3", first)):
        assert actions(run(number, asked)) == ["load", "root", "swap", "carry"]
        assert link_id(places) == before
        assert run(number, asked)["steps"] == []
        assert not list(places.bpffs.glob("wirespeed/small/root~old*"))


def foreign_by_netlink(veth: Veth, tmp_path: Path) -> ContextManager[int]:
    return foreign_attached.by_netlink(veth, other(tmp_path))


def foreign_by_link(veth: Veth, tmp_path: Path) -> ContextManager[int]:
    return foreign_attached.by_link(veth, other(tmp_path), "small")


def other(folder: Path) -> Path:
    built = folder / "other.bpf.o"
    built.write_bytes(compiled(COUNTS % "xdp"))
    return built


@pytest.mark.parametrize("held_by", [foreign_by_netlink, foreign_by_link])
def test_a_foreign_program_is_adopted_with_what_it_has_learned(
    veth: Veth, places: Places, tmp_path: Path, held_by: Any
) -> None:
    with held_by(veth, tmp_path) as foreign:
        with pytest.raises(Refused, match="say foreign: adopt"):
            converge(veth, version("1"))
        assert on_hook(veth) == foreign
        seen = seen_by(foreign)
        result = converge(veth, version("1"), foreign="adopt")
        assert actions(result) == ["adopt", "root", "swap", "load", "publish"]
    # The foreign holder has ended by now: what it attached is ours to keep.
    paths = Paths.from_environment()
    adopted = next(each for each in paths.generations("small") if each.startswith("ad"))
    ids = [map_id(paths.map("small", each, "seen")) for each in (adopted, version("1").generation)]
    assert ids[0] == ids[1] and seen == ids[0]
    assert converge(veth, version("1"), foreign="adopt")["steps"] == []
    assert actions(converge(veth, version("2"), foreign="adopt")) == ["load", "publish"]


def seen_by(prog_id: int) -> int:
    shown = command("bpftool", "-j", "prog", "show", "id", str(prog_id))
    return int(shown.split('"map_ids":[')[1].split("]")[0].split(",")[0])


def map_id(pin: Path) -> int:
    return int(command("bpftool", "-j", "map", "show", "pinned", str(pin)).split('"id":')[1].split(",")[0])


def test_an_adopted_hook_is_given_back_when_the_new_code_does_not_load(
    veth: Veth, places: Places, tmp_path: Path
) -> None:
    broken = small(REJECTED, version="9")

    def attempt() -> str:
        nics = [{"name": "ws0", "pipeline": "small", "foreign": "adopt"}]
        try:
            engine.converge({"nics": nics, "pipelines": [{"name": "small"}]}, bundle_of(broken), False)
        except WirespeedError as error:
            return str(error)
        return "it loaded"

    with foreign_by_netlink(veth, tmp_path) as foreign:
        said = veth.node.run(attempt)
        assert "rejected program 'small'" in said and "3 earlier step(s) were undone" in said
        assert on_hook(veth) == foreign
        assert not (places.bpffs / "wirespeed").exists()
        veth.node.ip("link", "set", "ws0", "xdpdrv", "off")


def test_what_was_adopted_over_netlink_can_be_detached(veth: Veth, places: Places, tmp_path: Path) -> None:
    with foreign_by_netlink(veth, tmp_path):
        converge(veth, version("1"), foreign="adopt")

    def detach() -> None:
        from .pipelines_here import Node, attach_step

        Node().do(attach_step("ws0", "small").inverted())

    veth.node.run(detach)
    assert "xdp" not in veth.node.links()["ws0"]
