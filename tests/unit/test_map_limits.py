# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of the health of a map: taken as written, and refused with file, line and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.errors import BadInput
from wirespeed.pipeline.manifest import load_manifest
from wirespeed.pipeline.map_limits import Counter, MapLimits, Member, owner

GOOD = """\
manifest: 1
name: edge
version: "1"
entry: edge
maps:
  flows:
    role: state
    health: {%s}
"""
CODE = """
struct key { __u32 id; __u16 policy; __u8 address[6]; };
struct flow { __u64 seen; __u32 customer; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, struct flow);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} events SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	struct key key = {};
	__u32 at = 0;

	return bpf_map_lookup_elem(&flows, &key) && bpf_map_lookup_elem(&events, &at) ? XDP_DROP : XDP_PASS;
}
"""


def limits(tmp_path: Path, said: str) -> MapLimits:
    path = tmp_path / "edge.pipeline.yml"
    path.write_text(GOOD % said)
    return load_manifest(path).maps["flows"].health


def test_what_is_said_is_taken(tmp_path: Path) -> None:
    said = "warning: 12.5%, critical: 100%, full_within: 2h, share_of: policy, failed: {map: events, index: 1}"
    expected = MapLimits(0.125, 1.0, 7200, "policy", failed=Counter("events", 1))
    assert limits(tmp_path, said) == expected
    assert MapLimits.from_json(expected.to_json()) == expected


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    assert limits(tmp_path, "") == MapLimits() == MapLimits(0.7, 0.9, 600)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("warning: 70", r"edge.pipeline.yml:8: maps.flows.health.warning: is 70, not a text"),
        ("warning: 170%", r":8: maps.flows.health.warning: .*Expected: the share of the map .* \"70%\""),
        ("full_within: soon", r":8: maps.flows.health.full_within: .*Expected: a duration as 30s, 10m, 2h or 1d"),
        ("made: {map: events}", r":8: maps.flows.health.made: has no 'index'"),
        ("warn: 70%", r":8: maps.flows.health.warn: .*warning"),
    ],
)
def test_what_is_no_limit_is_refused(tmp_path: Path, said: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        limits(tmp_path, said)


def pipeline(**health: Any) -> Any:
    maps: Dict[str, Any] = {"flows": {"role": "state", "health": health}, "events": {"role": "stats"}}
    return small(CODE, maps=maps)


@requires("clang")
@pytest.mark.parametrize(
    ("member", "found"), [("policy", Member(True, 4, 2)), ("customer", Member(False, 8, 4)), ("id", Member(True, 0, 4))]
)
def test_an_entity_is_a_number_of_the_key_or_the_value(member: str, found: Member) -> None:
    source = pipeline(share_of=member)
    assert owner(source.maps["flows"], source.btf, source.manifest.maps["flows"].health) == found


@requires("clang")
@pytest.mark.parametrize(
    ("health", "told"),
    [
        ({"share_of": "address"}, r"maps\.flows\.health\.share_of: .*There are: customer, id, policy, seen"),
        ({"warning": "80%", "critical": "60%"}, r"maps\.flows\.health\.warning: is 80%, above critical \(60%\)"),
        ({"made": {"map": "event", "index": 0}}, r"maps\.flows\.health\.made\.map: .*'events'"),
        ({"made": {"map": "flows", "index": 0}}, r"health\.made\.map: .*an array of numbers of 64 bits"),
        ({"failed": {"map": "events", "index": 2}}, r"health\.failed\.index: events has no element 2\. It has 2"),
    ],
)
def test_what_the_object_does_not_have_is_refused(health: Dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        pipeline(**health)
